import type { LexicalType } from '../../../definition/lexical.ts';
import type { ColumnRule } from '../column-rule.ts';
import { WHITE_SPACE } from '../text-step.ts';
import type { CleanRules } from '../rules.ts';
import { conditionSql, rangeSql } from './condition-sql.ts';
import type { Dialect } from './dialect.ts';
import { canonicalSql, lexicalRuleSql, numberType, quickForm, quickSql } from './lexical-sql.ts';
import { saysItsTextOnce, stepSql } from './step-sql.ts';

// The queries of the engines that speak SQL. Columns of a rule set go by number: c0, c1 … as they are in the file, t after their
// steps, g canonical where a short cut says so of the text in the file, x for variants, v with what stands for a missing value, q
// canonical where a short cut says so of v, r the rule that is broken, k canonical.

const each = (rules: CleanRules, of: (at: number, rule: ColumnRule) => string): string[] =>
  rules.columns.map((rule, at) => of(at, rule));
const list = (...parts: readonly (string | readonly string[])[]): string => parts.flat().join(', ');

/** Canonical columns and variants of a judged row. */
export function outputNames(rules: CleanRules): string[] {
  return [...rules.columns.map((_, at) => `k${at}`), ...rules.variants.map((at) => `x${at}`)];
}

/**
 * Texts after their steps: `_file, _row, t0 … tn, g…, x…, stranger`. Most texts are canonical as they stand in the file; they are found
 * before anything is done to them, where DuckDB looks at each different text of a dictionary once.
 * @param source A relation with the parsed object's columns by position, then `_file, _row, _line, _offset`.
 */
export function preparedSql(rules: CleanRules, source: string, sql: Dialect): string {
  const names = Array.from({ length: rules.width }, (_, at) => `c${at}`);
  const strangers = rules.strangers.map(
    ({ position }, at) => `WHEN ${sql.trim(`c${position}`, WHITE_SPACE)} <> '' THEN ${rules.columns.length + at}`,
  );
  const stranger = strangers.length === 0 ? [] : [`CASE ${strangers.join(' ')} END AS stranger`];
  const carried = list('_file', '_row', strangers.length === 0 ? [] : ['stranger'], untouchedNames(rules));
  // Blanks at the ends are most of what there is to trim, and are quickly taken off.
  const cells = each(rules, (at, rule) => {
    const blanks = isUntouched(rule) && rule.steps[0]?.kind === 'trim';
    return `${blanks ? `trim(c${rule.position})` : `c${rule.position}`} AS t${at}`;
  });
  let query = `SELECT ${list('_file', '_row', stranger, cells)} FROM ${source} AS parsed(${list(names, ['_file', '_row', '_line', '_offset'])})`;
  const untouched = rules.columns.flatMap((rule, at) =>
    isUntouched(rule) ? [`${quickSql(rule.lexical, `t${at}`, sql)} AS g${at}`] : [],
  );
  if (untouched.length > 0) query = `SELECT ${list('*', untouched)} FROM (${query}) AS cells`;
  const stages = rules.columns.map((rule) => stagesOf(rule, sql));
  const deepest = Math.max(0, ...stages.map(({ length }) => length));
  for (let level = 0; level < deepest; level++) {
    const next = each(rules, (at, rule) => {
      const step = stages[at]?.[level];
      if (step === undefined) return `t${at}`;
      const text = step(`t${at}`);
      return `${isUntouched(rule) ? `CASE WHEN g${at} IS NOT NULL THEN t${at} ELSE ${text} END` : text} AS t${at}`;
    });
    query = `SELECT ${list(carried, next)} FROM (${query}) AS s${level}`;
  }
  if (rules.columns.every(({ mismatch }) => mismatch === 'reject')) return query;
  const known = (at: number, rule: ColumnRule): string => (isUntouched(rule) ? `g${at} IS NOT NULL OR ` : '');
  const sound = each(rules, (at, rule) => {
    if (rule.mismatch === 'reject') return `t${at}`;
    return `CASE WHEN ${known(at, rule)}(t${at} IS NOT NULL AND (${lexicalRuleSql(rule.lexical, `t${at}`, sql)}) IS NULL) THEN t${at} END AS t${at}`;
  });
  const variants = rules.variants.map((at) => {
    const rule = rules.columns[at];
    if (rule === undefined) return `NULL AS x${at}`;
    return `CASE WHEN ${known(at, rule)}t${at} IS NULL OR (${lexicalRuleSql(rule.lexical, `t${at}`, sql)}) IS NULL THEN NULL ELSE t${at} END AS x${at}`;
  });
  return `SELECT ${list(carried, sound, variants)} FROM (${query}) AS steps`;
}

const untouchedNames = (rules: CleanRules): string[] =>
  rules.columns.flatMap((rule, at) => (isUntouched(rule) ? [`g${at}`] : []));

/** Whether steps leave a text as it is that the short cuts of its type are about. */
function isUntouched({ steps, lexical }: ColumnRule): boolean {
  const isQuick = quickForm(lexical);
  if (isQuick === undefined) return false;
  return steps.every((step) => step.kind === 'trim' || (step.kind === 'missing' && !step.words.some(isQuick)));
}

/** A column's steps, those together that may stand within one another. */
function stagesOf({ steps }: ColumnRule, sql: Dialect): ((text: string) => string)[] {
  const stages: ((text: string) => string)[] = [];
  let nestable = false;
  for (const step of steps) {
    const before = stages.at(-1);
    if (before && nestable && saysItsTextOnce(step))
      stages[stages.length - 1] = (text) => stepSql(step, before(text), sql);
    else stages.push((text) => stepSql(step, text, sql));
    nestable = saysItsTextOnce(step);
  }
  return stages;
}

/**
 * `_file, _row, k0 … kn, x…, m…, bad, rule, dropped`: `bad` is the position of what is wrong first, NULL for a sound row;
 * `m` says of columns with a stand-in whether there was no value; `k` is canonical in sound rows alone.
 */
export function judgedSql(rules: CleanRules, prepared: string, sql: Dialect): string {
  const { columns } = rules;
  const carried = list(
    '_file',
    '_row',
    rules.variants.map((at) => `x${at}`),
    columns.flatMap((rule, at) => (hasStandIn(rule) ? [`m${at}`] : [])),
  );
  const kept = list(carried, rules.strangers.length === 0 ? [] : ['stranger'], 'dropped');
  const marks = columns.flatMap((rule, at) => (hasStandIn(rule) ? [`t${at} IS NULL AS m${at}`] : []));
  const dropped = columns.flatMap(({ onMissing }, at) => (onMissing === 'drop' ? [`t${at} IS NULL`] : []));
  const filled = each(rules, (at, { fallback, copy }) => {
    if (fallback !== undefined) return `coalesce(t${at}, ${sql.text(fallback)}) AS v${at}`;
    return copy === undefined ? `t${at} AS v${at}` : `coalesce(t${at}, t${copy}) AS v${at}`;
  });
  const values = each(rules, (at) => `v${at}`);
  const quick = columns.flatMap((rule, at) => {
    const found = quickSql(rule.lexical, `v${at}`, sql);
    if (found === undefined) return [];
    if (!isUntouched(rule)) return [{ name: `q${at}`, value: `${found} AS q${at}` }];
    // What its steps have made canonical is rare, and takes the long way; what stands in for a missing value may be frequent.
    return [{ name: `q${at}`, value: `${hasStandIn(rule) ? `coalesce(g${at}, ${found})` : `g${at}`} AS q${at}` }];
  });
  const quickNames = quick.map(({ name }) => name);
  const quickValues = quick.map(({ value }) => value);
  const ruled = each(rules, (at, rule) => `${ruleSql(rule, at, sql)} AS r${at}`);
  const canonical = each(rules, (at, { lexical }) => `${valueSql(lexical, at, sql)} AS k${at}`);
  const broken = (value: (at: number) => string): string =>
    columns.map((_, at) => `WHEN r${at} IS NOT NULL THEN ${value(at)}`).join(' ');
  const stranger = (value: string): string =>
    rules.strangers.length === 0 ? '' : ` WHEN stranger IS NOT NULL THEN ${value}`;
  const outside = list(
    '_file',
    '_row',
    rules.variants.map((at) => `x${at}`),
    rules.strangers.length === 0 ? [] : ['stranger'],
    untouchedNames(rules),
  );
  return `SELECT ${list(carried, canonical)},
      CASE ${broken(String)}${stranger('stranger')} END AS bad,
      CASE ${broken((at) => `r${at}`)}${stranger(`'contract'`)} END AS rule, dropped
    FROM (SELECT ${list(kept, values, quickNames, ruled)}
      FROM (SELECT ${list(kept, values, quickValues)}
        FROM (SELECT ${list(outside, marks, filled)}, ${dropped.length === 0 ? 'false' : `(${dropped.join(' OR ')})`} AS dropped
          FROM (${prepared}) AS prepared) AS filled) AS quick) AS ruled`;
}

const hasStandIn = ({ fallback, copy }: ColumnRule): boolean => fallback !== undefined || copy !== undefined;

/** The canonical text of `v` where it breaks no rule; else any text. */
function valueSql(lexical: LexicalType, at: number, sql: Dialect): string {
  const slow = canonicalSql(lexical, `v${at}`, sql);
  if (quickSql(lexical, `v${at}`, sql) === undefined) return slow;
  return `coalesce(q${at}, CASE WHEN v${at} IS NOT NULL AND r${at} IS NULL THEN ${slow} END)`;
}

/** The rule that `v` breaks, NULL for none. */
function ruleSql(rule: ColumnRule, at: number, sql: Dialect): string {
  const text = `v${at}`;
  const missing = `${text} IS NULL THEN ${rule.onMissing === 'reject' ? `'required'` : 'NULL'}`;
  const lexical = lexicalRuleSql(rule.lexical, text, sql);
  const others = otherRulesSql(rule, text, canonicalSql(rule.lexical, text, sql), sql);
  if (quickSql(rule.lexical, text, sql) === undefined) {
    const [broken = 'NULL', ...more] = [lexical, others].filter((one) => one !== undefined && one !== 'NULL');
    if (broken === 'NULL' && rule.onMissing !== 'reject') return `CAST(NULL AS ${sql.textType})`;
    return `CASE WHEN ${missing} ELSE ${more.length === 0 ? broken : `coalesce(${[broken, ...more].join(', ')})`} END`;
  }
  const quick = otherRulesSql(rule, text, `q${at}`, sql) ?? 'NULL';
  const slow = others === undefined ? lexical : `coalesce(${lexical}, ${others})`;
  return `CASE WHEN q${at} IS NOT NULL THEN ${quick} WHEN ${missing} ELSE ${slow} END`;
}

/** Rules of a text that is a value of its type; undefined where there are none. */
function otherRulesSql(rule: ColumnRule, text: string, canonical: string, sql: Dialect): string | undefined {
  const cases: string[] = [];
  if (rule.length) {
    const { min, max } = rule.length;
    const bounds = [
      ...(min > 0 ? [`length(${text}) < ${min}`] : []),
      ...(max < Number.MAX_SAFE_INTEGER ? [`length(${text}) > ${max}`] : []),
    ];
    if (bounds.length > 0) cases.push(`WHEN ${bounds.join(' OR ')} THEN 'length'`);
  }
  if (rule.pattern) cases.push(`WHEN NOT (${sql.matches(text, rule.pattern)}) THEN 'pattern'`);
  if (rule.values) {
    cases.push(`WHEN ${text} NOT IN (${rule.values.map((value) => sql.text(value)).join(', ')}) THEN 'values'`);
  }
  if (rule.range.length > 0) cases.push(`WHEN NOT ${rangeSql(rule.range, rule.lexical, canonical, sql)} THEN 'range'`);
  return cases.length === 0 ? undefined : `CASE ${cases.join(' ')} END`;
}

/** How many sound rows of `judged` there are, and how many of them have no value, by column. */
export function missingSql(rules: CleanRules, judged: string): string {
  const counts = each(rules, (at, rule) => {
    if (hasStandIn(rule)) return `count(CASE WHEN m${at} THEN 1 END)`;
    // Without one a row is not sound.
    return rule.onMissing === 'reject' ? '0' : `count(*) - count(k${at})`;
  });
  return `SELECT ${list('count(*)', counts)} FROM ${judged} WHERE bad IS NULL`;
}

/** The value to order a column by: numbers as numbers, the rest as their canonical texts. */
export function orderSql(rules: CleanRules, at: number, sql: Dialect): string {
  const lexical = rules.columns[at]?.lexical;
  const numeric = lexical?.type === 'integer' || lexical?.type === 'decimal';
  return numeric ? `CAST(k${at} AS ${numberType(lexical, sql)})` : `k${at}`;
}

/**
 * The rows that stay before duplicates are looked at: `_file, _row` and the outputs.
 * @param fills Texts for missing values by position of their column.
 */
export function keptSql(rules: CleanRules, judged: string, fills: ReadonlyMap<number, string>, sql: Dialect): string {
  const values = each(rules, (at, { fill }) => {
    if (fill?.kind === 'forward') {
      const within = fill.within.length === 0 ? '' : `PARTITION BY ${fill.within.map((by) => `k${by}`).join(', ')} `;
      const order = list(
        fill.order.map((by) => `${orderSql(rules, by, sql)} ASC NULLS LAST`),
        '_row',
      );
      return `${sql.lastKnown(`k${at}`)} OVER (${within}ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS k${at}`;
    }
    const fallback = fills.get(at);
    return fallback === undefined ? `k${at}` : `coalesce(k${at}, ${sql.text(fallback)}) AS k${at}`;
  });
  const variants = rules.variants.map((at) => `x${at}`);
  const filled = `SELECT ${list('_file', '_row', values, variants)} FROM ${judged} WHERE bad IS NULL AND NOT dropped`;
  if (!rules.filter) return filled;
  return `SELECT * FROM (${filled}) AS filled WHERE ${conditionSql(rules.filter, (at) => `k${at}`, sql)}`;
}

/** Rows of `kept` with `nth` (1 for the row of its key that stays) and `times` (rows of its key), as far as the rules ask. */
export function rankedSql(rules: CleanRules, kept: string, sql: Dialect): string {
  const distinct = rules.exact
    ? `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY ${outputNames(rules).join(', ')} ORDER BY _row) AS same
        FROM (${kept}) AS kept) AS numbered WHERE same = 1`
    : kept;
  if (rules.key.length === 0) return distinct;
  const partition = rules.key.map((at) => `k${at}`).join(', ');
  if (rules.keep === 'reject')
    return `SELECT *, count(*) OVER (PARTITION BY ${partition}) AS times FROM (${distinct}) AS kept`;
  const order =
    rules.keep === 'newest'
      ? `${orderSql(rules, rules.newest ?? 0, sql)} DESC NULLS LAST, _row DESC`
      : rules.keep === 'last'
        ? '_row DESC'
        : '_row';
  return `SELECT *, row_number() OVER (PARTITION BY ${partition} ORDER BY ${order}) AS nth FROM (${distinct}) AS kept`;
}

/** What a ranked row must be to stay. */
export function staysSql({ key, keep }: CleanRules): string {
  if (key.length === 0) return 'true';
  return keep === 'reject' ? 'times = 1' : 'nth = 1';
}
