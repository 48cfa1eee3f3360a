import { LOCAL_TIMESTAMP } from '../../../definition/lexical.ts';
import { months, type TimeForm, type TimePart } from '../../../definition/time-format.ts';
import type { LocalOffset } from '../../../definition/zone-offsets.ts';
import { caseTable } from '../letter-case.ts';
import { NO_TIME, WHITE_SPACE, type TextStep } from '../text-step.ts';
import { NO_NUMBER, type WrittenNumber } from '../written-number.ts';
import { ISO_GRAMMAR } from '../written-time.ts';
import type { Dialect } from './dialect.ts';

/** From so many words on they are looked up as a list. */
const FEW_WORDS = 4;

/** Whether {@link stepSql} says its text once only, so that steps may stand within one another. */
export function saysItsTextOnce(step: TextStep): boolean {
  return (
    ['trim', 'normalise', 'find', 'pattern', 'case'].includes(step.kind) ||
    (step.kind === 'missing' && step.words.length <= FEW_WORDS)
  );
}

/** `applyStep` for SQL. @param text The text, an SQL expression; NULL where there is no value, and then the result is. */
export function stepSql(step: TextStep, text: string, sql: Dialect): string {
  switch (step.kind) {
    case 'trim':
      return sql.trim(text, WHITE_SPACE);
    case 'normalise':
      return sql.normalise(text);
    case 'find':
      return `replace(${text}, ${sql.text(step.find)}, ${sql.text(step.by)})`;
    case 'pattern':
      return sql.replaceMatches(text, step.pattern, step.by);
    case 'case': {
      const { from, to } = caseTable(step.to);
      return `translate(${text}, ${sql.text(from)}, ${sql.text(to)})`;
    }
    case 'missing':
      return step.words.length > FEW_WORDS
        ? `CASE WHEN ${text} IN (${step.words.map((word) => sql.text(word)).join(', ')}) THEN NULL ELSE ${text} END`
        : step.words.reduce((within, word) => `nullif(${within}, ${sql.text(word)})`, text);
    case 'number':
      return numberSql(step.written, text, sql);
    case 'time':
      return timeSql(step.forms, text, sql);
    case 'zone':
      return zoneSql(step.offsets, text, sql);
    case 'pad':
      return `CASE WHEN length(${text}) < ${step.width} THEN lpad(${text}, ${step.width}, '0') ELSE ${text} END`;
  }
}

function numberSql({ decimal, thousands, grammar }: WrittenNumber, text: string, sql: Dialect): string {
  const joined = thousands === '' ? text : `replace(${text}, ${sql.text(thousands)}, '')`;
  const plain = `replace(${joined}, ${sql.text(decimal)}, '.')`;
  return `CASE WHEN ${text} IS NULL THEN NULL WHEN ${sql.is(text, grammar)} THEN ${plain} ELSE ${sql.text(NO_NUMBER)} END`;
}

function timeSql(forms: readonly TimeForm[], text: string, sql: Dialect): string {
  const cases = forms.map((form) => {
    if (form.kind === 'iso') return `WHEN ${sql.is(text, ISO_GRAMMAR)} THEN ${text}`;
    const { grammar } = form;
    const value =
      form.kind === 'unix'
        ? sql.isoOfMilliseconds(`CAST(${text} AS BIGINT)${form.milliseconds ? '' : ' * 1000'}`)
        : form.parts.map((part) => partSql(part, (group) => sql.group(text, grammar, group), sql)).join(' || ');
    return `WHEN ${sql.is(text, grammar)} THEN ${value}`;
  });
  return `CASE WHEN ${text} IS NULL THEN NULL ${cases.join(' ')} ELSE ${sql.text(NO_TIME)} END`;
}

function partSql(part: TimePart, of: (group: number) => string, sql: Dialect): string {
  switch (part.kind) {
    case 'text':
      return sql.text(part.text);
    case 'digits':
      return `lpad(${of(part.group)}, 2, '0')`;
    case 'as-is':
      return of(part.group);
    case 'century':
      return `CASE WHEN ${of(part.group)} < '69' THEN '20' ELSE '19' END || ${of(part.group)}`;
    case 'month': {
      const cases = months.map((name, at) => `WHEN '${name}' THEN '${String(at + 1).padStart(2, '0')}'`);
      return `CASE left(lower(${of(part.group)}), 3) ${cases.join(' ')} END`;
    }
    case 'hour12': {
      const afternoon = `CASE WHEN lower(${of(part.half)}) = 'pm' THEN 12 ELSE 0 END`;
      return `lpad(CAST(CAST(${of(part.group)} AS INTEGER) % 12 + ${afternoon} AS ${sql.textType}), 2, '0')`;
    }
  }
}

/** A search by halves, so that a row meets ten comparisons and not four hundred. */
function zoneSql(offsets: readonly LocalOffset[], text: string, sql: Dialect): string {
  const local = `(left(${text}, 10) || 'T' || substr(${text} || ':00', 12, 8))`;
  const search = (low: number, high: number): string => {
    if (high - low === 1) {
      const offset = offsets[low]?.offset ?? null;
      return offset === null ? sql.text(NO_TIME) : `${text} || ${sql.text(offset)}`;
    }
    const middle = Math.floor((low + high) / 2);
    const from = sql.text(offsets[middle]?.from ?? '');
    return `CASE WHEN ${local} < ${from} THEN ${search(low, middle)} ELSE ${search(middle, high)} END`;
  };
  return `CASE WHEN ${sql.is(text, LOCAL_TIMESTAMP)} THEN ${search(0, offsets.length)} ELSE ${text} END`;
}
