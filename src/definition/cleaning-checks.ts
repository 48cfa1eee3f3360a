import type { Level } from './cleaning.ts';
import type { ColumnType } from './columns.ts';
import { reservedIn } from './reserved.ts';
import { compileExpression } from './derived.ts';
import { didYouMean } from './did-you-mean.ts';
import { sentenceOf } from './errors.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { streamOf } from './streams.ts';

const numeric: readonly ColumnType[] = ['integer', 'decimal'];
/** Half of a sum of two has one digit more, and there is room for 38. */
const MEDIAN_DIGITS = 36;
/** Sums of numbers with more digits may not fit into the 38 that engines have. */
const SUMMED_DIGITS = 28;

/** What is wrong with the rules between rows: duplicates, computed columns, aggregates, gates. */
export function cleaningChecks(pipeline: Pipeline): Finding[] {
  return [...duplicates(pipeline), ...derived(pipeline), ...aggregates(pipeline), ...gates(pipeline)];
}

function duplicates({ columns, key, duplicates: { keep, acrossRuns } }: Pipeline): Finding[] {
  const names = Object.values(columns).map(({ name }) => name);
  const found: Finding[] = [];
  if (typeof keep === 'object' && !names.includes(keep.newest)) {
    found.push(unknown(['duplicates', 'keep', 'newest'], keep.newest, names));
  }
  if (key.length > 0) return found;
  if (typeof keep === 'object' || keep === 'reject') {
    found.push({ path: ['duplicates', 'keep'], message: 'needs a key: without one no two rows are the same' });
  }
  if (acrossRuns === true) {
    found.push({ path: ['duplicates', 'acrossRuns'], message: 'needs a key: without one no two rows are the same' });
  }
  return found;
}

function derived(pipeline: Pipeline): Finding[] {
  const { clean } = streamOf({ ...pipeline, derive: undefined, aggregate: [] }, 'main');
  const known = [...clean];
  return Object.entries(pipeline.derive ?? {}).flatMap(([name, { expression, type, precision, scale }]): Finding[] => {
    const found: Finding[] = [];
    if (scale > precision) {
      found.push({ path: ['derive', name, 'scale'], message: `${scale} is more than precision ${precision}` });
    }
    try {
      compileExpression(name, expression, known);
    } catch (error) {
      found.push({ path: ['derive', name, 'expression'], message: sentenceOf(error) });
    }
    known.push({ name, type, precision, scale });
    return found;
  });
}

function aggregates(pipeline: Pipeline): Finding[] {
  const columns = new Map(
    streamOf({ ...pipeline, aggregate: [] }, 'main').clean.map((column) => [column.name, column]),
  );
  const names = [...columns.keys()];
  // `sluice clean` writes clean.csv, and a file for each aggregate beside it.
  const seen = new Set(['main', 'clean']);
  return pipeline.aggregate.flatMap((aggregate, n): Finding[] => {
    const found: Finding[] = [];
    if (seen.has(aggregate.name))
      found.push({ path: ['aggregate', n, 'name'], message: `"${aggregate.name}" is taken` });
    seen.add(aggregate.name);
    aggregate.groupBy.forEach((name, at) => {
      if (!columns.has(name)) found.push(unknown(['aggregate', n, 'groupBy', at], name, names));
    });
    for (const [measure, rule] of Object.entries(aggregate.measures)) {
      const path = ['aggregate', n, 'measures', measure];
      if (aggregate.groupBy.includes(measure) || reservedIn(pipeline.index.mode).includes(measure)) {
        found.push({ path, atKey: true, message: `"${measure}" is taken; choose another name` });
      }
      if ('count' in rule) continue;
      const [[kind, of]] = Object.entries(rule) as [[string, string]];
      const column = columns.get(of);
      if (!column) found.push(unknown([...path, kind], of, names));
      else if (!numeric.includes(column.type) && ['sum', 'mean', 'median'].includes(kind)) {
        found.push({ path: [...path, kind], message: `needs a number, but "${of}" is a ${column.type}` });
      } else if (kind === 'median' && (column.precision ?? 0) > MEDIAN_DIGITS) {
        found.push({ path: [...path, kind], message: `needs a precision of ${MEDIAN_DIGITS} digits or fewer` });
      } else if ((kind === 'sum' || kind === 'mean') && (column.precision ?? 0) > SUMMED_DIGITS) {
        const message = `needs a precision of ${SUMMED_DIGITS} digits or fewer, so that sums fit`;
        found.push({ path: [...path, kind], message });
      }
    }
    return found;
  });
}

function gates({ quality, columns }: Pipeline): Finding[] {
  const names = Object.values(columns).map(({ name }) => name);
  const late = (path: readonly string[], { warn, block }: Level): Finding[] =>
    warn !== undefined && block !== undefined && warn > block ? [{ path, message: 'warns later than it blocks' }] : [];
  const { rejectedPercent, missingPercent, rowChangePercent, minRows } = quality;
  return [
    ...late(['quality', 'rejectedPercent'], rejectedPercent ?? {}),
    ...late(['quality', 'rowChangePercent'], rowChangePercent ?? {}),
    ...Object.entries(missingPercent ?? {}).flatMap(([name, level]) => [
      ...late(['quality', 'missingPercent', name], level),
      ...(names.includes(name) ? [] : [unknown(['quality', 'missingPercent', name], name, names)]),
    ]),
    ...(minRows?.warn !== undefined && minRows.block !== undefined && minRows.warn < minRows.block
      ? [{ path: ['quality', 'minRows'], message: 'warns later than it blocks' }]
      : []),
  ];
}

function unknown(path: readonly (string | number)[], name: string, names: readonly string[]): Finding {
  return { path, message: `"${name}" is no column.${didYouMean(name, names)}` };
}
