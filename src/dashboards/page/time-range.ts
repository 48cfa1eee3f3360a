import type { Range } from './address.ts';
import { button, choice, element } from './dom.ts';
import { fieldOf } from './moments.ts';

const presets = [
  ['now-1h', 'Last hour'],
  ['now-6h', 'Last 6 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-7d', 'Last 7 days'],
  ['now-30d', 'Last 30 days'],
  ['now-12M', 'Last 12 months'],
] as const;
const CUSTOM = 'custom';
const OWN = 'own';

/**
 * Which time is shown: one that ends now, or from when to when. Times are UTC, as logical hours are.
 * @param own the dashboard’s, where it has one of its own
 * @param changed is given nothing where it is to be that
 */
export function timeRange(
  chosen: Range,
  own: Range | undefined,
  changed: (range: Partial<Range>) => void,
): HTMLElement {
  let shown = chosen;
  const from = moment('From (UTC)');
  const to = moment('To (UTC)');
  const wrong = element('p', { class: 'wrong', role: 'alert' });
  const follow = (): void => {
    from.input.value = fieldOf(shown.from, false);
    to.input.value = fieldOf(shown.to, true);
  };
  const apply = button('Show', () => {
    const [begin, end] = [from.input.value, to.input.value];
    const isRange = begin !== '' && end !== '' && begin < end;
    wrong.textContent = isRange ? '' : 'The time must end after it begins: give both, day and hour.';
    if (!isRange) return;
    shown = { from: `${begin}:00Z`, to: `${end}:00Z` };
    changed(shown);
  });
  const isOwn = own !== undefined && own.from === chosen.from && own.to === chosen.to;
  const preset = chosen.to === 'now' ? presets.find(([start]) => start === chosen.from)?.[0] : undefined;
  const selected = isOwn ? OWN : (preset ?? CUSTOM);
  const custom = element('div', { class: 'custom', hidden: selected !== CUSTOM }, from.label, to.label, apply, wrong);
  const options = [...(own ? [[OWN, 'As this dashboard begins'] as const] : []), ...presets, [CUSTOM, 'From … to …']];
  const select = choice('Time', options as [string, string][], selected, (value) => {
    custom.hidden = value !== CUSTOM;
    wrong.textContent = '';
    // What is shown stays until the fields say something else.
    if (value === CUSTOM) return follow();
    shown = value === OWN && own ? own : { from: value, to: 'now' };
    changed(value === OWN ? {} : shown);
  });
  follow();
  return element('div', { class: 'range' }, select, custom);
}

function moment(label: string): { label: HTMLLabelElement; input: HTMLInputElement } {
  const input = element('input', { type: 'datetime-local', step: 60 });
  return { label: element('label', { class: 'field' }, element('span', {}, label), input), input };
}
