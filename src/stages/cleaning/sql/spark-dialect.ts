import type { Dialect } from './dialect.ts';

/** Spark reads escapes within literals, and takes two literals that stand side by side for one. */
const text = (value: string): string => `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
const whole = (regex: string): string => text(`\\A(?:${regex})\\z`);

/** The SQL of Spark 4; its regular expressions are Java's. Its session's time zone must be UTC. */
export const sparkDialect: Dialect = {
  text,
  matches: (value, { java }) => `(${value}) RLIKE ${whole(java)}`,
  is: (value, grammar) => `(${value}) RLIKE ${whole(grammar)}`,
  group: (value, grammar, group) => `regexp_extract(${value}, ${whole(grammar)}, ${group})`,
  replaceMatches: (value, { java }, by) =>
    `regexp_replace(${value}, ${text(java)}, ${text(by.replaceAll(/[\\$]/g, '\\$&'))})`,
  trim: (value, characters) => `trim(BOTH ${text(characters)} FROM ${value})`,
  trimLeft: (value, characters) => `trim(LEADING ${text(characters)} FROM ${value})`,
  trimRight: (value, characters) => `trim(TRAILING ${text(characters)} FROM ${value})`,
  // Spark has no function for it, but ICU, which its collations use, does. It fails on NULL alone, and so gives NULL.
  normalise: (value) => `try_reflect('com.ibm.icu.text.Normalizer', 'compose', ${value}, false)`,
  startsWith: (value, start) => `startswith(${value}, ${text(start)})`,
  instant: (value, minutes) => `timestampadd(MINUTE, -(${minutes}), TRY_CAST(${value} AS TIMESTAMP_NTZ))`,
  isoSeconds: (timestamp) => `date_format(${timestamp}, "yyyy-MM-dd'T'HH:mm:ss")`,
  isoOfMilliseconds: (milliseconds) => `date_format(timestamp_millis(${milliseconds}), "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")`,
  whole: 'DECIMAL(38,0)',
  name: (name) => `\`${name.replaceAll('`', '``')}\``,
  lastKnown: (value) => `last_value(${value}, true)`,
  textType: 'STRING',
  pick: (texts, at) => `element_at(array(${texts.map(text).join(', ')}), CAST(${at} AS INT) + 1)`,
};
