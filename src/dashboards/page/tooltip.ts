import { element } from './dom.ts';
import { number } from './format.ts';

let shown: HTMLElement | undefined;

/** What is said of a mark under the pointer; nothing where there is none. The table says the same to whoever has no pointer. */
export function showTooltip(event: { readonly clientX?: number; readonly clientY?: number }, value: unknown): void {
  hideTooltip();
  if (value === null || value === undefined || value === '') return;
  const { clientX = 0, clientY = 0 } = event;
  shown = element('div', { class: 'tooltip', 'aria-hidden': 'true' }, contentOf(value));
  document.body.append(shown);
  const { offsetWidth, offsetHeight } = shown;
  const left = clientX + 14 + offsetWidth > innerWidth ? clientX - 14 - offsetWidth : clientX + 14;
  const top = clientY + 14 + offsetHeight > innerHeight ? clientY - 14 - offsetHeight : clientY + 14;
  shown.style.left = `${Math.max(4, left)}px`;
  shown.style.top = `${Math.max(4, top)}px`;
}

export function hideTooltip(): void {
  shown?.remove();
  shown = undefined;
}

function contentOf(value: unknown): Node {
  if (typeof value !== 'object' || value === null) return document.createTextNode(textOf(value));
  const rows = Object.entries(value).flatMap(([name, held]) => [
    element('dt', {}, name),
    element('dd', {}, textOf(held)),
  ]);
  return element('dl', {}, ...rows);
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
