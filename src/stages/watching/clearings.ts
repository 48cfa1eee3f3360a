import type { MonitorRule } from '../../definition/incidents.ts';
import { problemName } from '../../definition/names.ts';
import type { Judging, SeriesFinding } from './judge-series.ts';
import { kindOf } from './kinds.ts';
import type { HourMeasures } from './measures.ts';
import { upperFirst, type Verdict } from './verdict.ts';

/** A rule and what it is about. */
export interface Problem {
  readonly rule: MonitorRule;
  readonly subject?: string;
}

/** A problem that is over, and why. */
export interface Ended extends Problem {
  readonly sentence: string;
}

/** What became of a series in a run. */
export type State = SeriesFinding | Verdict | 'learning' | 'fine';

/** The end of a problem is told again in so many runs that could judge it, for one of them may not have been heard. */
const TOLD_WITHIN = 24;

/** What a series that was odd is a problem of; undefined where it only stood by. */
export function problemOf(key: string): Problem | undefined {
  const kind = kindOf(key);
  if (kind) return { rule: kind.rule, ...(kind.subject === undefined ? {} : { subject: kind.subject }) };
  const { name, subject } = partsOf(key);
  if (name === 'schema' || name === 'unchanged') return { rule: name };
  if (name === 'categories' && subject !== undefined) return { rule: name, subject };
  return name === 'mix' && subject !== undefined ? { rule: 'distribution', subject } : undefined;
}

/** What was odd lately, or in an earlier run of this hour, and is so no more. */
export function clearingsOf(
  judging: Judging,
  states: ReadonlyMap<string, State>,
  verdicts: readonly Verdict[],
): readonly Ended[] {
  const standing = new Set(verdicts.map(idOf));
  const cleared = new Map<string, Ended>();
  const { measures, repeats } = judging;
  for (const key of new Set([...oddLately(judging), ...(measures.before ?? [])])) {
    const problem = problemOf(key);
    if (!problem || standing.has(idOf(problem)) || cleared.has(idOf(problem))) continue;
    const state = states.get(key);
    const why = state === undefined ? whyUnwatched(key, measures, repeats) : whyOver(problem, state);
    if (why !== undefined) cleared.set(idOf(problem), { ...problem, sentence: why });
  }
  return [...cleared.values()];
}

/** Series that were odd, and that not many runs since could say anything of. */
function oddLately({ hours }: Judging): string[] {
  const oddIn = ({ odd, before = [] }: HourMeasures): string[] => [...Object.keys(odd), ...before];
  const keys = new Set(hours.flatMap(({ measures }) => oddIn(measures)));
  const newestFirst = hours.toReversed();
  return [...keys].filter((key) => {
    let told = 0;
    for (const { measures, repeats } of newestFirst) {
      if (Object.hasOwn(measures.odd, key) || measures.before?.includes(key)) return true;
      if (canJudge(key, measures, repeats) || whyUnwatched(key, measures, repeats) !== undefined) told += 1;
      if (told >= TOLD_WITHIN) return false;
    }
    return false;
  });
}

/** Whether a run says anything of a series, odd or not. */
export function canJudge(
  key: string,
  { values, header, content, late, categories }: HourMeasures,
  repeats: boolean,
): boolean {
  const { name, subject = '' } = partsOf(key);
  if (name === 'schema') return header !== undefined;
  if (name === 'unchanged') return content !== undefined && late !== true;
  if (name === 'categories' || name === 'mix') return !repeats && categories?.[subject] !== undefined;
  return values[key] !== undefined && !(repeats && kindOf(key)?.ofData === true);
}

const OF_COLUMNS: readonly MonitorRule[] = ['missing', 'distinct', 'distribution', 'categories', 'freshness'];

/** Why nothing can be said of a series from now on; undefined where it is only this run that says nothing of it. */
function whyUnwatched(key: string, { values, categories }: HourMeasures, repeats: boolean): string | undefined {
  const problem = problemOf(key);
  // A run without clean rows has no columns: it says nothing of them.
  if (!problem || repeats || !OF_COLUMNS.includes(problem.rule) || !Object.keys(values).some(isOfColumn))
    return undefined;
  const { rule, subject = '' } = problem;
  const what = `${upperFirst(nameOf(problem))} is not watched any more`;
  if (values[`missing/${subject}`] === undefined) return `${what}: the run has no such column.`;
  const listed = rule === 'categories' || key.startsWith('mix/');
  return listed && values[`distinct/${subject}`] !== undefined && categories?.[subject] === undefined
    ? `${what}: the column has more values, or longer ones, than are listed.`
    : undefined;
}

function whyOver(problem: Problem, state: State): string {
  const what = nameOf(problem);
  if (state === 'learning') return `What is usual for ${what} is learnt anew.`;
  if (state === 'fine' || !('kind' in state)) return `${upperFirst(what)} is as usual again.`;
  const found = upperFirst(state.kind.says(state.kind.text(state.value)));
  if (state.accepted !== undefined)
    return `${found}: it has been so for ${state.accepted} runs in a row, and is the usual from now on.`;
  return `${found}, usually ${state.kind.text(state.expected)}: as usual again.`;
}

const isOfColumn = (key: string): boolean => key.startsWith('missing/');
const idOf = ({ rule, subject }: Problem): string => problemName(rule, subject);
const nameOf = ({ rule, subject }: Problem): string => (subject === undefined ? rule : `${rule} of ${subject}`);

function partsOf(key: string): { readonly name: string; readonly subject?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { name: key.slice(0, slash), subject: key.slice(slash + 1) };
}
