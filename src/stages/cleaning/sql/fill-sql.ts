import { toScaled } from '../../../formats/decimal.ts';
import { meanText, medianText, middleOf } from '../fill-values.ts';
import { numberShape } from '../numeric-bound.ts';
import type { CleanRules } from '../rules.ts';
import type { Dialect } from './dialect.ts';
import { numberType } from './lexical-sql.ts';
import { orderSql } from './plan.ts';

/** Asks a question of a few rows; every cell comes as a text. */
export type Ask = (sql: string) => Promise<(string | null)[][]>;

/**
 * What mean, median and mode are, over the rows that are neither rejected nor dropped: texts by position of their column.
 * A column without any value is left as it is.
 * @param judged The name of a table.
 */
export async function fillTexts(
  rules: CleanRules,
  judged: string,
  sql: Dialect,
  ask: Ask,
): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  for (const [at, rule] of rules.columns.entries()) {
    const { fill, lexical } = rule;
    if (!fill || fill.kind === 'forward') continue;
    const from = `FROM ${judged} WHERE bad IS NULL AND NOT dropped AND k${at} IS NOT NULL`;
    const order = orderSql(rules, at, sql);
    const scale = numberShape(lexical)?.scale ?? 0;
    const type = numberType(lexical, sql);
    const text = (value: string): string => `CAST(${value} AS ${sql.textType})`;
    if (fill.kind === 'mode') {
      const [most] = await ask(
        `SELECT k${at}, ${text('count(*)')} ${from} GROUP BY k${at} ORDER BY count(*) DESC, ${order} LIMIT 1`,
      );
      if (typeof most?.[0] === 'string') texts.set(at, most[0]);
      continue;
    }
    const [facts] = await ask(`SELECT ${text('count(*)')}, ${text(`sum(CAST(k${at} AS ${type}))`)} ${from}`);
    const count = Number(facts?.[0] ?? 0);
    if (count === 0) continue;
    let found: string | undefined;
    if (fill.kind === 'mean') found = meanText(toScaled(facts?.[1] ?? '0', scale), BigInt(count), scale);
    else {
      const { from: first, length } = middleOf(count);
      // By different values, which are fewer: Spark keeps all that stands before an OFFSET in memory.
      const upTo = `sum(n) OVER (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
      const counted = `SELECT k${at}, count(*) AS n ${from} GROUP BY k${at}`;
      const rows =
        await ask(`SELECT k${at} FROM (SELECT k${at}, n, ${upTo} AS upto FROM (${counted}) AS counted) AS summed
        WHERE upto > ${first} AND upto - n < ${first + length} ORDER BY ${order}`);
      const values = rows.map(([value]) => toScaled(value ?? '0', scale));
      // Both in the middle may be the same value.
      found = medianText(values.length < length ? [...values, ...values] : values, scale);
    }
    if (found !== undefined) texts.set(at, found);
  }
  return texts;
}
