import { maintenanceLines, type MaintenanceTask } from '../../workflows/maintenance-messages.ts';
import { attend } from './attend.ts';
import { leavable } from './leaving.ts';
import { withDefinition } from './pipelines.ts';
import { bold, paced, Screen } from './screen.ts';

export interface MaintainFlags {
  readonly dryRun: boolean;
  readonly before?: string;
  readonly json?: boolean;
}

/** `sluice compact`, `gc` and `retain`: starts the workflow and follows it; it goes on if this process does not. */
export async function maintain(task: MaintenanceTask, given: string, flags: MaintainFlags): Promise<number> {
  const screen = new Screen();
  return withDefinition(given, async (client, pipeline) => {
    const { dryRun, before } = flags;
    const workflowId = await client.maintenance.start({
      pipeline,
      tasks: [task],
      ...(dryRun ? { dryRun } : {}),
      ...(before === undefined ? {} : { before }),
    });
    screen.say(`${bold(`${task} ${pipeline.name}`)} started: ${workflowId}`);
    const tell = paced(screen, 'now');
    const farewell = {
      goesOn: 'it goes on',
      lookAgain: `temporal workflow result --workflow-id ${workflowId}`,
      facts: { workflowId },
    };
    const report = await leavable(
      screen,
      () => farewell,
      flags.json,
      () => attend(client, workflowId, client.maintenance.result(workflowId), ([note = '']) => tell(note)),
    );
    screen.end();
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${maintenanceLines(report).join('\n')}\n`);
    return 0;
  }).finally(() => screen.end());
}
