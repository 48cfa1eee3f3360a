import type { MonitorRule, Monitors } from '../../definition/monitors.ts';
import { Judging, type SeriesFinding } from './judge-series.ts';
import { kindOf } from './kinds.ts';
import type { HourMeasures } from './measures.ts';
import { judgeSchema, judgeUnchanged } from './source-checks.ts';
import { judgeCategories, judgeMix } from './texts.ts';
import { upperFirst, verdictOf, type Verdict } from './verdict.ts';

/** A rule and what it is about. */
export interface Problem {
  readonly rule: MonitorRule;
  readonly subject?: string;
}

/** What the monitors make of a run. */
export interface Judgement {
  readonly verdicts: readonly Verdict[];
  /** What was odd in one of the last runs and is so no more. */
  readonly clearings: readonly (Problem & { readonly sentence: string })[];
  /** Series that would be odd in a second run in a row, with what was expected of them. */
  readonly suspect: Readonly<Record<string, number>>;
  /** Series that were judged, and those of which not enough is known yet. */
  readonly judged: number;
  readonly learning: number;
  /** Earlier runs that it was compared with. */
  readonly runs: number;
}

/** A problem may have been odd so many runs ago and its end not been told, where the run that saw it could not judge. */
const TOLD_WITHIN = 24;

type State = SeriesFinding | Verdict | 'learning' | 'fine';

/**
 * Judges a run by those before it. Pure: the same run and history give the same judgement.
 * @param history what is kept of earlier hours, in any order; later ones are left out
 */
export function judge(monitors: Monitors, history: readonly HourMeasures[], measures: HourMeasures): Judgement {
  const keys = Object.keys(measures.values).filter((key) => kindOf(key) !== undefined);
  const texts = Object.keys(measures.categories ?? {});
  const judging = new Judging(monitors, history, measures, keys.length + 2 * texts.length);
  const states = new Map<string, State>();
  const verdicts = [...ofSeries(judging, keys, states), ...ofTexts(judging, texts, states)];
  for (const [name, verdict] of [
    ['schema', judgeSchema(judging)],
    ['unchanged', judgeUnchanged(judging)],
  ] as const) {
    if (name === 'schema' ? measures.header : measures.content) states.set(name, verdict ?? 'fine');
    if (verdict && verdict !== 'learning') verdicts.push(verdict);
  }
  const learning = [...states.values()].filter((state) => state === 'learning').length;
  return {
    verdicts,
    clearings: clearingsOf(judging, states, verdicts),
    suspect: Object.fromEntries(
      [...states].flatMap(([key, state]) =>
        typeof state === 'object' && 'suspect' in state ? [[key, state.expected]] : [],
      ),
    ),
    ...{ judged: states.size - learning, learning, runs: judging.hours.length },
  };
}

/** Judges each series, and lets what belongs together speak once. */
function ofSeries(judging: Judging, keys: readonly string[], states: Map<string, State>): Verdict[] {
  const verdicts: Verdict[] = [];
  const numbers = new Map<string, SeriesFinding[]>();
  for (const key of keys) {
    const kind = kindOf(key);
    const found = kind && judging.series(key, kind);
    if (!found) continue;
    states.set(key, found);
    if (found === 'learning') continue;
    const { rule, subject = '' } = found.kind;
    if (rule === 'distribution') numbers.set(subject, [...(numbers.get(subject) ?? []), found]);
    else if (found.odd && rule === 'distinct' && found.bound === undefined) {
      const alone = judging.notByRows(found);
      if (alone) verdicts.push(verdictOf(judging, found, { [alone.key]: alone.expected }));
    } else if (found.odd) verdicts.push(verdictOf(judging, found));
  }
  for (const findings of numbers.values()) {
    const verdict = ofNumbers(judging, findings);
    if (verdict) verdicts.push(verdict);
  }
  return verdicts;
}

/** The mean goes along with a quantile where it is so near to being odd itself. */
const TOGETHER = 0.6;

/** A quantile alone may leap between two values of many rows each: the mean, or another one, has to go along. */
function ofNumbers(judging: Judging, findings: readonly SeriesFinding[]): Verdict | undefined {
  const mean = findings.find(({ key }) => key.startsWith('mean/'));
  const odd = findings.filter((finding) => finding.odd).toSorted((a, b) => b.score - a.score);
  const strongest = mean?.odd ? mean : odd[0];
  if (!strongest || (odd.length === 1 && !mean?.odd && (mean?.score ?? 0) < TOGETHER)) return undefined;
  return verdictOf(judging, strongest, Object.fromEntries(odd.map(({ key, expected }) => [key, expected])));
}

function ofTexts(judging: Judging, columns: readonly string[], states: Map<string, State>): Verdict[] {
  return columns.flatMap((column) => {
    const categories = judgeCategories(judging, column);
    const mix = judgeMix(judging, column);
    if (!judging.repeats) {
      states.set(`categories/${column}`, categories ?? 'fine');
      states.set(`mix/${column}`, mix ?? 'fine');
    }
    // A value that is gone is missed in the mix as well.
    const found = categories && categories !== 'learning' ? categories : mix;
    return found && found !== 'learning' ? [found] : [];
  });
}

/** What a series that was odd is a problem of; undefined where it only stood by. */
export function problemOf(key: string): Problem | undefined {
  const kind = kindOf(key);
  if (kind) return { rule: kind.rule, ...(kind.subject === undefined ? {} : { subject: kind.subject }) };
  const [name = '', subject] = [key.split('/')[0], key.includes('/') ? key.slice(key.indexOf('/') + 1) : undefined];
  if (name === 'schema' || name === 'unchanged') return { rule: name };
  if (name === 'categories' && subject !== undefined) return { rule: name, subject };
  return name === 'mix' && subject !== undefined ? { rule: 'distribution', subject } : undefined;
}

const idOf = ({ rule, subject }: Problem): string => `${rule}/${subject ?? ''}`;

function clearingsOf(
  judging: Judging,
  states: ReadonlyMap<string, State>,
  verdicts: readonly Verdict[],
): (Problem & { readonly sentence: string })[] {
  const standing = new Set(verdicts.map(idOf));
  const cleared = new Map<string, Problem & { readonly sentence: string }>();
  const { measures, hours, repeats } = judging;
  const keys = new Set(hours.slice(-TOLD_WITHIN).flatMap((hour) => Object.keys(hour.measures.odd)));
  for (const key of keys) {
    const problem = problemOf(key);
    if (!problem || standing.has(idOf(problem)) || cleared.has(idOf(problem))) continue;
    const state = states.get(key);
    const gone = state === undefined && !repeats && measures.header && isOfColumn(problem) && !has(measures, problem);
    if (state === undefined && !gone) continue;
    cleared.set(idOf(problem), { ...problem, sentence: whyOver(problem, state) });
  }
  return [...cleared.values()];
}

const isOfColumn = ({ rule }: Problem): boolean =>
  ['missing', 'distinct', 'distribution', 'categories', 'freshness'].includes(rule);
const has = ({ values }: HourMeasures, { subject }: Problem): boolean =>
  values[`missing/${subject ?? ''}`] !== undefined;

function whyOver({ rule, subject }: Problem, state: State | undefined): string {
  const what = subject === undefined ? rule : `${rule} of ${subject}`;
  if (state === undefined) return `${upperFirst(what)} is not watched any more: the run has no such column.`;
  if (state === 'learning') return `What is usual for ${what} is learnt anew.`;
  if (state === 'fine' || !('kind' in state)) return `${upperFirst(what)} is as usual again.`;
  const found = upperFirst(state.kind.says(state.kind.text(state.value)));
  if (state.accepted !== undefined)
    return `${found}: it has been so for ${state.accepted} runs in a row, and is the usual from now on.`;
  return `${found}, usually ${state.kind.text(state.expected)}: as usual again.`;
}
