/** A way in which numbers may be written. */
export interface NumberStyle {
  readonly decimal: '.' | ',';
  readonly thousands: '' | ',' | '.' | ' ' | "'";
}

/** In the order in which they are tried: the plain way first. */
const STYLES: readonly NumberStyle[] = [
  { decimal: '.', thousands: '' },
  { decimal: ',', thousands: '' },
  { decimal: '.', thousands: ',' },
  { decimal: ',', thousands: '.' },
  { decimal: ',', thousands: ' ' },
  { decimal: '.', thousands: ' ' },
  { decimal: '.', thousands: "'" },
];

const pattern = ({ decimal, thousands }: NumberStyle): RegExp => {
  const point = decimal === '.' ? '\\.' : ',';
  const groups = thousands === '' ? '' : `|\\d{1,3}(?:${thousands === '.' ? '\\.' : thousands}\\d{3})+`;
  return new RegExp(`^[+-]?(?:(?:(\\d+)${groups})(?:${point}(\\d*))?|${point}(\\d+))$`);
};
const patterns = STYLES.map(pattern);

/** How many digits a number has before and after its mark. */
export interface Digits {
  readonly whole: number;
  readonly fraction: number;
  readonly leadingZero: boolean;
}

/** What the values of a column are as numbers, for every style at once. */
export class NumberProfile {
  readonly #fits = STYLES.map(() => 0);
  readonly #whole = STYLES.map(() => 0);
  readonly #fraction = STYLES.map(() => 0);
  #leadingZeros = 0;
  #grouped = 0;
  #count = 0;

  add(text: string): boolean {
    this.#count++;
    let any = false;
    for (const [at, style] of STYLES.entries()) {
      const found = (patterns[at] as RegExp).exec(text);
      if (!found) continue;
      any = true;
      this.#fits[at] = (this.#fits[at] ?? 0) + 1;
      const mark = text.lastIndexOf(style.decimal);
      const fraction = mark === -1 ? 0 : text.length - mark - 1;
      const whole = text.slice(0, mark === -1 ? undefined : mark).replaceAll(/\D/g, '').length;
      this.#whole[at] = Math.max(this.#whole[at] ?? 0, whole);
      this.#fraction[at] = Math.max(this.#fraction[at] ?? 0, fraction);
    }
    if (/^[+-]?0\d/.test(text)) this.#leadingZeros++;
    if (/^[+-]?\d{1,3}(?:,\d{3})+$/.test(text)) this.#grouped++;
    return any;
  }

  get leadingZeros(): boolean {
    return this.#leadingZeros > 0;
  }

  /** The style that all values have; undefined where there is none. @param delimiter Of the file: `1,234` means one thing or another by it. */
  style(delimiter: string): (NumberStyle & { readonly whole: number; readonly fraction: number }) | undefined {
    if (this.#count === 0) return undefined;
    const fitting = STYLES.flatMap((style, at) => (this.#fits[at] === this.#count ? [{ style, at }] : []));
    // Where every comma stands before three digits, both ways of reading fit.
    const groups = this.#grouped === this.#count && delimiter !== ';';
    const best =
      fitting.find(({ style }) => !(groups && style.decimal === ',' && style.thousands === '')) ?? fitting[0];
    if (!best) return undefined;
    return { ...best.style, whole: this.#whole[best.at] ?? 0, fraction: this.#fraction[best.at] ?? 0 };
  }
}
