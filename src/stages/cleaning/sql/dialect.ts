import type { Pattern } from '../../../definition/pattern.ts';

/**
 * What the SQL of DuckDB and of Spark say in different words. Arguments that are SQL expressions stand for texts and may
 * be NULL, which gives NULL; each is used once, so that nesting does not multiply.
 */
export interface Dialect {
  /** A text as a literal. */
  text(value: string): string;
  /** Whether the whole text matches a pattern of a definition. */
  matches(text: string, pattern: Pattern): string;
  /** Whether the whole text matches a regular expression of ours, in the common subset of RE2 and Java. */
  is(text: string, grammar: string): string;
  /** A group of that match, `''` where it took no part. */
  group(text: string, grammar: string, group: number): string;
  /** All matches replaced by a text taken as it stands. */
  replaceMatches(text: string, pattern: Pattern, by: string): string;
  /** Without any of these characters at both ends; at the left; at the right. White space for the first, which must have no syntax. */
  trim(text: string, characters: string): string;
  trimLeft(text: string, characters: string): string;
  trimRight(text: string, characters: string): string;
  normalise(text: string): string;
  startsWith(text: string, start: string): string;
  /** `YYYY-MM-DD HH:MM:SS` less so many minutes, as a timestamp; NULL where the text is none. */
  instant(text: string, minutes: string): string;
  /** A timestamp as `YYYY-MM-DDTHH:MM:SS`, for years of four digits. */
  isoSeconds(timestamp: string): string;
  /** Milliseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  isoOfMilliseconds(milliseconds: string): string;
  /** A type for whole numbers of 38 digits. */
  readonly whole: string;
  /** A name in quotes. */
  name(name: string): string;
  /** The last value that is not NULL of a window, as the function with its argument. */
  lastKnown(value: string): string;
  /** A whole number as text, for what is counted in text. */
  readonly textType: string;
  /** The text at a position (0 is the first), an SQL expression. */
  pick(texts: readonly string[], at: string): string;
}
