const minutes = { s: 1 / 60, m: 1, h: 60, d: 1_440, w: 10_080, M: 43_830, y: 525_960 } as const;

/**
 * A date as a field for a time wants it, in UTC; empty where it is none. A day alone begins at 00:00 and ends at 23:59, as for Elasticsearch.
 * @param date as Elasticsearch takes it: `now-24h`, `2026-11-24`, `2026-11-24T03:00:00Z`; what it is rounded to (`now-7d/d`) is left out
 */
export function fieldOf(date: string, isEnd: boolean, now = Date.now()): string {
  const [, day, hour, minute = isEnd ? '59' : '00'] = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d))?)?$/.exec(date) ?? [];
  // Without a zone it is UTC; by itself the browser would take it for its own.
  if (day !== undefined) return `${day}T${hour ?? (isEnd ? '23' : '00')}:${minute}`;
  const [, count = '0', unit = 'h'] = /^now-(\d+)([smhdwMy])/.exec(date) ?? [];
  const back = Number(count) * minutes[unit as keyof typeof minutes] * 60_000;
  const at = date.startsWith('now') ? now - back : Date.parse(date);
  return Number.isNaN(at) ? '' : new Date(at).toISOString().slice(0, 16);
}
