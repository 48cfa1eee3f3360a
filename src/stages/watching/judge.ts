import type { Monitors } from '../../definition/monitors.ts';
import { canJudge, clearingsOf, type Ended, type State } from './clearings.ts';
import { Judging, type SeriesFinding } from './judge-series.ts';
import { kindOf } from './kinds.ts';
import type { HourMeasures } from './measures.ts';
import { judgeSchema, judgeUnchanged } from './source-checks.ts';
import { judgeCategories, judgeMix } from './texts.ts';
import { verdictOf, type Verdict } from './verdict.ts';

/** What the monitors make of a run. */
export interface Judgement {
  readonly verdicts: readonly Verdict[];
  /** What was odd in one of the last runs and is so no more. */
  readonly clearings: readonly Ended[];
  /** Series that would be odd in a second run in a row, with what was expected of them. */
  readonly suspect: Readonly<Record<string, number>>;
  /** Series that were judged, and those of which not enough is known yet. */
  readonly judged: number;
  readonly learning: number;
  /** Earlier runs that it was compared with. */
  readonly runs: number;
}

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
    if (canJudge(name, measures, judging.repeats)) states.set(name, verdict ?? 'fine');
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
    else if (rule === 'distinct' && found.bound === undefined) {
      const odd = judging.besideRows(found);
      if (odd) verdicts.push(verdictOf(judging, odd.finding, odd.each));
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
