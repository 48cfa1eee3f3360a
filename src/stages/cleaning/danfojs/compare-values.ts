import { toScaled } from '../../../formats/decimal.ts';
import { numberShape } from '../numeric-bound.ts';
import type { CleanRules } from '../rules.ts';

/** Ascending order of a column's canonical texts: numbers as numbers, the rest by UTF-8 bytes, as in SQL. */
export function compareValues(rules: CleanRules, at: number): (a: string, b: string) => number {
  const lexical = rules.columns[at]?.lexical;
  const shape = lexical && numberShape(lexical);
  if (!shape) return (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return (a, b) => {
    const [left, right] = [toScaled(a, shape.scale), toScaled(b, shape.scale)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
}
