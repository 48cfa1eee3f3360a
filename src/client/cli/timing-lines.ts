import { sizeText, spanText } from '../../definition/amounts.ts';
import { criticalPath, stageRows, type StageRow, type TimedStages } from '../../definition/stage-rows.ts';
import { boldOut, count, seconds, styled } from './screen.ts';

const BAR = 16;

/** What took most of a run, on what that rests, and what to do; empty where nobody has judged it. */
export function bottleneckLines({ timing }: TimedStages): string[] {
  if (timing === undefined) return [];
  const { bottleneck, slower, servers = {} } = timing;
  return [
    ...(bottleneck
      ? [
          boldOut(bottleneck.sentence),
          ...bottleneck.evidence.map((sentence) => `  ${sentence}`),
          `  → ${bottleneck.suggestion}`,
        ]
      : []),
    ...(slower === undefined ? [] : [styled('yellow', slower, process.stdout)]),
    ...Object.values(servers)
      .flat()
      .filter((sentence) => !bottleneck?.evidence.includes(sentence))
      .map((sentence) => styled('dim', sentence, process.stdout)),
  ];
}

/** The stages of a run as a table: what each took, usually takes, and of what that is made. */
export function stageTable(report: TimedStages): string[] {
  const rows = stageRows(report);
  if (rows.length === 0) return [];
  const longest = Math.max(1, ...rows.map(({ ms }) => ms));
  const ms = (of: (row: StageRow) => number | undefined) => (row: StageRow) => {
    const value = of(row);
    return value === undefined ? '' : value === 0 ? '–' : seconds(value);
  };
  const usual = rows.some(({ usualMs }) => usualMs !== undefined);
  const parts = rows.some(({ runMs }) => runMs !== undefined);
  const column = (title: string, of: (row: StageRow) => string) => ({
    ...{ title, of },
    width: Math.max(title.length, ...rows.map((row) => of(row).length)),
  });
  const columns = [
    column(
      'took',
      ms((row) => row.ms),
    ),
    ...(usual
      ? [
          column(
            'usually',
            ms((row) => row.usualMs),
          ),
        ]
      : []),
    ...(parts
      ? [
          column(
            'queue',
            ms((row) => row.queueMs),
          ),
          column(
            'run',
            ms((row) => row.runMs),
          ),
          column(
            'retry',
            ms((row) => row.retryMs),
          ),
          column(
            'wait',
            ms((row) => row.waitMs),
          ),
        ]
      : []),
    column('rows/s', ({ rowsPerSecond: rate }) => (rate === undefined ? '' : count(rate))),
    ...(parts ? [column('bytes/s', ({ bytesPerSecond: rate }) => (rate === undefined ? '' : sizeText(rate)))] : []),
  ];
  const line = (stage: string, cells: readonly string[]): string =>
    `  ${[stage.padEnd(10), ...cells.map((cell, at) => cell.padStart(columns[at]?.width ?? 0))].join('  ')}`;
  return [
    styled(
      'dim',
      line(
        'stage',
        columns.map(({ title }) => title),
      ),
      process.stdout,
    ),
    ...rows.map((row) =>
      `${line(
        row.stage,
        columns.map(({ of }) => of(row)),
      )}  ${'▇'.repeat(Math.round((row.ms / longest) * BAR))}`.trimEnd(),
    ),
    ...pathLine(report),
  ];
}

function pathLine(report: TimedStages): string[] {
  const path = criticalPath(report);
  if (path.length === 0) return [];
  const steps = path.map(
    ({ stage, longest, ms, share }) =>
      `${stage}${longest === undefined ? '' : ` of ${longest}`} ${spanText(ms)} (${Math.round(share * 100)} %)`,
  );
  return ['', `critical path: ${steps.join(' → ')}`];
}

/** Where the profiles are that were asked for. */
export const profileLines = ({ stages }: TimedStages): string[] =>
  stages.flatMap(({ stage, times }) => (times?.profile === undefined ? [] : [`profile of ${stage}: ${times.profile}`]));
