import { loadDefinition } from '../../definition/load.ts';
import {
  maintenanceLines,
  type MaintenanceReport,
  type MaintenanceTask,
} from '../../workflows/maintenance-messages.ts';
import { attend } from './attend.ts';
import { SluiceClient } from '../sluice-client.ts';
import { bold, paced, Screen } from './screen.ts';

export interface MaintainFlags {
  readonly dryRun: boolean;
  readonly before?: string;
  readonly json?: boolean;
}

/** `sluice compact`, `gc` and `retain`: starts the workflow and follows it; it goes on if this process does not. */
export async function maintain(task: MaintenanceTask, file: string, flags: MaintainFlags): Promise<number> {
  const pipeline = await loadDefinition(file);
  const screen = new Screen();
  const client = await SluiceClient.connect();
  try {
    const { dryRun, before } = flags;
    const workflowId = await client.maintenance.start({
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
  try {
    const result = client.maintenance.result(workflowId);
    return await attend(client, workflowId, result, ([note = '']) => tell(note));
  } finally {
    process.off('SIGINT', interrupted);
  }
}
