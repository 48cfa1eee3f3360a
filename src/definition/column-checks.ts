import type { Column, ColumnType } from './columns.ts';
import { didYouMean } from './did-you-mean.ts';
import { sentenceOf } from './errors.ts';
import { canonicalText } from './lexical.ts';
import { compilePattern, compileReplaced } from './pattern.ts';
import type { Pipeline } from './pipeline.ts';
import { plainDigits } from './plain-digits.ts';
import type { Finding } from './problem.ts';
import { compileTimeFormat } from './time-format.ts';
import { localOffsets } from './zone-offsets.ts';

const numeric: readonly ColumnType[] = ['integer', 'decimal'];
/** Sums of numbers with more digits may not fit into the 38 that engines have. */
const SUMMED_DIGITS = 28;

/** What is wrong within one column. */
export function columnChecks(pipeline: Pipeline): Finding[] {
  return Object.entries(pipeline.columns).flatMap(([source, column]): Finding[] => {
    const at = (field: string, message: string): Finding => ({ path: ['columns', source, field], message });
    return [
      ...texts(column, at),
      ...times(column, at),
      ...numbers(pipeline, column, at),
      ...missing(pipeline, column, at),
    ];
  });
}

type At = (field: string, message: string) => Finding;

function trying(work: () => unknown, found: (message: string) => Finding): Finding[] {
  try {
    work();
    return [];
  } catch (error) {
    return [found(sentenceOf(error))];
  }
}

function texts({ pattern, replace, pad, type, length }: Column, at: At): Finding[] {
  const found: Finding[] = [];
  if (pattern !== undefined)
    found.push(
      ...trying(
        () => compilePattern(pattern),
        (message) => at('pattern', message),
      ),
    );
  for (const one of replace ?? []) {
    if ('pattern' in one)
      found.push(
        ...trying(
          () => compileReplaced(one.pattern),
          (message) => at('replace', message),
        ),
      );
  }
  if (pad !== undefined && type !== 'string') {
    found.push(at('pad', `needs a string: a ${type} has no leading zeros to keep`));
  }
  if (length?.min !== undefined && length.max !== undefined && length.min > length.max) {
    found.push(at('length', `min ${length.min} is above max ${length.max}`));
  }
  return found;
}

function times({ type, formats, zone }: Column, at: At): Finding[] {
  const timed = type === 'date' || type === 'timestamp' ? type : undefined;
  const found: Finding[] = [];
  if (formats && !timed) found.push(at('formats', `needs a date or timestamp, but the column is a ${type}`));
  for (const format of formats ?? []) {
    if (timed)
      found.push(
        ...trying(
          () => compileTimeFormat(format, timed),
          (message) => at('formats', message),
        ),
      );
  }
  if (zone !== undefined && type !== 'timestamp')
    found.push(at('zone', `needs a timestamp, but the column is a ${type}`));
  else if (zone !== undefined)
    found.push(
      ...trying(
        () => localOffsets(zone),
        (message) => at('zone', message),
      ),
    );
  return found;
}

function numbers({ source: { format } }: Pipeline, column: Column, at: At): Finding[] {
  const { type, precision, scale, range } = column;
  const found: Finding[] = [];
  if (scale > precision) found.push(at('scale', `${scale} is more than precision ${precision}`));
  if (range && !numeric.includes(type)) found.push(at('range', `needs a number, but the column is a ${type}`));
  const { min, max } = range ?? {};
  if (min !== undefined && max !== undefined && min > max) found.push(at('range', `min ${min} is above max ${max}`));
  const marks = (['decimal', 'thousands'] as const).filter((mark) => column[mark] !== undefined);
  for (const mark of numeric.includes(type) ? [] : marks) {
    found.push(at(mark, `needs a number, but the column is a ${type}`));
  }
  if (marks.length > 0 && (column.decimal ?? format.decimal) === (column.thousands ?? format.thousands)) {
    found.push(at(marks[0] ?? 'decimal', 'decimal mark and thousands separator are the same'));
  }
  return found;
}

function missing({ columns, key }: Pipeline, column: Column, at: At): Finding[] {
  const { onMissing, required, type, precision, scale, name } = column;
  const names = Object.values(columns).map((one) => one.name);
  const found: Finding[] = [];
  if (required && onMissing !== 'null' && onMissing !== 'reject') {
    found.push(at('onMissing', 'contradicts `required: true`, which rejects the row'));
  }
  if ((onMissing === 'mean' || onMissing === 'median') && !numeric.includes(type)) {
    found.push(at('onMissing', `${onMissing} needs a number, but the column is a ${type}`));
  }
  if ((onMissing === 'mean' || onMissing === 'median') && type === 'decimal' && precision > SUMMED_DIGITS) {
    found.push(at('onMissing', `${onMissing} needs a precision of ${SUMMED_DIGITS} digits or fewer, so that sums fit`));
  }
  const filled = onMissing === 'mean' || onMissing === 'median' || onMissing === 'mode';
  if (key.includes(name) && (filled || (typeof onMissing === 'object' && !('default' in onMissing)))) {
    found.push(at('onMissing', 'what is made of other values can be no key: reject, drop, or give a default'));
  }
  if (typeof onMissing === 'object' && 'default' in onMissing) {
    const text = typeof onMissing.default === 'number' ? plainDigits(onMissing.default) : String(onMissing.default);
    const broken = canonicalText({ type, precision, scale }, text);
    if (typeof broken === 'string') found.push(at('onMissing', `the default "${text}" is no ${type} (${broken})`));
  }
  if (typeof onMissing !== 'object' || 'default' in onMissing) return found;
  const wanted =
    'copy' in onMissing ? [onMissing.copy] : [...onMissing.forwardFill.within, ...onMissing.forwardFill.order];
  for (const other of wanted) {
    if (!names.includes(other)) found.push(at('onMissing', `"${other}" is no column.${didYouMean(other, names)}`));
    else if (other === name) found.push(at('onMissing', `"${other}" is the column itself`));
  }
  if ('forwardFill' in onMissing && onMissing.forwardFill.order.length === 0 && key.length === 0) {
    found.push(at('onMissing', 'forwardFill needs an order, or a key to go by'));
  }
  return found;
}
