import type { z } from 'zod';
import { findingsOf, pathText, type Finding } from './finding.ts';
import { CORE_VERSION, typeVersions, type ObjectType } from './saved-object.ts';
import { objectSchemas, type DecodedObject } from './schemas.ts';

/** What a line of a file is: an object with its strings decoded, or what is wrong with it. */
export type Decoding =
  | { readonly object: DecodedObject; readonly findings: readonly [] }
  | { readonly findings: readonly Finding[]; readonly type?: ObjectType; readonly id?: string };

/** Reads one value as a saved object. @param line of the file, from 1 */
export function decode(value: unknown, line: number): Decoding {
  const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const { id, type } = object;
  const found = findingsOf({ type: 'line', id: String(line) });
  if (typeof id !== 'string' || id === '') {
    found.add('', 'has no id, so each import would make another object of it: give it one that stays');
    return { findings: found.all };
  }
  if (typeof type !== 'string' || !Object.hasOwn(objectSchemas, type)) {
    const known = Object.keys(objectSchemas).join(', ');
    found.add('type', `"${String(type)}" is no type of saved object that is made here: write one of ${known}`);
    return { findings: found.all };
  }
  const kind = type as ObjectType;
  const read = objectSchemas[kind].safeParse(value);
  if (read.success) return { object: read.data, findings: [] };
  const { all, add } = findingsOf({ type, id });
  for (const issue of read.error.issues) {
    for (const [path, what] of saidOf(issue, kind)) add(pathText(path), what);
  }
  return { findings: all, type: kind, id };
}

/** Reads an NDJSON file. The line with which Kibana’s own exports end is no object, and left out. */
export function decodeNdjson(text: string): Decoding[] {
  return text.split('\n').flatMap((line, at): Decoding[] => {
    if (line.trim() === '') return [];
    try {
      const value = JSON.parse(line) as unknown;
      return typeof value === 'object' && value !== null && 'exportedCount' in value ? [] : [decode(value, at + 1)];
    } catch (error) {
      const { all, add } = findingsOf({ type: 'line', id: String(at + 1) });
      add('', `is no JSON (${(error as Error).message}): write one object a line`);
      return [{ findings: all }];
    }
  });
}

type Issue = z.core.$ZodIssue;

function saidOf(issue: Issue, type: ObjectType): (readonly [readonly PropertyKey[], string])[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => [[...path, key], `is nothing that Kibana knows in a ${type} there: remove it`]);
    case 'invalid_type':
      return [
        [
          path,
          issue.input === undefined && !('input' in issue)
            ? missing(issue)
            : `has to be ${withArticle(issue.expected)}`,
        ],
      ];
    case 'invalid_value':
      return [[path, valueSentence(path, issue.values, type)]];
    case 'too_small':
      return [[path, 'is empty: fill it in']];
    case 'too_big':
      return [[path, 'has to be empty: remove what it holds']];
    case 'custom':
      return [
        [path, issue.params?.['json'] === true ? `${issue.message}: encode what it holds as JSON` : issue.message],
      ];
    default:
      return [[path, issue.message]];
  }
}

/** zod does not say in an issue whether there was a value, but in its message. */
function missing(issue: Issue & { readonly expected: string }): string {
  return issue.message.endsWith('received undefined')
    ? `is missing: it has to be ${withArticle(issue.expected)}`
    : `has to be ${withArticle(issue.expected)}`;
}

function valueSentence(path: readonly PropertyKey[], values: readonly unknown[], type: ObjectType): string {
  const wanted = values.map((value) => JSON.stringify(value)).join(' or ');
  switch (pathText(path)) {
    case 'typeMigrationVersion':
      return `is not the version in which a ${type} is written here, and a Kibana that does not know it refuses it: write ${typeVersions[type]}`;
    case 'coreMigrationVersion':
      return `is not what Kibana 8.8 and later write: write ${CORE_VERSION}`;
    case 'managed':
      return 'is not false, so nobody could edit it in Kibana: write false';
    default:
      return `has to be ${wanted}`;
  }
}

const withArticle = (kind: string): string =>
  ({ int: 'a whole number', object: 'an object', array: 'a list', record: 'an object', tuple: 'a list' })[kind] ??
  `a ${kind}`;
