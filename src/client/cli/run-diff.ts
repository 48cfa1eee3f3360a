import type { LogicalHour } from '../../definition/hour.ts';
import { diffLines } from './diff-lines.ts';
import { withPipeline, type VerbFlags } from './run-verbs.ts';

export interface DiffFlags extends VerbFlags {
  /** Run ids: the first is of the first hour, the second of the second one, or of the same where there is only one. */
  readonly run?: readonly string[];
  readonly exitCode?: boolean;
}

/** `sluice run diff`. @returns 4 where it was asked for and there is a difference */
export function diff(hour: LogicalHour, other: LogicalHour | undefined, flags: DiffFlags): Promise<number> {
  const [first, second] = flags.run ?? [];
  return withPipeline(flags.pipeline, async (client, pipeline) => {
    const one = { hour, ...(first === undefined ? {} : { runId: first }) };
    const compared =
      other === undefined && second === undefined
        ? await client.runs.diff(pipeline, one)
        : await client.runs.diff(pipeline, one, {
            hour: other ?? hour,
            ...(second === undefined ? {} : { runId: second }),
          });
    process.stdout.write(flags.json ? `${JSON.stringify(compared)}\n` : `${diffLines(compared).join('\n')}\n`);
    return flags.exitCode === true && compared.differs.length > 0 ? 4 : 0;
  });
}
