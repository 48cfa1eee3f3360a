import { get, messageOf } from './api.ts';
import { button, element } from './dom.ts';

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
  const details = element(
    'details',
    { class: 'filter', ontoggle: () => void open() },
    summary,
    element('div', { class: 'sheet' }, element('div', { class: 'sheet-top' }, search, none), list),
  );
  let isLoaded = false;

  function label(): void {
    const said = values.size === 0 ? 'all' : values.size <= 3 ? [...values].join(', ') : `${values.size} chosen`;
    summary.replaceChildren(element('span', {}, title), ` ${said}`);
  }
  function tell(): void {
    label();
    changed([...values]);
  }
  function narrow(): void {
    const wanted = search.value.trim().toLowerCase();
    for (const option of list.querySelectorAll('label')) {
      option.hidden = !(option.textContent ?? '').toLowerCase().includes(wanted);
    }
  }
  async function open(): Promise<void> {
    if (!details.open || isLoaded) return;
    isLoaded = true;
    list.replaceChildren(element('p', {}, 'Loading …'));
    try {
      const found = await get<{ values: string[] }>(path, signal);
      list.replaceChildren(...[...new Set([...found.values, ...values])].map(option));
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
  const leave = ({ target }: Event): void => {
    if (target instanceof Node && !details.contains(target)) details.open = false;
  };
  document.addEventListener('pointerdown', leave, { signal });
  details.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    details.open = false;
    summary.focus();
  });
  return details;
}
