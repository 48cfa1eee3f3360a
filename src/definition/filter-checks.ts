import type { Column } from './columns.ts';
import type { Condition } from './condition.ts';
import { didYouMean } from './did-you-mean.ts';
import { sentenceOf } from './errors.ts';
import { canonicalText } from './lexical.ts';
import { compilePattern } from './pattern.ts';
import type { Pipeline } from './pipeline.ts';
import { plainDigits } from './plain-digits.ts';
import type { Finding } from './problem.ts';

type Path = readonly (string | number)[];

/** Names, values and patterns of the filter: what the clean stage would refuse once the hour has been fetched. */
export function filterChecks({ filter, columns }: Pipeline): Finding[] {
  const known = new Map(Object.values(columns).map((column) => [column.name, column]));
  return filter === undefined ? [] : checkCondition(filter, ['filter'], known);
}

function checkCondition(condition: Condition, path: Path, known: ReadonlyMap<string, Column>): Finding[] {
  for (const kind of ['all', 'any'] as const) {
    const inner = kind in condition ? (condition as Record<typeof kind, Condition[]>)[kind] : undefined;
    if (inner) return inner.flatMap((one, at) => checkCondition(one, [...path, kind, at], known));
  }
  if ('not' in condition) return checkCondition(condition.not, [...path, 'not'], known);
  const at = 'missing' in condition ? 'missing' : 'column';
  const name = 'missing' in condition ? condition.missing : 'column' in condition ? condition.column : '';
  const column = known.get(name);
  if (!column) {
    return [{ path: [...path, at], message: `"${name}" is no column.${didYouMean(name, [...known.keys()])}` }];
  }
  if ('matches' in condition) {
    try {
      compilePattern(condition.matches);
      return [];
    } catch (error) {
      return [{ path: [...path, 'matches'], message: sentenceOf(error) }];
    }
  }
  const values: [Path, string | number | boolean][] = [];
  if ('is' in condition) values.push([['value'], condition.value]);
  if ('in' in condition) condition.in.forEach((value, nth) => values.push([['in', nth], value]));
  if ('between' in condition) condition.between.forEach((value, nth) => values.push([['between', nth], value]));
  return values.flatMap(([where, value]) => {
    const text = typeof value === 'number' ? plainDigits(value) : String(value);
    if (isComparable(column, text)) return [];
    return [{ path: [...path, ...where], message: `compares ${name} with "${text}", which is no ${column.type}` }];
  });
}

/** Numbers may have other digits than the column: `integer < 0.5` is a condition like others. */
function isComparable({ type, precision, scale }: Column, text: string): boolean {
  const number = type === 'integer' || type === 'decimal';
  return (
    typeof canonicalText(
      number ? { type: 'decimal', precision: 1_000, scale: 500 } : { type, precision, scale },
      text,
    ) !== 'string'
  );
}
