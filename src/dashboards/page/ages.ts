import { element } from './dom.ts';
import { ago } from './format.ts';

/** How long an instant is past, for people; the instant itself for whoever points at it. @param at ISO 8601 */
export const timeAgo = (at: string): HTMLTimeElement =>
  element('time', { datetime: at, title: at }, ago(Date.parse(at)));

/** Says anew how long ago each was. */
export function age(within: HTMLElement): void {
  for (const time of within.querySelectorAll('time')) {
    const text = ago(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}
