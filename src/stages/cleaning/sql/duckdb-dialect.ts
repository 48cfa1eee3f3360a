import type { Dialect } from './dialect.ts';

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** The SQL of DuckDB; its regular expressions are RE2's. */
export const duckdbDialect: Dialect = {
  text,
  matches: (value, { re2 }) => `regexp_full_match(${value}, ${text(re2)})`,
  is: (value, grammar) => `regexp_full_match(${value}, ${text(grammar)})`,
  group: (value, grammar, group) => `regexp_extract(${value}, ${text(`^(?:${grammar})$`)}, ${group})`,
  replaceMatches: (value, { re2 }, by) =>
    `regexp_replace(${value}, ${text(re2)}, ${text(by.replaceAll('\\', '\\\\'))}, 'g')`,
  trim: (value, characters) => {
    // Trimming by a list is slow, and most texts have no white space at their ends, or blanks alone.
    const edge = `[^${characters}]`;
    const done = (of: string): string => `regexp_full_match(${of}, ${text(`(?:${edge}(?:[\\s\\S]*${edge})?)?`)})`;
    const blanks = `trim(${value})`;
    return `CASE WHEN ${done(value)} THEN ${value} WHEN ${done(blanks)} THEN ${blanks} ELSE trim(${value}, ${text(characters)}) END`;
  },
  trimLeft: (value, characters) => `ltrim(${value}, ${text(characters)})`,
  trimRight: (value, characters) => `rtrim(${value}, ${text(characters)})`,
  normalise: (value) => `nfc_normalize(${value})`,
  startsWith: (value, start) => `starts_with(${value}, ${text(start)})`,
  instant: (value, minutes) => `(TRY_CAST(${value} AS TIMESTAMP) - to_minutes(${minutes}))`,
  isoSeconds: (timestamp) => `strftime(${timestamp}, '%Y-%m-%dT%H:%M:%S')`,
  isoOfMilliseconds: (milliseconds) => `strftime(make_timestamp(1000 * (${milliseconds})), '%Y-%m-%dT%H:%M:%S.%gZ')`,
  whole: 'HUGEINT',
  name: (name) => `"${name.replaceAll('"', '""')}"`,
  lastKnown: (value) => `last_value(${value} IGNORE NULLS)`,
  textType: 'VARCHAR',
  pick: (texts, at) => `[${texts.map(text).join(', ')}][${at} + 1]`,
};
