import type { Json } from '../../definition/canonical-json.ts';
import type { OutputColumn } from '../../definition/columns.ts';
import type { ColumnsDiff } from '../columns-diff.ts';
import type { BatchDiff, Change, DiffedRows, DiffedRun, DiffSection, RunDiff } from '../run-diff.ts';
import type { Difference } from '../schedules/differences.ts';
import { boldOut, count, seconds, styled } from './screen.ts';
import { differenceLine } from './schedule-lines.ts';

const titles: Readonly<Record<DiffSection, string>> = {
  outcome: 'outcome',
  definition: 'definition',
  source: 'source',
  rows: 'rows',
  schema: 'columns',
  quality: 'quality',
  batches: 'batches',
};

/** What is otherwise in a run than in another, for people: section by section, what is the same in a word. */
export function diffLines(diff: RunDiff): string[] {
  const { differs, notCompared } = diff;
  const sections = {
    definition: diff.definition.map(differenceLine),
    source: diff.source.map((difference) => differenceLine(shortened(difference))),
    rows: rowLines(diff),
    schema: diff.schema.flatMap(columnLines),
    quality: diff.quality.flatMap(qualityLines),
    batches: diff.batches.map((batch) => batchLine(batch, diff.old.hour === diff.new.hour)),
  };
  const section = (name: keyof typeof sections): string[] => {
    const why = notCompared.filter((missing) => missing.section === name);
    const state = differs.includes(name)
      ? styled('yellow', 'differs', process.stdout)
      : why.length > 0
        ? styled('yellow', why.some(({ whole }) => whole) ? 'not compared' : 'not compared in full', process.stdout)
        : 'the same';
    return [`${boldOut(titles[name])}  ${state}`, ...sections[name], ...why.map(({ sentence }) => `  ${sentence}`)];
  };
  return [
    `${boldOut(diff.pipeline)}  ${differs.length === 0 ? 'no difference found' : `differs in ${differs.map((name) => titles[name]).join(', ')}`}`,
    ...runLines('old', diff.old),
    ...runLines('new', diff.new),
    '',
    ...(Object.keys(sections) as (keyof typeof sections)[]).flatMap(section),
    headLine(boldOut('time'), 14 + boldOut('').length, 10),
    ...timeLines(diff),
  ];
}

/** Of a hash as many digits as tell it from others. */
function shortened({ path, old, new: now }: Difference): Difference {
  const short = (value: Json | undefined): Json | undefined =>
    path === 'sha256' && typeof value === 'string' ? value.slice(0, 16) : value;
  return { path, ...side('old', short(old)), ...side('new', short(now)) };
}

function runLines(side: string, { hour, outcome, startedAt, endedAt, runId, startFrom, error }: DiffedRun): string[] {
  const took = endedAt === undefined ? '' : ` in ${seconds(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const from = startFrom === undefined ? '' : `, from ${startFrom}`;
  return [
    `  ${side}  ${hour}  ${outcome}${took}${from}  (run ${runId}, ${startedAt.slice(0, 19)}Z)`,
    ...(error ? [styled('red', `       ${error.code} in ${error.stage}: ${error.message}`, process.stdout)] : []),
  ];
}

const counts = ['read', 'clean', 'duplicates', 'filtered', 'rejected', 'published', 'landed', 'indexed'] as const;

/** Every count of a data set that is not the same, below one another; of one that is, a line. */
function rowLines({ rows, rejectedBy }: RunDiff): string[] {
  const rules = rejectedBy.map(({ rule, ...change }) => [`rejected by ${rule}`, change] as const);
  const wide = Math.max(14, ...rules.map(([name]) => name.length + 2));
  const table = rows.flatMap(({ dataset, old, new: now }) => {
    const changes = counts.filter((name) => old?.[name] !== now?.[name]);
    const lines = changes.map((name) =>
      numberLine(name, { ...side('old', old?.[name]), ...side('new', now?.[name]) }, wide),
    );
    return [lines.length > 0 ? headLine(`  ${dataset}`, wide + 4, 11) : `  ${dataset}: ${soMany(now)}`, ...lines];
  });
  return [...table, ...rules.map(([name, change]) => numberLine(name, change, wide))];
}

const side = <T>(name: 'old' | 'new', value: T | undefined): Change<T> =>
  value === undefined ? {} : { [name]: value };
const soMany = (rows: DiffedRows | undefined): string =>
  rows ? `${count(rows.read)} read, ${count(rows.clean)} clean` : '';
const headLine = (title: string, wide: number, column: number): string =>
  `${title.padEnd(wide)}${'old'.padStart(column)}  ${'new'.padStart(column)}`;

function numberLine(name: string, { old, new: now }: Change<number>, wide: number): string {
  const numbers = [old, now].map((number) => (number === undefined ? '-' : count(number)).padStart(11)).join('  ');
  const more = old === undefined || now === undefined ? '' : `${now > old ? '+' : ''}${count(now - old)}`;
  return `    ${name.padEnd(wide)}${numbers}  ${more.padStart(9)}`.trimEnd();
}

function columnLines({ dataset, added, removed, changed, reordered }: ColumnsDiff): string[] {
  return [
    ...added.map((column) => `  + ${dataset}: ${columnText(column)}`),
    ...removed.map((column) => `  - ${dataset}: ${columnText(column)}`),
    ...changed.flatMap(({ column, differences }) =>
      differences.map((difference) => `  ~ ${dataset}: ${column}.${differenceLine(difference).trimStart()}`),
    ),
    ...(reordered ? [`  ~ ${dataset}: the order`] : []),
  ];
}

function columnText({ name, type, precision, scale }: OutputColumn): string {
  return `${name} ${type}${precision === undefined ? '' : `(${precision},${scale ?? 0})`}`;
}

function qualityLines({ gate, old, new: now }: RunDiff['quality'][number]): string[] {
  if (old?.level === now?.level && old?.sentence === now?.sentence) return [];
  return [
    `  ${gate}: ${old?.level ?? 'not set'} → ${now?.level ?? 'not set'}`,
    ...(old ? [`    old: ${old.sentence}`] : []),
    ...(now ? [`    new: ${now.sentence}`] : []),
  ];
}

function batchLine({ dataset, batch, generation, sameContent, sameKeys }: BatchDiff, sameHour: boolean): string {
  const same = batch.old !== undefined && batch.old === batch.new;
  const ids = same ? `batch ${batch.old}` : `batch ${batch.old ?? '-'} → ${batch.new ?? '-'}`;
  const generations =
    !sameHour || generation.old === generation.new
      ? ''
      : `, generation ${generation.old ?? '-'} → ${generation.new ?? '-'}`;
  const keys = sameKeys === undefined ? '' : sameKeys ? ', the same keys' : ', other keys';
  const content =
    same || sameContent === true ? ', the same rows' : sameContent === undefined ? '' : `, other rows${keys}`;
  return `  ${dataset}: ${ids}${generations}${content}`;
}

function timeLines({ stages, total }: RunDiff): string[] {
  const line = (name: string, { old, new: now, ratio }: Change<number> & { ratio?: number }): string => {
    const times = [old, now].map((ms) => (ms === undefined ? '-' : seconds(ms)).padStart(10)).join('  ');
    return `  ${name.padEnd(12)}${times}  ${ratio === undefined ? '' : `× ${ratio.toFixed(2)}`}`.trimEnd();
  };
  return [...stages.map(({ stage, ...times }) => line(stage, times)), line('total', total)];
}
