/** `32,735`, `0.4132`. */
export function amount(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });
}

/** A part of 1: `2.5 %`. */
export const percent = (share: number): string => `${digits(share * 100)} %`;

/** A difference of parts of 1. */
export const points = (by: number): string => `${digits(by * 100)} percentage points`;

export function seconds(value: number): string {
  if (value < 120) return `${digits(value)} s`;
  return value < 7_200 ? `${digits(value / 60)} min` : `${digits(value / 3_600)} h`;
}

/** How often a deviation has what is usual in it: `11.8 usual deviations`. */
export const deviationsText = (times: number): string =>
  `${digits(Math.min(times, 1_000))}${times > 1_000 ? ' and more' : ''} usual deviations`;

/** Hours. */
export const age = (hours: number): string => (hours < 72 ? `${digits(hours)} h` : `${digits(hours / 24)} days`);

/** Three digits that count, as far as there are any behind the point. */
function digits(value: number): string {
  const behind = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Number(value.toFixed(behind)).toLocaleString('en');
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `on Thursdays at 14:00 UTC`. @param hour since 1970 */
export function rhythmText(rhythm: 'none' | 'day' | 'day and weekday' | 'week', hour: number, weekday: number): string {
  const clock = `${String(hour % 24).padStart(2, '0')}:00 UTC`;
  if (rhythm === 'none') return '';
  return rhythm === 'day' ? ` at ${clock}` : ` on ${weekdays[weekday]}s at ${clock}`;
}
