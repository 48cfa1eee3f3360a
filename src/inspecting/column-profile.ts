import type { ColumnType } from '../definition/columns.ts';
import { canonicalText } from '../definition/lexical.ts';
import { NumberProfile, type NumberStyle } from './numbers.ts';

/** Words that people write where there is no value. */
const MISSING_WORDS = new Set([
  ...['NA', 'N/A', 'n/a', 'na', 'n.a.', '#N/A', 'NULL', 'null', 'Null', '(null)', 'None', 'none', 'NaN', 'nan', '\\N'],
  ...['-', '--', '---', '.', '..', '...', '?', '*', 'ND', 'n.d.', 'missing', 'Missing', 'MISSING'],
  ...[
    'unknown',
    'Unknown',
    'UNKNOWN',
    '#VALUE!',
    '#DIV/0!',
    '#REF!',
    '#NAME?',
    '#NULL!',
    '#NUM!',
    'TBD',
    'inf',
    '-inf',
    'Inf',
  ],
]);
/** Of these, those that mean no value in a column of text, too. */
const SURE_WORDS = new Set([
  '#N/A',
  'NULL',
  'null',
  '(null)',
  'NaN',
  'nan',
  '\\N',
  '#VALUE!',
  '#DIV/0!',
  '#REF!',
  '#NULL!',
  '#NUM!',
  '#NAME?',
]);

/** What a column would be in a definition. */
export interface ProposedColumn {
  readonly source: string;
  readonly type: ColumnType;
  readonly precision?: number;
  readonly scale?: number;
  readonly number?: NumberStyle;
  /** Words that mean no value, the empty one first. */
  readonly missing: readonly string[];
  /** Cells that are empty or such a word. */
  readonly missingCount: number;
  /** Different values; undefined where there are too many to count. */
  readonly distinct?: number;
  readonly examples: readonly string[];
  readonly longest: number;
  /** Why it is a string although it looks like a number. */
  readonly remark?: string;
}

/** Columns that hold names made of digits: nobody adds them up, and their leading zeros matter. */
const CODES = /(?:^|[^a-z])(?:zip|postal|post ?code|fips|code|phone|fax|isbn|ean|upc|sku|iban)(?:[^a-z]|$)/i;

const TYPES = ['boolean', 'date', 'timestamp'] as const;
const plain = { precision: 38, scale: 18 };

/** Gathers what the values of one column are, and says what it would be. */
export class ColumnProfile {
  readonly #source: string;
  readonly #numbers = new NumberProfile();
  readonly #fits = new Map<ColumnType, number>(TYPES.map((type) => [type, 0]));
  readonly #words = new Map<string, number>();
  readonly #distinct = new Set<string>();
  readonly #examples: string[] = [];
  #values = 0;
  #empty = 0;
  #longest = 0;
  #onlyBits = true;

  constructor(source: string) {
    this.#source = source;
  }

  add(cell: string): void {
    const text = cell.trim();
    this.#distinct.add(text);
    if (text === '') {
      this.#empty++;
      return;
    }
    if (MISSING_WORDS.has(text)) {
      this.#words.set(text, (this.#words.get(text) ?? 0) + 1);
      return;
    }
    this.#take(text);
    if (this.#examples.length < 3 && !this.#examples.includes(text)) this.#examples.push(text);
  }

  #take(text: string): void {
    this.#values++;
    this.#longest = Math.max(this.#longest, text.length);
    this.#numbers.add(text);
    this.#onlyBits &&= text === '0' || text === '1';
    for (const type of TYPES) {
      if (typeof canonicalText({ type, ...plain }, text) !== 'string')
        this.#fits.set(type, (this.#fits.get(type) ?? 0) + 1);
    }
  }

  /** @param delimiter Of the file. */
  propose(delimiter: string): ProposedColumn {
    const found = this.#typed(delimiter);
    const typed = found.type !== 'string';
    const words = [...this.#words.keys()].filter((word) => typed || SURE_WORDS.has(word));
    const missingCount = this.#empty + words.reduce((sum, word) => sum + (this.#words.get(word) ?? 0), 0);
    return {
      source: this.#source,
      ...found,
      missing: ['', ...words],
      missingCount,
      distinct: this.#distinct.size,
      examples: this.#examples,
      longest: this.#longest,
    };
  }

  #typed(delimiter: string): Pick<ProposedColumn, 'type' | 'precision' | 'scale' | 'number' | 'remark'> {
    if (this.#values === 0) return { type: 'string' };
    for (const type of ['date', 'timestamp'] as const) if (this.#fits.get(type) === this.#values) return { type };
    if (this.#fits.get('boolean') === this.#values && !this.#onlyBits) return { type: 'boolean' };
    const style = this.#numbers.style(delimiter);
    if (!style) return { type: 'string' };
    if (this.#numbers.leadingZeros) return { type: 'string', remark: 'a code: some values begin with zero' };
    const { decimal, thousands, whole, fraction } = style;
    if (fraction === 0 && CODES.test(this.#source)) return { type: 'string', remark: 'a code by its name' };
    const marks = decimal === '.' && thousands === '' ? {} : { number: { decimal, thousands } };
    if (fraction === 0 && whole <= 18) return { type: 'integer', ...marks };
    if (whole + fraction > 38) return { type: 'string', remark: 'numbers of more than 38 digits' };
    // Room for later hours: what does not fit would be rejected.
    const scale = Math.max(6, fraction);
    const precision = Math.min(38, Math.max(18, whole + 3 + scale));
    return { type: 'decimal', precision, scale: Math.min(scale, precision - whole), ...marks };
  }
}
