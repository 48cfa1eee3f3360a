import { setTimeout as wait } from 'node:timers/promises';
import { loadDefinition } from '../../definition/load.ts';
import {
  maintenanceLines,
  type MaintenanceReport,
  type MaintenanceTask,
} from '../../workflows/maintenance-messages.ts';
import { SluiceClient } from '../sluice-client.ts';
import { bold, paced, Screen } from './screen.ts';

export interface MaintainFlags {
  readonly dryRun: boolean;
  readonly before?: string;
  readonly json?: boolean;
}

const LOOK_EVERY_MS = 500;

/** `sluice compact`, `gc` and `retain`: starts the workflow and follows it; it goes on if this process does not. */
export async function maintain(task: MaintenanceTask, file: string, flags: MaintainFlags): Promise<number> {
  const pipeline = await loadDefinition(file);
  const screen = new Screen();
  const client = await SluiceClient.connect();
  try {
    const { dryRun, before } = flags;
    const workflowId = await client.startMaintenance({
      pipeline,
      tasks: [task],
      ...(dryRun ? { dryRun } : {}),
      ...(before === undefined ? {} : { before }),
    });
    screen.say(`${bold(`${task} ${pipeline.name}`)} started: ${workflowId}`);
    const report = await followed(client, workflowId, screen);
    screen.end();
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${maintenanceLines(report).join('\n')}\n`);
    return 0;
  } finally {
    screen.end();
    await client.close();
  }
}

async function followed(client: SluiceClient, workflowId: string, screen: Screen): Promise<MaintenanceReport> {
  const tell = paced(screen, 'now');
  const interrupted = (): void => {
    screen.say(`Left; it goes on. Its result will stand in the Web UI, under ${workflowId}.`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  let over = false;
  const result = client.maintenanceResult(workflowId).finally(() => {
    over = true;
  });
  // Its rejection is awaited below; meanwhile nobody listens.
  result.catch(() => {});
  try {
    while (!over) {
      const notes = await client.notes(workflowId).catch(() => ({}));
      const note = Object.values(notes).find((text) => text !== '');
      if (note !== undefined) tell(note);
      await Promise.race([wait(LOOK_EVERY_MS), result.catch(() => {})]);
    }
    return await result;
  } finally {
    process.off('SIGINT', interrupted);
  }
}
