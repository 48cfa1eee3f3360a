import type { CalendarValue } from './calendar.ts';

/** The fields of a cron text, in its order. */
export const cronFields = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;

const words: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** The fields of a cron text, or what is wrong with it as a whole. */
export function cronCalendar(
  text: string,
): { readonly fields: Readonly<Record<(typeof cronFields)[number], CalendarValue>> } | { readonly problem: string } {
  const trimmed = text.trim();
  if (/^(CRON_)?TZ=/.test(trimmed)) return { problem: 'names a time zone: that is said by schedule.timezone' };
  if (trimmed.startsWith('@every')) return { problem: 'is an interval: that is said by schedule.every' };
  if (trimmed.startsWith('@') && words[trimmed] === undefined) {
    return { problem: `"${trimmed}" is not known; there are ${Object.keys(words).join(', ')}` };
  }
  const fields = (words[trimmed] ?? trimmed).split(/\s+/);
  if (fields.length !== 5) {
    const found = trimmed === '' ? 'no' : fields.length;
    return { problem: `has ${found} fields, not 5: minute, hour, day of month, month, day of week` };
  }
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  return { fields: { minute, hour, dayOfMonth, month, dayOfWeek } };
}
