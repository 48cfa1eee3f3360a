import { element } from './dom.ts';
import { number } from './format.ts';

export interface Table {
  readonly columns: readonly { readonly title: string; readonly numeric?: boolean }[];
  readonly rows: readonly (readonly unknown[])[];
}

/** A table that scrolls in a room of its own. @param label what it holds, for who does not see it */
export function tableOf({ columns, rows }: Table, label: string): HTMLElement {
  const isNumeric = columns.map(({ numeric }) => numeric === true);
  const head = columns.map(({ title }, at) =>
    element('th', { scope: 'col', class: isNumeric[at] ? 'number' : undefined }, title),
  );
  const body = rows.map((row) => element('tr', {}, ...row.map((value, at) => cell(value, isNumeric[at] === true))));
  const table = element(
    'table',
    {},
    element('caption', { class: 'unseen' }, label),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
  return scrolling(table, label);
}

/** Reached by keyboard, since it may hold more than it shows. */
export const scrolling = (content: HTMLElement, label: string): HTMLElement =>
  element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, content);

function cell(value: unknown, numeric: boolean): HTMLElement {
  if (value instanceof Node) return element('td', { class: numeric ? 'number' : undefined }, value);
  const text =
    value === null || value === undefined
      ? '–'
      : typeof value === 'number'
        ? number(value)
        : typeof value === 'string'
          ? value
          : JSON.stringify(value);
  // The whole number, too: what is read is rounded.
  const exact = typeof value === 'number' ? value : undefined;
  return element('td', { class: numeric ? 'number' : undefined, 'data-value': exact }, text);
}
