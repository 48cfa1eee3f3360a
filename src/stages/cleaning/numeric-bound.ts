import type { LexicalType } from '../../definition/lexical.ts';
import { SluiceError } from '../../definition/errors.ts';
import { plainDigits, toScaled } from '../../formats/decimal.ts';

export type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

/** A comparison with a number, moved to the scale of the column, so that all engines compare whole numbers. */
export type NumericBound = { readonly is: Comparison; readonly scaled: bigint } | { readonly always: boolean };

/** A number column: how many digits its values have. Integers have scale 0 and 19 digits. */
export interface NumberShape {
  readonly digits: number;
  readonly scale: number;
}

/**
 * `x is value` for values `x` of a number column: `x < 0.25` for a column of scale 1 becomes `x < 0.3`, and so `3`.
 * @throws SluiceError `DefinitionInvalid` where `value` is no number.
 */
export function numericBound(
  is: Comparison,
  value: string | number | boolean,
  { digits, scale }: NumberShape,
): NumericBound {
  const { floor, exact } = floorAt(value, scale);
  if (!exact && (is === 'eq' || is === 'ne')) return { always: is === 'ne' };
  // Between two representable numbers, < and >= look at the upper one, <= and > at the lower one.
  const scaled = !exact && (is === 'lt' || is === 'gte') ? floor + 1n : floor;
  const limit = 10n ** BigInt(digits);
  if (scaled >= limit) return { always: is === 'ne' || is === 'lt' || is === 'lte' };
  if (scaled <= -limit) return { always: is === 'ne' || is === 'gt' || is === 'gte' };
  return { is, scaled };
}

/** Whether a bound holds for a value of the column. */
export function boundHolds(bound: NumericBound, scaled: bigint): boolean {
  if ('always' in bound) return bound.always;
  switch (bound.is) {
    case 'eq':
      return scaled === bound.scaled;
    case 'ne':
      return scaled !== bound.scaled;
    case 'lt':
      return scaled < bound.scaled;
    case 'lte':
      return scaled <= bound.scaled;
    case 'gt':
      return scaled > bound.scaled;
    case 'gte':
      return scaled >= bound.scaled;
  }
}

function floorAt(value: string | number | boolean, scale: number): { floor: bigint; exact: boolean } {
  const text = typeof value === 'number' ? plainDigits(value) : String(value);
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text)) {
    throw new SluiceError('DefinitionInvalid', `"${text}" is compared with a number column and is no number.`);
  }
  const digits = text.split('.')[1]?.length ?? 0;
  if (digits <= scale) return { floor: toScaled(text, scale), exact: true };
  const whole = toScaled(text, digits);
  const unit = 10n ** BigInt(digits - scale);
  const quotient = whole / unit;
  const rest = whole % unit;
  return { floor: rest < 0n ? quotient - 1n : quotient, exact: rest === 0n };
}

/** The shape of a number column; undefined for other types. */
export function numberShape({ type, precision, scale }: LexicalType): NumberShape | undefined {
  if (type === 'integer') return { digits: 19, scale: 0 };
  return type === 'decimal' ? { digits: precision, scale } : undefined;
}
