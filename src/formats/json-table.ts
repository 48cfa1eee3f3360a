import { SluiceError, sentenceOf } from '../definition/errors.ts';

/** A row of a JSON answer: texts by name, as they stand in the source. */
export type JsonRow = ReadonlyMap<string, string>;

/**
 * Parses JSON with its numbers as the text that stands there, so that neither 2^53 + 1 nor 1.10 becomes another.
 * @throws SluiceError `SourceNotCsv`
 */
export function parseJson(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''), asWritten);
  } catch (error) {
    const start = bytes.toString('utf8', 0, 60).replaceAll(/\s+/g, ' ');
    throw new SluiceError('SourceNotCsv', `${where} is not JSON (it begins with ${start}): ${sentenceOf(error)}.`, {
      cause: error,
    });
  }
}

/** A number as it is written. Not a String object: nothing but this module makes one. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function asWritten(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value;
}

/** What stands at a path like `data.items`; all of it for the empty path. */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path === '' ? [] : path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** A scalar as text; undefined for nothing, objects and lists. */
export function textOf(value: unknown): string | undefined {
  if (value instanceof NumberText) return value.text;
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
}

/**
 * The rows of an answer. Objects within a row become `outer.inner`, lists their JSON text, null nothing. What is no object
 * is given as it stands, for a fault.
 * @throws SluiceError `SourceNotCsv` where there is no list
 */
export function rowsOf(answer: unknown, path: string, where: string): (JsonRow | { readonly raw: string })[] {
  const found = valueAt(answer, path);
  if (!Array.isArray(found)) {
    const kind = found === undefined ? 'nothing' : found === null ? 'null' : `a ${typeof found}`;
    throw new SluiceError(
      'SourceNotCsv',
      `${where} has ${kind} where its rows should be (source.answer.rows is "${path}"); a list of objects is needed.`,
    );
  }
  return found.map((row: unknown) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row) || row instanceof NumberText) {
      return { raw: JSON.stringify(plain(row)) };
    }
    const texts = new Map<string, string>();
    flatten('', row as Record<string, unknown>, texts);
    return texts;
  });
}

function flatten(prefix: string, row: Readonly<Record<string, unknown>>, into: Map<string, string>): void {
  for (const [name, value] of Object.entries(row)) {
    const text = textOf(value);
    if (text !== undefined) into.set(prefix + name, text);
    else if (value === null || value === undefined) into.set(prefix + name, '');
    else if (Array.isArray(value)) into.set(prefix + name, JSON.stringify(plain(value)));
    else flatten(`${prefix}${name}.`, value as Record<string, unknown>, into);
  }
}

/** Text that `JSON.stringify` writes as it is. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

function plain(value: unknown): unknown {
  if (value instanceof NumberText) return rawJson(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
