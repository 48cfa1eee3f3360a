import { Environment } from '@marcbachmann/cel-js';
import type { OutputColumn } from './columns.ts';
import { SluiceError, sentenceOf } from './errors.ts';

/** What CEL calls the values of a column. Dates are texts, as CEL has none. */
export const celTypes = {
  string: 'string',
  integer: 'int',
  decimal: 'double',
  boolean: 'bool',
  date: 'string',
  timestamp: 'google.protobuf.Timestamp',
} as const;

/** A value as CEL has it: bigint for int, number for double, Date for a timestamp. */
export type CelValue = string | bigint | number | boolean | Date | null;
export type Expression = (values: Readonly<Record<string, CelValue>>) => unknown;

/**
 * Reads an expression and checks names and types. One that says `null` is checked for names alone: a column that may be
 * null has no one type.
 * @param columns What the expression may name.
 * @throws SluiceError `DefinitionInvalid`
 */
export function compileExpression(name: string, expression: string, columns: readonly OutputColumn[]): Expression {
  try {
    if (!/\bnull\b/.test(expression)) {
      const { valid, error } = environment(columns, ({ type }) => celTypes[type]).check(expression);
      if (!valid) throw error ?? new Error('its types do not fit');
    }
    const parsed = environment(columns, () => 'dyn').parse(expression);
    return (values) => parsed(values) as unknown;
  } catch (error) {
    const why = sentenceOf(error).split('\n')[0] ?? '';
    throw new SluiceError('DefinitionInvalid', `The expression of ${name} cannot be read: ${why}.`, { cause: error });
  }
}

function environment(columns: readonly OutputColumn[], type: (column: OutputColumn) => string): Environment {
  const made = new Environment({ unlistedVariablesAreDyn: false });
  for (const column of columns) made.registerVariable(column.name, type(column));
  return made;
}
