import { canonicalText } from '../../definition/lexical.ts';
import { toScaled } from '../../formats/decimal.ts';
import { holds } from './condition.ts';
import { boundHolds, numberShape } from './numeric-bound.ts';
import { plainNumber } from './written-number.ts';
import type { CleanRules, ColumnRule, RejectRule } from './rules.ts';

/** A text after white space, missing words and padding; null where it means: no value. */
export function preparedText(rule: ColumnRule, source: string): string | null {
  const text = rule.trim ? source.trim() : source;
  if (rule.missing.includes(text)) return null;
  if (rule.number !== undefined) return plainNumber(rule.number, text);
  if (rule.pad === undefined) return text;
  const length = Array.from(text).length;
  return length < rule.pad ? '0'.repeat(rule.pad - length) + text : text;
}

/** A canonical value (null for none), or the rule that the text breaks. */
export function judgeText(rule: ColumnRule, prepared: string | null): { value: string | null } | RejectRule {
  const text = prepared ?? (rule.onMissing === 'default' ? (rule.fallback ?? null) : null);
  if (text === null) return rule.onMissing === 'reject' ? 'required' : { value: null };
  const found = canonicalText(rule.lexical, text);
  if (typeof found === 'string') return found;
  if (rule.pattern && !rule.pattern.js.test(text)) return 'pattern';
  if (rule.values && !rule.values.includes(text)) return 'values';
  if (rule.range.length > 0) {
    const scaled = toScaled(found.value, numberShape(rule.lexical)?.scale ?? 0);
    if (!rule.range.every((bound) => boundHolds(bound, scaled))) return 'range';
  }
  return found;
}

/** What becomes of a row before duplicates are looked at. */
export type Judgement =
  | { readonly kind: 'kept'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'filtered' }
  | { readonly kind: 'rejected'; readonly at: number; readonly rule: RejectRule };

/**
 * The first column that breaks its rule rejects the row; else a missing value of a `drop` column or the filter takes it
 * out; else it is kept.
 */
export function judgeRow(rules: CleanRules, prepared: readonly (string | null)[]): Judgement {
  const values: (string | null)[] = [];
  let dropped = false;
  for (const [at, rule] of rules.columns.entries()) {
    const text = prepared[at] ?? null;
    const judged = judgeText(rule, text);
    if (typeof judged === 'string') return { kind: 'rejected', at, rule: judged };
    values.push(judged.value);
    dropped ||= text === null && rule.onMissing === 'drop';
  }
  if (dropped || (rules.filter && !holds(rules.filter, values))) return { kind: 'filtered' };
  return { kind: 'kept', values };
}
