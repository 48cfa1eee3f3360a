import type { RunReport } from '../activities/index.ts';
import type { RunProgress } from './messages.ts';

/** What the Web UI shows of a run. */
export interface ShownRun extends Pick<RunProgress, 'stages' | 'current' | 'waiting' | 'mode' | 'lastError'> {
  /** The stage that failed. */
  readonly failed: string | undefined;
  readonly equations: RunReport['equations'];
  readonly discarded?: RunReport['discarded'];
  /** What came near a limit. */
  readonly warnings: readonly string[];
}

/** The current details of a run, as Markdown: how it stands, its stages, its row equation. Each part is a list of lines. */
export function runDetails(run: ShownRun): string {
  const parts = [standing(run), stageTable(run), ...(run.equations.length > 0 ? [equationTable(run.equations)] : [])];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** What is not as it usually is, a sentence each. */
function standing({ mode, current, stages, waiting, failed, lastError, discarded, warnings }: ShownRun): string[] {
  const after = stages.length === 0 ? 'before its first stage' : `after **${stages.at(-1)?.stage ?? ''}**`;
  const sentences = {
    pausing: `**Pausing**: stops once **${current ?? ''}** is through.`,
    paused: `**Paused** ${after}: send \`resume\` to go on.`,
    cancelling: '**Cancelled**: tidies up.',
    running: '',
  };
  return [
    ...(mode === undefined || mode === 'running' ? [] : [sentences[mode]]),
    ...(waiting === undefined ? [] : [`**Waiting**: ${waiting}.`]),
    ...warnings.map((sentence) => `**Warning**: ${sentence}`),
    ...(failed === undefined || !lastError ? [] : [`**${lastError.code}** in **${failed}**: ${lastError.message}`]),
    ...(discarded ? discardedLines(discarded) : []),
  ];
}

/** What a cancelled run removed. */
function discardedLines({ tallies, failed }: NonNullable<RunReport['discarded']>): string[] {
  return [
    ...tallies.map(({ what, objects, bytes }) => `removed ${objects} × ${what}, ${bytes} bytes`),
    ...(failed ? [`could not tidy up: ${failed.code}: ${failed.message}`] : []),
  ];
}

function stageTable({ stages, current, waiting, failed }: ShownRun): string[] {
  const done = stages.map(({ stage, ms, rows }) => {
    const rate = rows !== undefined && ms > 0 ? String(Math.round((rows * 1000) / ms)) : '';
    return `| ${stage} | ${failed === stage ? '**failed**' : 'done'} | ${ms / 1000} s | ${rows ?? ''} | ${rate} |`;
  });
  const now = current === undefined ? [] : [`| ${current} | ${waiting === undefined ? 'running' : 'waiting'} | | | |`];
  return ['| Stage | State | Time | Rows | Rows/s |', '|---|---|--:|--:|--:|', ...done, ...now];
}

/** The row equation of each data set: what was read and what became of it, hop by hop. */
function equationTable(equations: RunReport['equations']): string[] {
  return [
    '| Data set | Read | Clean | Duplicates | Filtered | Rejected | Published | Landed | Indexed | Equation |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|',
    ...equations.map(({ dataset, rows, holds, broken }) => {
      const { read, clean, duplicates, filtered, rejected, published, landed, indexed } = rows;
      const cells = [read, clean, duplicates, filtered, rejected, published, landed, indexed];
      return `| ${dataset} | ${cells.join(' | ')} | ${holds ? 'holds' : `**does not hold: ${broken ?? ''}**`} |`;
    }),
  ];
}
