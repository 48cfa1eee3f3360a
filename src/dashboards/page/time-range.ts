import type { Range } from './address.ts';
import { button, choice, element } from './dom.ts';

const presets = [
  ['now-1h', 'Last hour'],
  ['now-6h', 'Last 6 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-7d', 'Last 7 days'],
  ['now-30d', 'Last 30 days'],
  ['now-12M', 'Last 12 months'],
] as const;
const CUSTOM = 'custom';
const minutes = { m: 1, h: 60, d: 1_440, w: 10_080, M: 43_830 } as const;

/** Which time is shown: one that ends now, or from when to when. Times are UTC, as logical hours are. */
export function timeRange(chosen: Range, changed: (range: Range) => void): HTMLElement {
  const preset = chosen.to === 'now' ? presets.find(([from]) => from === chosen.from) : undefined;
  const from = moment('From (UTC)', instantOf(chosen.from));
  const to = moment('To (UTC)', instantOf(chosen.to));
  const wrong = element('p', { class: 'wrong', role: 'alert' });
  const apply = button('Show', () => {
    const [begin, end] = [from.input.value, to.input.value];
    const isRange = begin !== '' && end !== '' && begin < end;
    wrong.textContent = isRange ? '' : 'The time must end after it begins: give both, day and hour.';
    if (isRange) changed({ from: `${begin}:00Z`, to: `${end}:00Z` });
  });
  const custom = element('div', { class: 'custom', hidden: preset !== undefined }, from.label, to.label, apply, wrong);
  const select = choice('Time', [...presets, [CUSTOM, 'From … to …']], preset?.[0] ?? CUSTOM, (value) => {
    custom.hidden = value !== CUSTOM;
    if (value !== CUSTOM) changed({ from: value, to: 'now' });
  });
  return element('div', { class: 'range' }, select, custom);
}

function moment(label: string, value: string): { label: HTMLLabelElement; input: HTMLInputElement } {
  const input = element('input', { type: 'datetime-local', value, step: 60 });
  return { label: element('label', { class: 'field' }, element('span', {}, label), input), input };
}

/** As a field for a time wants it, in UTC. */
function instantOf(date: string): string {
  const [, count = '0', unit = 'h'] = /^now-(\d+)([mhdwM])$/.exec(date) ?? [];
  const back = Number(count) * minutes[unit as keyof typeof minutes] * 60_000;
  const at = date.startsWith('now') ? Date.now() - back : Date.parse(date);
  return Number.isNaN(at) ? '' : new Date(at).toISOString().slice(0, 16);
}
