/** Years as people write them; JavaScript and Elasticsearch both know all of their days. */
const days = [
  '[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)',
  '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29',
].join('|');
const clock = '([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)?';
const zone = '(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])';
const relative = 'now([+-][0-9]{1,5}[smhdwMy]){0,2}(/[smhdwMy])?';

/**
 * A moment as people and Elasticsearch write it: a date, a date with a time (UTC where it names no zone), or `now` with up to two steps and a
 * rounding, like `now-7d/d`.
 */
export const momentPattern = new RegExp(`^(${relative}|(${days})(T${clock}${zone}?)?)$`);
export const MOMENT_FORMS = 'now-24h, now/d, 2026-11-24 or 2026-11-24T03:00:00Z';

/** A stretch of time; both ends belong to it. */
export interface MomentRange {
  readonly from: string;
  readonly to: string;
}

/** What is looked at where nothing is said. */
export const LAST_DAY: MomentRange = { from: 'now-24h', to: 'now' };

export const isRelative = (moment: string): boolean => moment.startsWith('now');

/**
 * A moment in milliseconds since 1970. What it leaves out is filled up, and what it rounds to is rounded, to the beginning for `from` and to the last
 * millisecond for `to`: a range to 2020-10-31 has all of that day. Elasticsearch takes `gte` and `lte` alike.
 * @param moment of {@link momentPattern}; NaN of another text
 */
export function instantOf(moment: string, end: keyof MomentRange, now: number): number {
  if (!momentPattern.test(moment)) return Number.NaN;
  if (!isRelative(moment)) return Date.parse(filledUp(moment, end));
  let at = now;
  for (const [, count = '', unit = ''] of moment.matchAll(/([+-]\d+)(\w)/g)) at = moved(at, Number(count), unit);
  const [, unit] = /\/(\w)$/.exec(moment) ?? [];
  if (unit === undefined) return at;
  const begin = beginOf(at, unit);
  return end === 'from' ? begin : moved(begin, 1, unit) - 1;
}

/** The moment as a search is to have it: a date as the instant that is meant, one that counts from now as it is. */
export function explicitMoment(moment: string, end: keyof MomentRange): string {
  const at = isRelative(moment) ? Number.NaN : instantOf(moment, end, 0);
  return Number.isNaN(at) ? moment : new Date(at).toISOString();
}

/** Whether a range has anything in it. */
export const isForwards = ({ from, to }: MomentRange, now: number): boolean =>
  instantOf(from, 'from', now) < instantOf(to, 'to', now);

/** The same whatever the clock says: undefined where it depends on that. */
export function isAlwaysForwards(range: MomentRange): boolean | undefined {
  return isRelative(range.from) === isRelative(range.to) ? isForwards(range, SOME_NOON) : undefined;
}

/** In the middle of its hour, day, week, month and year. */
const SOME_NOON = Date.UTC(2026, 5, 17, 12, 30, 30, 500);

function filledUp(moment: string, end: keyof MomentRange): string {
  const [, day = '', time = '', offset = 'Z'] = /^(.{10})(?:T([\d:.]+)(.*))?$/.exec(moment) ?? [];
  const rest = end === 'from' ? '00:00:00.000' : '23:59:59.999';
  const whole = time.includes('.') ? `${time}00`.slice(0, rest.length) : time + rest.slice(time.length);
  return `${day}T${whole}${offset || 'Z'}`;
}

const lengths: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function moved(at: number, count: number, unit: string): number {
  const length = lengths[unit];
  if (length !== undefined) return at + count * length;
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'y' ? 12 : 1));
  const last = new Date(date);
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  // The 31st of a month that has thirty days is its last one.
  date.setUTCDate(Math.min(day, last.getUTCDate()));
  return date.getTime();
}

function beginOf(at: number, unit: string): number {
  const date = new Date(at);
  if (unit === 'M' || unit === 'y') {
    date.setUTCHours(0, 0, 0, 0);
    date.setUTCMonth(unit === 'y' ? 0 : date.getUTCMonth(), 1);
    return date.getTime();
  }
  // 1970 began on a Thursday, and weeks begin on Mondays.
  const shift = unit === 'w' ? 3 * 86_400_000 : 0;
  const length = lengths[unit] ?? 1;
  return Math.floor((at + shift) / length) * length - shift;
}
