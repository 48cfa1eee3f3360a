import { canonicalText } from '../../../definition/lexical.ts';
import { toScaled } from '../../../formats/decimal.ts';
import type { ColumnRule } from '../column-rule.ts';
import { boundHolds, numberShape } from '../numeric-bound.ts';
import type { CleanRules, RejectRule } from '../rules.ts';
import { applySteps } from '../text-step.ts';

/** A cell after all steps. */
export interface Prepared {
  /** Null where there is no value. */
  readonly text: string | null;
  /** The text that is no value of the type, where the contract makes a missing value of it. */
  readonly variant: string | null;
}

export function prepare(rule: ColumnRule, source: string): Prepared {
  const text = applySteps(rule.steps, source);
  if (text === null || rule.mismatch === 'reject' || typeof canonicalText(rule.lexical, text) === 'object') {
    return { text, variant: null };
  }
  return { text: null, variant: text };
}

/** A canonical value (null for none), or the rule that the text breaks. */
export function judgeText(rule: ColumnRule, text: string | null): { value: string | null } | RejectRule {
  if (text === null) return rule.onMissing === 'reject' ? 'required' : { value: null };
  const found = canonicalText(rule.lexical, text);
  if (typeof found === 'string') return found;
  if (rule.length) {
    const length = Array.from(text).length;
    if (length < rule.length.min || length > rule.length.max) return 'length';
  }
  if (rule.pattern && !rule.pattern.js.test(text)) return 'pattern';
  if (rule.values && !rule.values.includes(text)) return 'values';
  if (rule.range.length > 0) {
    const scaled = toScaled(found.value, numberShape(rule.lexical)?.scale ?? 0);
    if (!rule.range.every((bound) => boundHolds(bound, scaled))) return 'range';
  }
  return found;
}

/** What becomes of a row before others are looked at. */
export type Judgement =
  | { readonly kind: 'sound'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'dropped' }
  /** `at`: position of the column, or behind the last one the position of the stranger. */
  | { readonly kind: 'rejected'; readonly at: number; readonly rule: RejectRule };

/**
 * The first column that breaks its rule rejects the row, then a value in a column that nobody declared; else a missing
 * value of a `drop` column takes it out.
 * @param cells The row's cells, by position in the parsed object.
 */
export function judgeRow(rules: CleanRules, prepared: readonly Prepared[], cells: readonly string[]): Judgement {
  const values: (string | null)[] = [];
  for (const [at, rule] of rules.columns.entries()) {
    const own = prepared[at]?.text ?? null;
    const text = own ?? rule.fallback ?? (rule.copy === undefined ? null : (prepared[rule.copy]?.text ?? null));
    const judged = judgeText(rule, text);
    if (typeof judged === 'string') return { kind: 'rejected', at, rule: judged };
    values.push(judged.value);
  }
  const stranger = rules.strangers.findIndex(({ position }) => (cells[position] ?? '').trim() !== '');
  if (stranger !== -1) return { kind: 'rejected', at: rules.columns.length + stranger, rule: 'contract' };
  const dropped = rules.columns.some(({ onMissing }, at) => onMissing === 'drop' && prepared[at]?.text === null);
  if (dropped) return { kind: 'dropped' };
  return { kind: 'sound', values: [...values, ...rules.variants.map((at) => prepared[at]?.variant ?? null)] };
}
