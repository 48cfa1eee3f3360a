import { isIP } from 'node:net';
import { stringify } from 'yaml';
import { reservedFields } from '../definition/reserved.ts';
import { columnSchema } from '../definition/columns.ts';
import { formatSchema } from '../definition/format.ts';
import { plainName } from '../definition/plain-name.ts';
import { isInternal } from '../stages/importing/address-guard.ts';
import type { ProposedColumn } from './column-profile.ts';
import { commonFormat, type Inspection } from './inspect.ts';

/** A scalar or a list on one line, as YAML. */
const flow = (value: unknown): string =>
  stringify(value, {
    collectionStyle: 'flow',
    lineWidth: 0,
    defaultStringType: 'PLAIN',
    defaultKeyType: 'PLAIN',
  }).trim();

/** A name for a pipeline made of a file's name: lower case letters, digits and `-`. */
export function pipelineName(file: string): string {
  const bare = file.replace(/\.(gz|zst|bz2|zip)$/i, '').replace(/\.[a-z0-9]{1,5}$/i, '');
  const name = bare
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return name === '' ? 'pipeline' : name;
}

/** Clean column names made of a header: `ERROR RANGE (95%)(+/-)` → `error_range_95`. */
export function columnNames(header: readonly string[]): string[] {
  const taken = new Set<string>(reservedFields);
  return header.map((source, at) => {
    const bare = plainName(source, 56);
    const base = bare === '' ? `column_${at + 1}` : /^\d/.test(bare) ? `c_${bare}` : bare;
    let name = taken.has(base) && (reservedFields as readonly string[]).includes(base) ? `${base}_value` : base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return name;
  });
}

/** What a file turned out to be, as a definition that can be run as it is, with its reasons beside it. */
export function definitionText(inspection: Inspection, name: string, url: string, seen: string): string {
  const { format, columns, keys, rows, profiled, notes } = inspection;
  const { dialect } = format;
  const names = new Map(columns.map(({ source }, at) => [source, columnNames(inspection.header)[at] ?? source]));
  const common = commonFormat(columns);
  const [key] = keys;
  const settings = {
    ...dialect,
    ...common,
    encoding: format.encoding,
    skipRows: format.skipRows,
    headerRows: format.headerRows,
  };
  const formatLines = Object.entries({
    encoding: settings.encoding,
    delimiter: settings.delimiter,
    quote: settings.quote,
    ...(settings.escape === settings.quote ? {} : { escape: settings.escape }),
    comment: settings.comment,
    ...(settings.skipRows > 0 ? { skipRows: settings.skipRows } : {}),
    ...(settings.headerRows === formatSchema.parse({}).headerRows
      ? {}
      : { headerRows: settings.headerRows, header: format.header }),
    ...(common.decimal === '.' ? {} : { decimal: common.decimal }),
    ...(common.thousands === '' ? {} : { thousands: common.thousands }),
  });
  const lines = [
    `# Made by "sluice init" from ${seen}: ${rows.read} rows, ${rows.parsed} of them parsed, ${rows.rejected} rejected.`,
    `# Types, missing words and key are proposals from ${profiled === rows.parsed ? 'all rows' : `the first ${profiled} rows`}: look through them, then "sluice validate" and "sluice run".`,
    ...notes.map((note) => `# ${note}`),
    `name: ${name}`,
    '',
    'schedule:',
    '  every: 1h',
    '',
    'source:',
    `  url: ${flow(url)}`,
    ...(url.startsWith('file:')
      ? ['  # A worker reads files below the folders that its SLUICE_FILE_ROOTS lists, and no others.']
      : []),
    ...(isPrivate(url)
      ? [`  # A worker goes to this host only where its SLUICE_SOURCE_ALLOW lists ${new URL(url).host}.`]
      : []),
    ...(url.startsWith('s3:')
      ? ['  # A worker reads objects below what its SLUICE_S3_ROOTS lists, and no others.']
      : []),
    '  # What an hour does whose file is that of the hour before: finish, or snapshot (an hour of its own).',
    '  onUnchanged: finish',
    '  # Found by looking. What is taken out here is found anew for each file.',
    '  format:',
    ...formatLines.map(([field, value]) => `    ${field}: ${flow(value)}`),
    '',
    '# Source column: how it becomes a clean one. A value that breaks its rule rejects the row, with its place and reason.',
    'columns:',
    ...columns.flatMap((column) =>
      columnLines(column, names.get(column.source) ?? '', key?.includes(column.source) ?? false, common),
    ),
    '',
    ...keyLines(keys, names),
    '',
    '# A new column in the file: evolve reports it, freeze fails the run.',
    'contract: { columns: evolve }',
    '',
    '# Between cleaning and publishing: warn, or block the run.',
    'quality:',
    `  rejectedPercent: ${flow(rejectedGate(rows))}`,
    `  minRows: { warn: ${Math.floor(rows.parsed / 2)} }`,
    '',
    '# Fields that are made while publishing. The hour makes a time axis.',
    'generate:',
    '  fields:',
    `    ${[...names.values()].includes('observed_at') ? 'sluice_hour' : 'observed_at'}: { kind: logicalHour }`,
    '',
  ];
  return lines.join('\n');
}

/** What the file itself has is let through, with a warning where it is more than a little. */
function rejectedGate({ read, rejected }: Inspection['rows']): { warn: number; block: number } {
  const seen = Math.ceil((rejected / Math.max(1, read)) * 100);
  return { warn: 1, block: Math.min(100, Math.max(10, seen * 2)) };
}

/** Whether an address is written as one that a worker refuses by itself. */
function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const bare = hostname.replaceAll(/[[\]]/g, '');
  return protocol.startsWith('http') && (bare === 'localhost' || (isIP(bare) !== 0 && isInternal(bare)));
}

function columnLines(
  column: ProposedColumn,
  name: string,
  inKey: boolean,
  common: ReturnType<typeof commonFormat>,
): string[] {
  const { source, type, precision, scale, missing, missingCount, number, examples, remark, distinct } = column;
  const defaults = columnSchema.parse({ name: 'a' });
  const style = { decimal: number?.decimal ?? '.', thousands: number?.thousands ?? '' };
  const numeric = type === 'integer' || type === 'decimal';
  const rule = {
    name,
    type,
    ...(precision === undefined || precision === defaults.precision ? {} : { precision }),
    ...(scale === undefined || scale === defaults.scale ? {} : { scale }),
    ...(inKey ? { required: true } : {}),
    ...(missing.length > 1 ? { missing } : {}),
    ...(numeric && style.decimal !== common.decimal ? { decimal: style.decimal } : {}),
    ...(numeric && style.thousands !== common.thousands ? { thousands: style.thousands } : {}),
  };
  const facts = [
    ...(distinct === undefined ? [] : [`${distinct} different`]),
    ...(missingCount > 0 ? [`${missingCount} missing`] : []),
    ...(remark === undefined ? [] : [remark]),
    ...(examples.length > 0 ? [`like ${examples.map((text) => JSON.stringify(text.slice(0, 30))).join(', ')}`] : []),
  ];
  return [`  # ${facts.join('; ')}`, `  ${flow(source)}: ${flow(rule)}`];
}

function keyLines(keys: readonly (readonly string[])[], names: ReadonlyMap<string, string>): string[] {
  const shown = keys.map((key) => flow(key.map((source) => names.get(source) ?? source)));
  const [first, ...others] = shown;
  if (first === undefined) {
    return ['# No column, nor any pair, tells every row apart: file and row number identify a record.', 'key: []'];
  }
  const also = others.length > 0 ? [`# It could also be ${others.join(' or ')}.`] : [];
  return [
    '# What identifies a record: there in every row that was looked at, and different in each.',
    ...also,
    `key: ${first}`,
  ];
}
