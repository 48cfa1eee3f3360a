import { durationMs } from '../../definition/duration.ts';
import { monitorOf, type Monitors, type MonitorSettings, type Sensitivity } from '../../definition/monitors.ts';
import { inSpreads, perRow, type Kind, type Scale } from './kinds.ts';
import { comparable, isRepeat, knownHours, learn, type KnownHour, type Learnt } from './learnt.ts';
import { sigmasOf } from './limit.ts';
import type { HourMeasures } from './measures.ts';
import { medianOf } from './robust.ts';
import { bestOf, expectationsAt, type Rhythm } from './usual.ts';
import { amount } from './words.ts';
import { hoursSinceEpoch } from '../../definition/hour.ts';

/** What is odd stays odd until it is so much nearer to the usual: a problem at the edge is one problem. */
const HYSTERESIS = 0.6;
/** All monitors together are wrong once in so many runs. */
const RUNS_PER_MISTAKE: Readonly<Record<Sensitivity, number>> = { low: 87_600, normal: 17_520, high: 720 };

/** A value beside what was expected of it; both in the series' own unit. */
export interface SeriesFinding {
  readonly key: string;
  readonly kind: Kind;
  readonly value: number;
  readonly odd: boolean;
  /** It would be in a second run in a row. */
  readonly suspect?: true;
  /** It is odd because the run before was suspect as well. */
  readonly again?: true;
  /** How far off, in parts of what is allowed. */
  readonly score: number;
  /** How large the change is, in parts of the least that counts. */
  readonly size: number;
  readonly expected: number;
  readonly usual?: {
    readonly spread: number;
    /** How far off the value is, in parts of the spread, on the scale that it is judged on; left out where the spread is nothing. */
    readonly deviations?: number;
    readonly from: number;
    readonly to: number;
    readonly rhythm: Rhythm;
    readonly runs: number;
  };
  /** The fixed bound that it is beyond. */
  readonly bound?: number;
  /** So many odd runs in a row that they are the usual now. */
  readonly accepted?: number;
}

/** One run beside all that is known before it. */
export class Judging {
  readonly monitors: Monitors;
  readonly measures: HourMeasures;
  readonly at: number;
  /** All earlier hours, ascending. */
  readonly hours: readonly KnownHour[];
  /** Its content is that of the hour before. */
  readonly repeats: boolean;
  readonly #ofData: readonly KnownHour[];
  readonly #series: number;
  readonly #spreads = new Map<string, number>();

  /** @param history earlier hours, in any order @param series how many are judged of the run: the more, the more are odd by chance */
  constructor(monitors: Monitors, history: readonly HourMeasures[], measures: HourMeasures, series: number) {
    this.monitors = monitors;
    this.measures = measures;
    this.at = hoursSinceEpoch(measures.hour);
    this.hours = knownHours(history.filter(({ hour }) => hour < measures.hour));
    this.repeats = isRepeat(measures, this.hours.at(-1)?.measures);
    this.#ofData = comparable(this.hours, true, measures.shape);
    this.#series = Math.max(1, series);
  }

  settings({ rule, subject }: Pick<Kind, 'rule' | 'subject'>): MonitorSettings {
    return monitorOf(this.monitors, rule, subject);
  }

  compared(ofData: boolean): readonly KnownHour[] {
    return ofData ? this.#ofData : this.hours;
  }

  chance({ sensitivity = this.monitors.sensitivity }: MonitorSettings): number {
    return 1 / (this.#series * RUNS_PER_MISTAKE[sensitivity]);
  }

  /** Whether points are enough to say what is usual. @param points hours since 1970, ascending */
  isTrained(points: readonly { readonly hour: number }[]): boolean {
    const { runs, span } = this.monitors.training;
    const first = points[0]?.hour ?? this.at;
    return points.length >= runs && (this.at - first) * 3_600_000 >= durationMs(span);
  }

  /** @returns undefined where the series has no value, or none of its own; `learning` where nothing is known of it yet */
  series(key: string, kind: Kind): SeriesFinding | 'learning' | undefined {
    const value = this.measures.values[key];
    if (value === undefined || (kind.ofData && this.repeats)) return undefined;
    const settings = this.settings(kind);
    const fixed = beyond(value, kind.bounds(settings));
    const scale = kind.scale === 'spread' ? inSpreads(this.#spread(kind.subject ?? '')) : kind.scale;
    const learnt = learn(this.compared(kind.ofData), key, scale, this.monitors.acceptAfter);
    if (!this.isTrained(learnt.points)) {
      if (fixed === undefined) return 'learning';
      return { ...{ key, kind, value, expected: fixed, bound: fixed }, odd: true, score: Infinity, size: Infinity };
    }
    const found = this.#compare(value, { kind, scale, learnt, settings });
    const { accepted } = learnt;
    return {
      ...{ key, kind, value, ...found },
      ...(fixed === undefined ? {} : { odd: true, bound: fixed, score: Infinity }),
      ...(accepted === undefined ? {} : { accepted }),
    };
  }

  /**
   * How many values are different, beside the rows that have one. More rows bring more values, but fewer a row: what rows explain never moves both in the same
   * direction. So it is odd where one of the two is, and the other goes along.
   */
  besideRows(
    finding: SeriesFinding,
  ): { readonly finding: SeriesFinding; readonly each: Readonly<Record<string, number>> } | undefined {
    const { kind, value: distinct, expected: usual } = finding;
    const key = `each/${kind.subject ?? ''}`;
    const value = this.measures.values[key];
    if (!value || finding.size <= 1) return undefined;
    const settings = this.settings(kind);
    const learnt = learn(this.compared(true), key, perRow, this.monitors.acceptAfter);
    const least = (_: MonitorSettings, expected: number): number =>
      ((settings.leastChangePercent ?? 20) / 100) * expected;
    const found = this.#compare(value, { kind: { ...kind, least }, scale: perRow, learnt, settings });
    const along = found.size > 1 && value > found.expected === distinct > usual;
    if (!along || !(finding.odd || found.odd)) return undefined;
    const each = { [key]: found.expected };
    return { each, finding: finding.odd ? finding : inRows({ ...finding, ...found }, distinct / value) };
  }

  #compare(
    value: number,
    { kind, scale, learnt, settings }: { kind: Kind; scale: Scale; learnt: Learnt; settings: MonitorSettings },
  ): Pick<SeriesFinding, 'odd' | 'suspect' | 'again' | 'score' | 'size' | 'expected' | 'usual'> {
    const chance = this.chance(settings);
    const ease = learnt.wasOdd ? HYSTERESIS : 1;
    /** How large the change is in parts of the least that counts. In the scale of spreads that is a part of one. */
    const sizeOf = (y: number): number => {
      const expected = scale.from(y);
      const change = kind.scale === 'spread' ? Math.abs(scale.to(value) - y) : Math.abs(value - expected);
      return change === 0 ? 0 : change / (kind.least(settings, expected) * ease);
    };
    const expectations = expectationsAt(learnt.points, this.at);
    const richest = expectations.at(-1);
    if (richest && expectations.every((one) => sizeOf(one.expected) < HYSTERESIS)) {
      // Whatever rhythm it goes by, there is no change to speak of.
      const small = sizeOf(richest.expected);
      return { odd: false, score: small, size: small, expected: scale.from(richest.expected) };
    }
    const { expected: y, spread, limit, again, rhythm, runs } = bestOf(expectations, chance);
    const expected = scale.from(y);
    const by = scale.to(value) - y;
    const noise = sigmasOf(chance) * kind.noise(this.measures, expected);
    const size = sizeOf(y);
    const scoreOf = (allowed: number): number => Math.min(allowed === 0 ? size : Math.abs(by) / allowed, size);
    const second = learnt.suspected !== undefined && by > 0 === learnt.suspected > 0;
    const allowed = Math.max(second ? again : limit, noise) * ease;
    const score = scoreOf(allowed);
    const worse = !(kind.onlyMore === true && by < 0);
    return {
      odd: score > 1 && worse && (kind.patient !== true || second || learnt.wasOdd),
      ...(worse && scoreOf(Math.max(again, noise)) > 1 ? { suspect: true } : {}),
      ...(second && scoreOf(Math.max(limit, noise) * ease) <= 1 ? { again: true } : {}),
      ...{ score, size, expected },
      usual: {
        spread: Math.abs(scale.from(y + spread) - expected),
        ...(spread > 0 ? { deviations: Math.abs(by) / spread } : {}),
        from: scale.from(y - allowed),
        to: scale.from(y + allowed),
        ...{ rhythm, runs },
      },
    };
  }

  #spread(column: string): number {
    const known = this.#spreads.get(column) ?? this.#spreadOf(column);
    this.#spreads.set(column, known);
    return known;
  }

  /** What usually lies between the quartiles of a column; or, where that is nothing, something else of its size. */
  #spreadOf(column: string): number {
    const between = (low: string, high: string): number[] =>
      this.compared(true).flatMap(({ measures: { values } }) => {
        const [from, to] = [values[`${low}/${column}`], values[`${high}/${column}`]];
        return from === undefined || to === undefined ? [] : [to - from];
      });
    const sizes = [
      () => medianOf(between('q0.25', 'q0.75')),
      () => medianOf(between('q0.05', 'q0.95')) / 2,
      () => medianOf(this.compared(true).map(({ measures }) => Math.abs(measures.values[`mean/${column}`] ?? 0))),
    ];
    for (const size of sizes) {
      const found = size();
      if (found > 0) return found;
    }
    return 1;
  }
}

/** What was found of each row, in as many rows. */
function inRows(found: SeriesFinding, rows: number): SeriesFinding {
  const { kind, expected, usual } = found;
  return {
    ...found,
    kind: { ...kind, says: (value) => `${kind.says(value)} in ${amount(rows)} rows` },
    expected: expected * rows,
    ...(usual
      ? { usual: { ...usual, spread: usual.spread * rows, from: usual.from * rows, to: usual.to * rows } }
      : {}),
  };
}

function beyond(
  value: number,
  { min, max }: { readonly min?: number | undefined; readonly max?: number | undefined },
): number | undefined {
  if (min !== undefined && value < min) return min;
  return max !== undefined && value > max ? max : undefined;
}
