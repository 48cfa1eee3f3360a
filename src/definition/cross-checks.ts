import { alertChecks } from './alert-checks.ts';
import { cleaningChecks } from './cleaning-checks.ts';
import { columnChecks } from './column-checks.ts';
import type { ColumnType } from './columns.ts';
import { didYouMean } from './did-you-mean.ts';
import { durationMs } from './duration.ts';
import { filterChecks } from './filter-checks.ts';
import { limitChecks } from './limit-checks.ts';
import { monitorChecks } from './monitor-checks.ts';
import { deadLetterTopic } from './names.ts';
import { ownPanelChecks } from './own-panel-checks.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { reservedIn } from './reserved.ts';
import { scheduleChecks } from './schedule-checks.ts';
import { sourceChecks } from './source-checks.ts';
import { textsIn } from './source.ts';
import { isStorable } from './storable-text.ts';
import { streamOf, variantName } from './streams.ts';

const numeric: readonly ColumnType[] = ['integer', 'decimal'];

/** What the schema cannot see: names that refer to nothing, types that do not fit, patterns that engines read differently. */
export function crossCheck(pipeline: Pipeline): Finding[] {
  return [
    ...unwritable(pipeline),
    ...sourceChecks(pipeline),
    ...columnNames(pipeline),
    ...columnChecks(pipeline),
    ...keyColumns(pipeline),
    ...filterChecks(pipeline),
    ...cleaningChecks(pipeline),
    ...generated(pipeline),
    ...references(pipeline),
    ...ownPanelChecks(pipeline),
    ...topicSettings(pipeline),
    ...retention(pipeline),
    ...limitChecks(pipeline),
    ...monitorChecks(pipeline),
    ...scheduleChecks(pipeline),
    ...alertChecks(pipeline),
  ];
}

/** Texts that are none for every engine and every server. */
function unwritable(pipeline: Pipeline): Finding[] {
  return textsIn([], pipeline).flatMap(({ path, text }) =>
    isStorable(text) ? [] : [{ path, message: 'holds a NUL or half of a character, which not every engine reads' }],
  );
}

function retention({ keep: { hours }, duplicates, maintenance }: Pipeline): Finding[] {
  const findings: Finding[] = [];
  const day = 86_400_000;
  if (hours !== undefined && durationMs(hours) < day) {
    findings.push({ path: ['keep', 'hours'], message: 'is shorter than a day' });
  }
  if (hours !== undefined && duplicates.acrossRuns === true) {
    const message = 'removes nothing under duplicates.acrossRuns: every hour is compared with all earlier ones';
    findings.push({ path: ['keep', 'hours'], message });
  }
  if (durationMs(maintenance.offset) >= day) {
    findings.push({ path: ['maintenance', 'offset'], message: 'is a day or more; it counts from midnight' });
  }
  return findings;
}

function columnNames({ columns, generate, derive, contract, index }: Pipeline): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  const names = [
    ...Object.entries(columns).map(([source, { name }]) => ({ name, path: ['columns', source, 'name'], atKey: false })),
    ...(contract.types === 'evolve' ? Object.entries(columns) : []).flatMap(([source, { name, type }]) =>
      type === 'string' ? [] : [{ name: variantName(name), path: ['columns', source, 'name'], atKey: false }],
    ),
    ...Object.keys(derive ?? {}).map((name) => ({ name, path: ['derive', name], atKey: true })),
    ...Object.keys(generate.fields).map((name) => ({ name, path: ['generate', 'fields', name], atKey: true })),
  ];
  for (const { name, path, atKey } of names) {
    const before = seen.get(name);
    if (before !== undefined) findings.push({ path, atKey, message: `"${name}" is also the name of ${before}` });
    if (reservedIn(index.mode).includes(name)) {
      findings.push({ path, atKey, message: `"${name}" is a name that Sluice uses itself; choose another` });
    }
    seen.set(name, path.slice(0, atKey ? 3 : 2).join('.'));
  }
  return findings;
}

function keyColumns({ columns, key, index }: Pipeline): Finding[] {
  const byName = new Map(Object.values(columns).map((column) => [column.name, column]));
  if (index.mode === 'latest' && key.length === 0) {
    return [
      { path: ['index', 'mode'], message: '"latest" keeps a document per key: say in `key` which columns these are' },
    ];
  }
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

function generated(pipeline: Pipeline): Finding[] {
  const { generate } = pipeline;
  const types = new Map(streamOf({ ...pipeline, aggregate: [] }, 'main').clean.map(({ name, type }) => [name, type]));
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
  const time: readonly ColumnType[] = ['date', 'timestamp'];
  const wanted: { path: readonly (string | number)[]; name: string | undefined; types?: readonly ColumnType[] }[] = [
    { path: ['land', 'date'], name: pipeline.land.date, types: time },
    { path: ['land', 'type'], name: pipeline.land.type },
    { path: ['dashboards', 'time'], name: pipeline.dashboards.time, types: time },
    { path: ['dashboards', 'location', 'latitude'], name: pipeline.dashboards.location?.latitude, types: numeric },
    { path: ['dashboards', 'location', 'longitude'], name: pipeline.dashboards.location?.longitude, types: numeric },
    ...(pipeline.dashboards.measures ?? []).map((name, at) => ({
      path: ['dashboards', 'measures', at],
      name,
      types: numeric,
    })),
    ...(pipeline.dashboards.categories ?? []).map((name, at) => ({ path: ['dashboards', 'categories', at], name })),
    { path: ['dashboards', 'state'], name: pipeline.dashboards.state, types: ['string'] },
    { path: ['dashboards', 'county'], name: pipeline.dashboards.county, types: ['string'] },
    { path: ['dashboards', 'error', 'of'], name: pipeline.dashboards.error?.of, types: numeric },
    { path: ['dashboards', 'error', 'range'], name: pipeline.dashboards.error?.range, types: numeric },
  ];
  return wanted.flatMap(({ path, name, types }): Finding[] => {
    if (name === undefined) return [];
    const type = output.get(name);
    if (type === undefined) return [unknown(path, name, [...output.keys()])];
    if (types && !types.includes(type))
      return [{ path, message: `needs a ${types.join(' or ')}, but "${name}" is a ${type}` }];
    return [];
  });
}

/** Publisher and consumer judge by it whether a batch is alive: a send, a retry or a pause for its rate must fit in well. */
const LEAST_ABANDON_MS = 10_000;

function topicSettings({ publish, land, aggregate }: Pipeline): Finding[] {
  const { retention, minInsyncReplicas = 1, replication } = publish;
  const findings: Finding[] = [];
  if (durationMs(land.abandonAfter) < LEAST_ABANDON_MS) {
    const message = `"${land.abandonAfter}" is shorter than 10s: batches would count as abandoned while they are published`;
    findings.push({ path: ['land', 'abandonAfter'], message });
  }
  const taken = 'is how the topics of dead letters are called; choose another';
  if (publish.topic?.endsWith(deadLetterTopic(''))) {
    findings.push({ path: ['publish', 'topic'], message: `"${deadLetterTopic('')}" at the end ${taken}` });
  }
  for (const [at, { name }] of aggregate.entries()) {
    if (`.${name}` === deadLetterTopic('')) {
      findings.push({ path: ['aggregate', at, 'name'], message: `"${name}" ${taken}` });
    }
  }
  if (durationMs(retention) < durationMs(land.abandonAfter)) {
    const message = `"${retention}" is shorter than land.abandonAfter (${land.abandonAfter}): rows of a batch that still counts as alive would be deleted`;
    findings.push({ path: ['publish', 'retention'], message });
  }
  if (minInsyncReplicas > replication) {
    const message = `${minInsyncReplicas} is more than publish.replication (${replication}): no row could ever be sent`;
    findings.push({ path: ['publish', 'minInsyncReplicas'], message });
  }
  return findings;
}

function unknown(path: readonly (string | number)[], name: string, names: readonly string[]): Finding {
  return { path, message: `"${name}" is no column.${didYouMean(name, names)}` };
}
