import { durationMs } from '../../definition/duration.ts';
import type { Judging } from './judge-series.ts';
import type { KnownHour } from './learnt.ts';
import { limitOf } from './limit.ts';
import { medianOf } from './robust.ts';
import type { Verdict } from './verdict.ts';
import { age } from './words.ts';

/** A source has to have changed so often before anybody can say how often it does. */
const LEAST_CHANGES = 5;
/** A rhythm that was odd so often is the source's rhythm. */
const ODD_BECOMES_USUAL = 3;
/** An alert has no room for more. */
const FACT_NAMES = 20;

/** Whether the source gives the same content for longer than it ever did. */
export function judgeUnchanged(judging: Judging): Verdict | 'learning' | undefined {
  const { measures, at, hours } = judging;
  const { content, late } = measures;
  if (content === undefined || late) return undefined;
  const stretches = stretchesOf(hours);
  const last = stretches.at(-1);
  const since = last?.content === content ? last.from : at;
  const hoursLong = at - since;
  const settings = judging.settings({ rule: 'unchanged' });
  const bound = typeof settings.max === 'string' ? durationMs(settings.max) / 3_600_000 : undefined;
  const severity = settings.severity ?? 'warning';
  const found = `The source has given the same content for ${age(hoursLong)}`;
  const facts = [
    { name: 'unchanged for', value: age(hoursLong) },
    { name: 'since', value: new Date(since * 3_600_000).toISOString().replace('.000Z', 'Z') },
  ];
  const odd = { unchanged: 0 };
  if (bound !== undefined && hoursLong > bound) {
    const sentence = `${found}; the bound that monitors.unchanged sets is ${age(bound)}.`;
    return {
      rule: 'unchanged',
      severity,
      sentence,
      facts: [...facts, { name: 'bound', value: age(bound) }],
      numbers: { found: hoursLong, bound },
      odd,
    };
  }
  // How long the first one had stood before it was first seen, nobody knows.
  const over = stretches.slice(1, last?.content === content ? -1 : undefined);
  const odds = over.filter((stretch) => stretch.odd);
  const usual = (odds.length >= ODD_BECOMES_USUAL ? over : over.filter((stretch) => !stretch.odd)).map(
    ({ long }) => long,
  );
  if (usual.length < LEAST_CHANGES || !judging.isTrained(hours.map((hour) => ({ hour: hour.at })))) return 'learning';
  const longest = Math.max(...usual);
  const middle = medianOf(usual);
  const off = Float64Array.from(usual, (long) => Math.abs(long - middle)).sort();
  const limit = Math.max(longest + 1, middle + limitOf(off, judging.chance(settings)).limit);
  if (hoursLong <= limit) return undefined;
  return {
    ...{ rule: 'unchanged', severity, odd },
    sentence: `${found}, at most ${age(longest)} before (${usual.length} changes).`,
    facts: [...facts, { name: 'longest before', value: age(longest) }, { name: 'odd', value: `above ${age(limit)}` }],
    numbers: { found: hoursLong, expected: longest, runs: hours.length },
  };
}

interface Stretch {
  readonly content: string;
  readonly from: number;
  /** Hours until the content was another. */
  long: number;
  odd: boolean;
}

function stretchesOf(hours: readonly KnownHour[]): Stretch[] {
  const found: Stretch[] = [];
  for (const { measures, at } of hours) {
    const { content, odd, late } = measures;
    if (content === undefined || late) continue;
    const last = found.at(-1);
    if (last?.content !== content) {
      if (last) last.long = at - last.from;
      found.push({ content, from: at, long: 0, odd: false });
    }
    const own = found.at(-1);
    if (own && odd['unchanged'] !== undefined) own.odd = true;
  }
  return found;
}

/** Columns of the file that came, went, or changed places. */
export function judgeSchema(judging: Judging): Verdict | undefined {
  const { measures, monitors, hours } = judging;
  const settings = judging.settings({ rule: 'schema' });
  const { header } = measures;
  const usual = usualHeader(hours, monitors.acceptAfter);
  if (!header || !usual) return undefined;
  const added = header.filter((name) => !usual.header.includes(name));
  const removed = usual.header.filter((name) => !header.includes(name));
  const moved =
    header.filter((name) => usual.header.includes(name)).join('\n') !==
    usual.header.filter((name) => header.includes(name)).join('\n');
  if (added.length + removed.length === 0 && !moved) return undefined;
  const names = (what: readonly string[]): string =>
    what
      .slice(0, 5)
      .map((name) => `"${name}"`)
      .join(', ') + (what.length > 5 ? ' …' : '');
  const changes = [
    ...(added.length > 0 ? [`${names(added)} came`] : []),
    ...(removed.length > 0 ? [`${names(removed)} went`] : []),
    ...(moved ? ['columns changed places'] : []),
  ];
  return {
    ...{ rule: 'schema', severity: settings.severity ?? 'warning' },
    sentence: `The file's columns are others than in ${usual.hour}: ${changes.join('; ')}.`,
    facts: [
      { name: 'came', value: namesOf(added) },
      { name: 'went', value: namesOf(removed) },
      { name: 'compared with', value: usual.hour },
    ],
    odd: { schema: 0 },
  };
}

function namesOf(columns: readonly string[]): string {
  const more = columns.length > FACT_NAMES ? ` and ${columns.length - FACT_NAMES} more` : '';
  return columns.slice(0, FACT_NAMES).join(', ') + more || 'none';
}

/** The newest header that was not odd, or has been there for so many runs that it is the usual. */
function usualHeader(
  hours: readonly KnownHour[],
  acceptAfter: number,
): { header: readonly string[]; hour: string } | undefined {
  let usual: { header: readonly string[]; hour: string } | undefined;
  let streak = 0;
  for (const { measures } of hours) {
    const { header, hour, odd } = measures;
    if (!header) continue;
    streak = odd['schema'] === undefined ? 0 : streak + 1;
    if (streak === 0 || streak >= acceptAfter) usual = { header, hour };
  }
  return usual;
}
