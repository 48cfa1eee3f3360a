import type { Judging } from './judge-series.ts';
import type { KnownHour } from './learnt.ts';
import { limitOf, sigmasOf } from './limit.ts';
import { medianOf } from './robust.ts';
import type { Verdict } from './verdict.ts';
import { amount, percent, points } from './words.ts';

type Counts = Readonly<Record<string, number>>;

/** A value that was there in nearly all runs is missed once it is gone. */
const NEARLY_ALL = 0.99;
/** So few rows of a value may be missing by chance. */
const SURELY = 20;
const LEAST_ROWS = 5;
/** What usually is how often, is known from so many runs. */
const MIX_RUNS = 168;
const NAMED = 3;

/** Values of a column that are new or gone. */
export function judgeCategories(judging: Judging, column: string): Verdict | 'learning' | undefined {
  const { measures, monitors, repeats } = judging;
  const now = measures.categories?.[column];
  if (!now || repeats) return undefined;
  const key = `categories/${column}`;
  const hours = judging.compared(true).filter(({ measures: { categories } }) => categories?.[column] !== undefined);
  const learnt = withoutOdd(hours, key, monitors.acceptAfter);
  if (!judging.isTrained(learnt.map(({ at }) => ({ hour: at })))) return 'learning';
  const settings = judging.settings({ rule: 'categories', subject: column });
  const least = (settings.leastPercent ?? 1) / 100;
  const rows = sum(now);
  const earlier = learnt.map(({ measures: { categories } }) => categories?.[column] ?? {});
  const seenIn = new Map<string, number>();
  for (const counts of earlier)
    for (const value of Object.keys(counts)) seenIn.set(value, (seenIn.get(value) ?? 0) + 1);
  const added = isOpen(earlier, least)
    ? []
    : Object.entries(now).filter(
        ([value, count]) => count >= LEAST_ROWS && count >= least * rows && !seenIn.has(value),
      );
  const gone = [...seenIn].flatMap(([value, times]) => {
    if (Object.hasOwn(now, value) || times < NEARLY_ALL * earlier.length) return [];
    const share = medianOf(earlier.map((counts) => shareIn(counts, value)));
    return share >= least && share * rows >= SURELY ? [[value, share] as const] : [];
  });
  if (added.length + gone.length === 0) return undefined;
  const what = [
    ...listed(
      'new',
      added.map(([value, count]) => `"${value}" (${amount(count)} rows, ${percent(count / rows)})`),
    ),
    ...listed(
      'gone',
      gone.map(([value, share]) => `"${value}" (usually ${percent(share)} of the rows)`),
    ),
  ].join('; ');
  return {
    ...{ rule: 'categories', subject: column, severity: settings.severity ?? 'warning' },
    sentence: `In ${column} ${what}; compared with ${earlier.length} runs.`,
    facts: [
      { name: 'new', value: added.map(([value]) => value).join(', ') || 'none' },
      { name: 'gone', value: gone.map(([value]) => value).join(', ') || 'none' },
      { name: 'compared with', value: `${earlier.length} runs` },
    ],
    numbers: { runs: earlier.length },
    odd: { [key]: 0, [`mix/${column}`]: 0 },
  };
}

/** How often each of few values occurs: which share of the rows would have to have another one for it to be as usual. */
export function judgeMix(judging: Judging, column: string): Verdict | 'learning' | undefined {
  const { measures, monitors, repeats } = judging;
  const now = measures.categories?.[column];
  if (!now || repeats) return undefined;
  const key = `mix/${column}`;
  const hours = judging.compared(true).filter(({ measures: { categories } }) => categories?.[column] !== undefined);
  const wasOdd = hours.at(-1)?.measures.odd[key] !== undefined;
  const learnt = withoutOdd(hours, key, monitors.acceptAfter).slice(-MIX_RUNS);
  if (!judging.isTrained(learnt.map(({ at }) => ({ hour: at })))) return 'learning';
  const settings = judging.settings({ rule: 'distribution', subject: column });
  const earlier = learnt.map(({ measures: { categories } }) => categories?.[column] ?? {});
  const values = [...new Set([now, ...earlier].flatMap((counts) => Object.keys(counts)))];
  const usual = new Map(values.map((value) => [value, medianOf(earlier.map((counts) => shareIn(counts, value)))]));
  const off = (counts: Counts): number =>
    values.reduce((all, value) => all + Math.abs(shareIn(counts, value) - (usual.get(value) ?? 0)), 0) / 2;
  const chance = judging.chance(settings);
  const expected = medianOf(earlier.map(off));
  const { limit } = limitOf(Float64Array.from(earlier, (counts) => Math.abs(off(counts) - expected)).sort(), chance);
  const noise = (sigmasOf(chance) * 0.5) / Math.sqrt(Math.max(1, sum(now)));
  const found = off(now);
  const allowed = expected + Math.max(limit, noise);
  const ease = wasOdd ? 0.6 : 1;
  if (found <= allowed * ease || found - expected < ((settings.leastChangePercent ?? 5) / 100) * ease) return undefined;
  const moved = values
    .map((value) => ({ value, by: shareIn(now, value) - (usual.get(value) ?? 0) }))
    .toSorted((a, b) => Math.abs(b.by) - Math.abs(a.by));
  const named = moved.slice(0, NAMED).map(({ value }) => {
    return `"${value}" has ${percent(shareIn(now, value))} of the rows, usually ${percent(usual.get(value) ?? 0)}`;
  });
  return {
    ...{ rule: 'distribution', subject: column, severity: settings.severity ?? 'warning' },
    sentence: `The values of ${column} are spread otherwise by ${points(found)}, usually ${points(expected)} (median of ${earlier.length} runs): ${named.join('; ')}.`,
    facts: [
      { name: 'found', value: points(found) },
      { name: 'usual', value: points(expected) },
      { name: 'odd', value: `above ${points(allowed)}` },
      { name: 'compared with', value: `${earlier.length} runs` },
    ],
    numbers: { found, expected, runs: earlier.length },
    odd: { [key]: expected },
  };
}

/** What is odd is not learnt from until it has been so for so many runs in a row: then it is all there is to learn from. */
function withoutOdd(hours: readonly KnownHour[], key: string, acceptAfter: number): readonly KnownHour[] {
  let learnt: KnownHour[] = [];
  let streak: KnownHour[] = [];
  const endStreak = (): void => {
    if (streak.length >= acceptAfter)
      learnt = key.startsWith('mix/') ? streak : [...learnt.slice(-streak.length), ...streak];
    streak = [];
  };
  for (const hour of hours) {
    if (hour.measures.odd[key] !== undefined) streak.push(hour);
    else {
      endStreak();
      learnt.push(hour);
    }
  }
  endStreak();
  return learnt;
}

/** Whether new values are nothing new: in the newer half of the runs some came that none before had. */
function isOpen(earlier: readonly Counts[], least: number): boolean {
  const seen = new Set(earlier.slice(0, earlier.length >> 1).flatMap((counts) => Object.keys(counts)));
  return earlier
    .slice(earlier.length >> 1)
    .some((counts) => Object.keys(counts).some((value) => !seen.has(value) && shareIn(counts, value) >= least));
}

const sum = (counts: Counts): number => Object.values(counts).reduce((all, rows) => all + rows, 0);

function shareIn(counts: Counts, value: string): number {
  const rows = Object.hasOwn(counts, value) ? (counts[value] ?? 0) : 0;
  return rows === 0 ? 0 : rows / sum(counts);
}

function listed(word: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const more = values.length > NAMED ? ` and ${values.length - NAMED} more` : '';
  return [`${values.slice(0, NAMED).join(', ')}${more} ${values.length === 1 ? 'is' : 'are'} ${word}`];
}
