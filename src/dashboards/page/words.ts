import { writeAddress, type Address } from './address.ts';
import { element } from './dom.ts';

/** A link to another view of this page. */
export const link = (address: Address, text: string): HTMLAnchorElement =>
  element('a', { href: writeAddress(address) }, text);

const marks: Readonly<Record<string, string>> = {
  completed: '✓',
  unchanged: '=',
  running: '●',
  failed: '✗',
  terminated: '✗',
  timed_out: '✗',
  cancelled: '⊘',
  paused: '‖',
  halted: '✗',
  open: '!',
  acknowledged: '◐',
  recovered: '✓',
  closed: '✓',
};

/** A state as a sign and a word: never by colour alone. */
export function state(word: string): HTMLElement {
  const sign = element('span', { 'aria-hidden': 'true' }, marks[word] ?? '·');
  return element(
    'span',
    { class: `state ${/^[a-z_]+$/.test(word) ? word : ''}` },
    sign,
    ` ${word.replaceAll('_', ' ')}`,
  );
}

/** `2026-11-26T03:00:00Z` as `2026-11-26 03:00`. */
export const hourWords = (hour: string): string => `${hour.slice(0, 10)} ${hour.slice(11, 13)}:00`;

/** As addresses have it: `2026-11-26T03`. */
export const hourKey = (hour: string): string => hour.slice(0, 13);
