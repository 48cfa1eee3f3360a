import type { OutputColumn } from '../../definition/columns.ts';
import type { Value } from '../../formats/arrow-columns.ts';
import { fieldType } from './mapping.ts';

/** What a document holds for a column; undefined where the value is none of the field's type. */
export type Fitting = (value: Value) => Value | number | undefined;

/**
 * How the values of a column become those of an index's field. Between the same types everything is handed on, and the index judges
 * it. Rows of an older schema may have other types than the index has now: what cannot be read as the field's type is left out.
 * @param field the field's type in the index; undefined where it has none of that name
 */
export function fittingOf(column: OutputColumn, field: string | undefined): Fitting {
  const native: Fitting =
    column.type === 'integer' || column.type === 'decimal' ? (value) => numberOf(value) : (value) => value;
  if (field === fieldType(column)) return native;
  switch (field) {
    case 'keyword':
      return (value) => (value === null ? null : String(value));
    case 'long':
      return (value) => asNumber(value, /^-?\d{1,18}(\.0+)?$/);
    case 'double':
      return (value) => asNumber(value, /^-?\d+(\.\d+)?$/);
    case 'boolean':
      return (value) => (value === null || /^(true|false)$/.test(String(value)) ? value : undefined);
    case 'date':
      return (value) => (value === null || isDate(String(value)) ? value : undefined);
    default:
      return (value) => (value === null ? null : undefined);
  }
}

/** Canonical text as a number, or as the text itself where a double cannot hold it: the index reads that exactly. */
function numberOf(value: Value): Value | number {
  if (value === null) return null;
  const number = Number(value);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? value : number;
}

function asNumber(value: Value, form: RegExp): Value | number | undefined {
  if (value === null) return null;
  const text = String(value);
  return form.test(text) ? numberOf(text.replace(/\.0+$/, '')) : undefined;
}

const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?$/.test(text) && !Number.isNaN(Date.parse(text));
