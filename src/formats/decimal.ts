import { SluiceError } from '../definition/errors.ts';

export { plainDigits } from '../definition/plain-digits.ts';

/** Plain digits with an optional sign and point, the only form of a number that Sluice reads as text. */
const PLAIN = /^([+-]?)([0-9]*)(?:\.([0-9]*))?$/;

/**
 * A decimal text times 10^scale, exact.
 * @throws SluiceError `ObjectCorrupt` where the text is no number or has more digits after the point than `scale`.
 */
export function toScaled(text: string, scale: number): bigint {
  const match = PLAIN.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (!match || (whole === '' && (match[3] ?? '') === '')) {
    throw new SluiceError('ObjectCorrupt', `"${text.slice(0, 40)}" stands in a number column and is not a number.`);
  }
  if (fraction.length > scale) {
    throw new SluiceError('ObjectCorrupt', `"${text.slice(0, 60)}" has more than ${scale} digits after the point.`);
  }
  const magnitude = BigInt((whole === '' ? '0' : whole) + fraction.padEnd(scale, '0'));
  return match[1] === '-' ? -magnitude : magnitude;
}

/** The canonical text of `scaled / 10^scale`: no superfluous zeros, no trailing point, never `-0`. */
export function fromScaled(scaled: bigint, scale: number): string {
  const negative = scaled < 0n;
  const digits = (negative ? -scaled : scaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = scale === 0 ? '' : digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A plain decimal text with `scale` digits after the point at most, rounded half away from zero. */
export function roundedText(text: string, scale: number): string {
  const digits = text.split('.')[1]?.length ?? 0;
  if (digits <= scale) return text;
  const scaled = toScaled(text, digits);
  const unit = 10n ** BigInt(digits - scale);
  const magnitude = ((scaled < 0n ? -scaled : scaled) * 2n + unit) / (unit * 2n);
  return fromScaled(scaled < 0n ? -magnitude : magnitude, scale);
}
