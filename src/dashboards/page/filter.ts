import { get, messageOf } from './api.ts';
import { button, element } from './dom.ts';
import { MOST_CHOSEN, offered, type Values } from './offered.ts';

/** Who ticks several is asked for once. */
const REST_MS = 300;
/** Pixels between a sheet and the edge of the page. */
const MARGIN = 12;

interface FilterEntry {
  readonly field: string;
  readonly title: string;
}

/** Any of the values that occur. They are asked for when it is opened. */
export function filter(
  path: string,
  { title }: FilterEntry,
  chosen: readonly string[],
  signal: AbortSignal,
  changed: (values: readonly string[]) => void,
): HTMLElement {
  const values = new Set(chosen);
  const summary = element('summary');
  const list = element('div', { class: 'options' });
  const notes = element('div');
  const most = element('p', { class: 'note', role: 'status' });
  const search = element('input', {
    type: 'search',
    'aria-label': `Find in ${title}`,
    placeholder: 'Find',
    oninput: narrow,
  });
  const none = button('All', () => {
    values.clear();
    for (const box of list.querySelectorAll('input')) box.checked = false;
    tell();
  });
  const top = element('div', { class: 'sheet-top' }, search, none);
  const sheet = element('div', { class: 'sheet' }, top, list, most, notes);
  const details = element('details', { class: 'filter', ontoggle: () => void open() }, summary, sheet);
  let isLoaded = false;
  let rest: ReturnType<typeof setTimeout> | undefined;

  function label(): void {
    const said = values.size === 0 ? 'all' : values.size <= 3 ? [...values].join(', ') : `${values.size} chosen`;
    summary.replaceChildren(element('span', {}, title), ` ${said}`);
  }
  function tell(): void {
    label();
    limit();
    clearTimeout(rest);
    rest = setTimeout(() => changed([...values]), REST_MS);
  }
  function limit(): void {
    const isFull = values.size >= MOST_CHOSEN;
    most.textContent = isFull ? `${MOST_CHOSEN} values are as many as can be chosen.` : '';
    for (const box of list.querySelectorAll('input')) box.disabled = isFull && !box.checked;
  }
  function narrow(): void {
    const wanted = search.value.trim().toLowerCase();
    for (const option of list.querySelectorAll('label')) {
      option.hidden = !(option.textContent ?? '').toLowerCase().includes(wanted);
    }
  }
  /** Further left, where it would stand out of the page. */
  function place(): void {
    sheet.style.left = '';
    const out = sheet.getBoundingClientRect().right - (document.documentElement.clientWidth - MARGIN);
    if (out > 1) sheet.style.left = `${-Math.ceil(out)}px`;
  }
  async function open(): Promise<void> {
    if (details.open) place();
    if (!details.open || isLoaded) return;
    isLoaded = true;
    list.replaceChildren(element('p', {}, 'Loading …'));
    try {
      const found = offered(await get<Values>(path, signal), values);
      list.replaceChildren(...found.values.map(option));
      notes.replaceChildren(...found.notes.map((sentence) => element('p', { class: 'note' }, sentence)));
      limit();
      if (list.childElementCount === 0) list.append(element('p', {}, 'There is no value yet.'));
    } catch (error) {
      isLoaded = false;
      if (!signal.aborted) list.replaceChildren(element('p', { role: 'alert' }, messageOf(error)));
    }
  }
  function option(value: string): HTMLElement {
    const box = element('input', {
      ...{ type: 'checkbox', checked: values.has(value) },
      onchange: () => {
        if (box.checked) values.add(value);
        else values.delete(value);
        tell();
      },
    });
    return element('label', {}, box, ` ${value === '' ? '(empty)' : value}`);
  }

  label();
  signal.addEventListener('abort', () => clearTimeout(rest));
  const leave = ({ target }: Event): void => {
    if (target instanceof Node && !details.contains(target)) details.open = false;
  };
  document.addEventListener('pointerdown', leave, { signal });
  details.addEventListener('focusout', ({ relatedTarget: next }) => {
    // A click on what cannot be focused goes to whatever is around all of this: the reader is still here.
    if (next instanceof Node && !details.contains(next) && !next.contains(details)) details.open = false;
  });
  details.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    details.open = false;
    summary.focus();
  });
  return details;
}
