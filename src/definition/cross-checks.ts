import type { ColumnType } from './columns.ts';
import { columnsOf } from './condition.ts';
import { didYouMean } from './did-you-mean.ts';
import { durationMs } from './duration.ts';
import { sentenceOf } from './errors.ts';
import { compilePattern } from './pattern.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { sourceChecks } from './source-checks.ts';
import { streamOf } from './streams.ts';

/** Fields that every document has beside its columns; no column may have these names. */
export const reservedFields = ['batch', 'hour', 'generation', 'location', 'sluice'] as const;

const numeric: readonly ColumnType[] = ['integer', 'decimal'];

/** What the schema cannot see: names that refer to nothing, types that do not fit, patterns that engines read differently. */
export function crossCheck(pipeline: Pipeline): Finding[] {
  return [
    ...sourceChecks(pipeline),
    ...columnNames(pipeline),
    ...columnRules(pipeline),
    ...keyColumns(pipeline),
    ...aggregates(pipeline),
    ...generated(pipeline),
    ...references(pipeline),
    ...qualityLevels(pipeline),
    ...(durationMs(pipeline.schedule.every) < 60_000
      ? [{ path: ['schedule', 'every'], message: 'is shorter than a minute' }]
      : []),
  ];
}

function columnNames({ columns, generate }: Pipeline): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  const names = [
    ...Object.entries(columns).map(([source, { name }]) => ({ name, path: ['columns', source, 'name'], atKey: false })),
    ...Object.keys(generate.fields).map((name) => ({ name, path: ['generate', 'fields', name], atKey: true })),
  ];
  for (const { name, path, atKey } of names) {
    const before = seen.get(name);
    if (before !== undefined) findings.push({ path, atKey, message: `"${name}" is also the name of ${before}` });
    if ((reservedFields as readonly string[]).includes(name)) {
      findings.push({ path, atKey, message: `"${name}" is a name that Sluice uses itself; choose another` });
    }
    seen.set(name, path.slice(0, atKey ? 3 : 2).join('.'));
  }
  return findings;
}

function columnRules({ columns, source: { format } }: Pipeline): Finding[] {
  return Object.entries(columns).flatMap(([source, column]): Finding[] => {
    const at = (field: string, message: string): Finding => ({ path: ['columns', source, field], message });
    const found: Finding[] = [];
    if (column.pattern !== undefined) {
      try {
        compilePattern(column.pattern);
      } catch (error) {
        found.push(at('pattern', sentenceOf(error)));
      }
    }
    if (column.scale > column.precision)
      found.push(at('scale', `${column.scale} is more than precision ${column.precision}`));
    if (column.range && !numeric.includes(column.type))
      found.push(at('range', `needs a number, but the column is a ${column.type}`));
    const { min, max } = column.range ?? {};
    if (min !== undefined && max !== undefined && min > max) found.push(at('range', `min ${min} is above max ${max}`));
    const marks = (['decimal', 'thousands'] as const).filter((mark) => column[mark] !== undefined);
    for (const mark of numeric.includes(column.type) ? [] : marks) {
      found.push(at(mark, `needs a number, but the column is a ${column.type}`));
    }
    const decimal = column.decimal ?? format.decimal;
    if (marks.length > 0 && decimal === (column.thousands ?? format.thousands)) {
      found.push(at(marks[0] ?? 'decimal', 'decimal mark and thousands separator are the same'));
    }
    if (column.pad !== undefined && column.type !== 'string') {
      found.push(at('pad', `needs a string: a ${column.type} has no leading zeros to keep`));
    }
    if (column.required && column.onMissing !== 'null' && column.onMissing !== 'reject') {
      found.push(at('onMissing', 'contradicts `required: true`, which rejects the row'));
    }
    return found;
  });
}

function keyColumns({ columns, key }: Pipeline): Finding[] {
  const byName = new Map(Object.values(columns).map((column) => [column.name, column]));
  return key.flatMap((name, at): Finding[] => {
    const column = byName.get(name);
    if (!column) return [unknown(['key', at], name, [...byName.keys()])];
    if (column.required || column.onMissing !== 'null') return [];
    return [
      {
        path: ['key', at],
        message: `"${name}" may be missing: give the column \`required: true\`, or drop or default its missing values`,
      },
    ];
  });
}

function aggregates(pipeline: Pipeline): Finding[] {
  const types = new Map<string, ColumnType>(Object.values(pipeline.columns).map(({ name, type }) => [name, type]));
  const seen = new Set(['main']);
  return pipeline.aggregate.flatMap((aggregate, n): Finding[] => {
    const found: Finding[] = [];
    if (seen.has(aggregate.name))
      found.push({ path: ['aggregate', n, 'name'], message: `"${aggregate.name}" is taken` });
    seen.add(aggregate.name);
    aggregate.groupBy.forEach((name, at) => {
      if (!types.has(name)) found.push(unknown(['aggregate', n, 'groupBy', at], name, [...types.keys()]));
    });
    for (const [measure, rule] of Object.entries(aggregate.measures)) {
      const path = ['aggregate', n, 'measures', measure];
      if (aggregate.groupBy.includes(measure) || (reservedFields as readonly string[]).includes(measure)) {
        found.push({ path, atKey: true, message: `"${measure}" is taken; choose another name` });
      }
      if ('count' in rule) continue;
      const [[kind, of]] = Object.entries(rule) as [[string, string]];
      const type = types.get(of);
      if (type === undefined) found.push(unknown([...path, kind], of, [...types.keys()]));
      else if (!numeric.includes(type) && (kind === 'sum' || kind === 'mean')) {
        found.push({ path: [...path, kind], message: `needs a number, but "${of}" is a ${type}` });
      }
    }
    return found;
  });
}

function generated({ columns, generate }: Pipeline): Finding[] {
  const types = new Map<string, ColumnType>(Object.values(columns).map(({ name, type }) => [name, type]));
  return Object.entries(generate.fields).flatMap(([name, field]): Finding[] => {
    const path = ['generate', 'fields', name];
    const of = field.kind === 'simulated' ? field.around : field.kind === 'logicalHour' ? undefined : field.of;
    const found: Finding[] = [];
    if (of !== undefined) {
      const type = types.get(of);
      const at = [...path, field.kind === 'simulated' ? 'around' : 'of'];
      if (type === undefined) found.push(unknown(at, of, [...types.keys()]));
      else if (field.kind !== 'zipLocation' && !numeric.includes(type)) {
        found.push({ path: at, message: `needs a number, but "${of}" is a ${type}` });
      }
    }
    if (field.kind === 'simulated' && field.min > field.max)
      found.push({ path, message: `min ${field.min} is above max ${field.max}` });
    if (field.kind === 'band') {
      const bounds = field.bands.map(({ below }) => below ?? Infinity);
      if (bounds.some((bound, at) => at > 0 && bound <= (bounds[at - 1] ?? -Infinity))) {
        found.push({ path: [...path, 'bands'], message: 'must ascend by `below`, with the one without it last' });
      }
    }
    return found;
  });
}

function references(pipeline: Pipeline): Finding[] {
  const output = new Map(streamOf({ ...pipeline, aggregate: [] }, 'main').output.map(({ name, type }) => [name, type]));
  const clean = Object.values(pipeline.columns).map(({ name }) => name);
  const time: readonly ColumnType[] = ['date', 'timestamp'];
  const wanted: { path: readonly string[]; name: string | undefined; types?: readonly ColumnType[] }[] = [
    { path: ['land', 'date'], name: pipeline.land.date, types: time },
    { path: ['land', 'type'], name: pipeline.land.type },
    { path: ['dashboards', 'time'], name: pipeline.dashboards.time, types: time },
    { path: ['dashboards', 'location', 'latitude'], name: pipeline.dashboards.location?.latitude, types: numeric },
    { path: ['dashboards', 'location', 'longitude'], name: pipeline.dashboards.location?.longitude, types: numeric },
  ];
  const found = wanted.flatMap(({ path, name, types }): Finding[] => {
    if (name === undefined) return [];
    const type = output.get(name);
    if (type === undefined) return [unknown(path, name, [...output.keys()])];
    if (types && !types.includes(type))
      return [{ path, message: `needs a ${types.join(' or ')}, but "${name}" is a ${type}` }];
    return [];
  });
  const filtered = pipeline.filter ? columnsOf(pipeline.filter) : [];
  return [
    ...found,
    ...filtered.filter((name) => !clean.includes(name)).map((name) => unknown(['filter'], name, clean)),
  ];
}

function qualityLevels({ quality }: Pipeline): Finding[] {
  const found: Finding[] = [];
  const { rejectedPercent, minRows } = quality;
  if (
    rejectedPercent?.warn !== undefined &&
    rejectedPercent.block !== undefined &&
    rejectedPercent.warn > rejectedPercent.block
  ) {
    found.push({ path: ['quality', 'rejectedPercent'], message: 'warns later than it blocks' });
  }
  if (minRows?.warn !== undefined && minRows.block !== undefined && minRows.warn < minRows.block) {
    found.push({ path: ['quality', 'minRows'], message: 'warns later than it blocks' });
  }
  return found;
}

function unknown(path: readonly (string | number)[], name: string, names: readonly string[]): Finding {
  return { path, message: `"${name}" is no column.${didYouMean(name, names)}` };
}
