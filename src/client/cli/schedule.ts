import type { LogicalHour } from '../../definition/hour.ts';
import { loadDefinition } from '../../definition/load.ts';
import { ids } from '../../definition/names.ts';
import { agreed, mayAsk } from './agreed.ts';
import { pipelineNameOf } from './pipelines.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { describedLines, listedLines, planLines } from './schedule-lines.ts';
import { bold } from './screen.ts';
import { withClient } from './with-client.ts';

export interface ApplyFlags {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json?: boolean;
}

export interface ToggleFlags {
  readonly note?: string;
  readonly json?: boolean;
}

export interface TriggerFlags {
  readonly hour?: LogicalHour;
  readonly json?: boolean;
}

export interface DeleteFlags {
  readonly yes: boolean;
  readonly json?: boolean;
}

/** The exit code of a dry run that found something to change. */
const WOULD_CHANGE = 4;

/** `sluice schedule apply`. @returns 0 where it is as the definition says now; of a dry run 4 where it is not */
export async function apply(file: string, { dryRun, yes, json }: ApplyFlags): Promise<number> {
  const pipeline = await loadDefinition(file);
  return withClient(async ({ schedules }) => {
    const planned = await schedules.plan(pipeline);
    const changes = planned.schedules.some(({ change }) => change !== 'none');
    if (dryRun) {
      print(json, planned, planLines(planned.schedules, 'would'));
      return changes ? WOULD_CHANGE : 0;
    }
    if (changes && !yes && mayAsk()) {
      say(planLines(planned.schedules, 'would'));
      if (!(await agreed('Apply?'))) return 1;
    }
    const applied = await schedules.apply(pipeline);
    print(json, applied, planLines(applied.schedules, 'did'));
    return 0;
  });
}

/** `sluice schedule pause` and `resume`. */
export async function toggle(word: 'pause' | 'resume', given: string, { note, json }: ToggleFlags): Promise<number> {
  return withSchedule(given, async ({ schedules }, name) => {
    const state = await schedules[word](name, note);
    const how = state.paused ? 'paused' : 'starts its hours';
    print(json, state, [`${bold(name)} ${how}${state.note === undefined ? '' : `: ${state.note}`}`]);
    return 0;
  });
}

/** `sluice schedule trigger`. */
export async function trigger(given: string, { hour, json }: TriggerFlags): Promise<number> {
  return withSchedule(given, async ({ schedules }, name) => {
    const triggered = await schedules.trigger(name, hour === undefined ? {} : { hour });
    const { launch, workflowId } = triggered;
    const started =
      launch === undefined
        ? 'was asked; the server has not started anything yet'
        : `started ${launch}${workflowId === undefined ? '' : `, for ${workflowId}`}`;
    print(json, triggered, [`${bold(name)} ${started}`]);
    return 0;
  });
}

/** `sluice schedule describe`. */
export async function describe(given: string, { json }: { json?: boolean }): Promise<number> {
  return withSchedule(given, async ({ schedules }, name) => {
    const view = await schedules.describe(name);
    print(json, view, describedLines(view));
    return 0;
  });
}

/** `sluice schedule list`. */
export async function list({ json }: { json?: boolean }): Promise<number> {
  return withClient(async ({ schedules }) => {
    const all = await schedules.list();
    print(json, { schedules: all }, listedLines(all));
    return 0;
  });
}

/** `sluice schedule delete`. */
export async function remove(given: string, { yes, json }: DeleteFlags): Promise<number> {
  return withSchedule(given, async ({ schedules }, name) => {
    if (!yes && mayAsk() && !(await agreed(`Delete ${name} and ${ids.maintenance(name)}?`))) return 1;
    const deleted = await schedules.delete(name);
    print(json, { deleted }, [
      ...deleted.map((id) => `${bold(id)} deleted`),
      'Runs that are on their way go on, and what is stored stays; starts that waited for another are dropped.',
    ]);
    return 0;
  });
}

/** @param given the name of a schedule, or the definition of its pipeline */
async function withSchedule(
  given: string,
  work: (client: SluiceClient, name: string) => Promise<number>,
): Promise<number> {
  return withClient(async (client) => {
    const maintenance = given.startsWith(ids.maintenance(''));
    return work(client, maintenance ? given : await pipelineNameOf(given, client));
  });
}

function print(json: boolean | undefined, answer: object, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${lines.join('\n')}\n`);
}

function say(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}
