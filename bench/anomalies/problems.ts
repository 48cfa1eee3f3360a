import { monitorRules, type MonitorRule } from '../../src/definition/incidents.ts';
import { Chance } from './chance.ts';

/** What each rule is to find; the distribution of numbers, and of texts. */
export const problemKinds: readonly (MonitorRule | 'mix')[] = monitorRules.flatMap((rule) =>
  rule === 'distribution' ? [rule, 'mix' as const] : [rule],
);

/** Something that goes wrong for some hours. */
export interface Problem {
  readonly kind: (typeof problemKinds)[number];
  readonly from: number;
  /** The first hour without it. */
  readonly to: number;
  readonly subject?: string;
  /** A factor, a share, or a number: as its kind has it. */
  readonly size: number;
}

/** The rule that is to name it. */
export const ruleOf = ({ kind }: Problem): MonitorRule => (kind === 'mix' ? 'distribution' : kind);

/** Three weeks are learnt from first: before that nobody knows each hour of the week. */
const FIRST_HOUR = 21 * 24;

/**
 * Problems of every kind, in an order of their own, some two days apart, each for three to twelve hours. Of moderate size: what a person would want to be told of
 * and would not see at a glance.
 */
export function plantProblems(seed: number, hours: number, each: number): Problem[] {
  const chance = new Chance(seed * 7_919 + 13);
  const kinds = Array.from({ length: each }, () => problemKinds).flat();
  for (let at = kinds.length - 1; at > 0; at--) {
    const other = chance.whole(0, at);
    [kinds[at], kinds[other]] = [kinds[other] as Problem['kind'], kinds[at] as Problem['kind']];
  }
  const apart = (hours - FIRST_HOUR) / kinds.length;
  return kinds.map((kind, at) => {
    const from = Math.floor(FIRST_HOUR + at * apart + chance.between(0, Math.max(0, apart - 26)));
    const long = kind === 'unchanged' || kind === 'freshness' ? chance.whole(8, 14) : chance.whole(3, 12);
    return { kind, from, to: from + long, ...sizeOf(kind, chance) };
  });
}

function sizeOf(kind: Problem['kind'], chance: Chance): Pick<Problem, 'size' | 'subject'> {
  switch (kind) {
    case 'rows':
      return { size: chance.uniform() < 0.7 ? chance.between(0.35, 0.7) : chance.between(1.5, 2.2) };
    case 'rejected':
      return { size: chance.between(0.02, 0.1) };
    case 'missing':
      return { size: chance.between(0.04, 0.3), subject: chance.pick(['usage', 'amount', 'state']) };
    case 'distinct':
      return { size: chance.between(0.3, 0.7) };
    case 'distribution':
      return { size: chance.between(0.35, 1), subject: chance.pick(['usage', 'amount']) };
    case 'mix':
      return { size: chance.between(0.15, 0.5), subject: chance.pick(['state', 'plan']) };
    case 'categories':
      return { size: chance.uniform() < 0.5 ? chance.between(0.02, 0.1) : 0, subject: chance.pick(['state', 'plan']) };
    case 'duration':
      return { size: chance.between(2.5, 6), subject: chance.pick(['import', 'clean', 'publish', 'index']) };
    case 'lag':
      return { size: chance.whole(2_500, 20_000) };
    case 'schema':
      return { size: 1, subject: chance.pick(['came', 'went']) };
    case 'freshness':
    case 'unchanged':
      return { size: 1 };
  }
}
