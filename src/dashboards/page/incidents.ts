import type { Incident } from '../../definition/incidents.ts';
import type { Address } from './address.ts';
import { age } from './ages.ts';
import { get, messageOf } from './api.ts';
import { element, failed, say } from './dom.ts';
import { counted } from './format.ts';
import { perform, type Act } from './incident-acts.ts';
import { incidentCard, type Allowed } from './incident-card.ts';
import { keyOf } from './incident.ts';
import { Loading } from './loading.ts';
import { regularly, type Room } from './room.ts';

type IncidentsAddress = Extract<Address, { view: 'incidents' }>;

const SECONDS = 5;
const MOST = 100;
/** So many of those that are over are shown. */
const OVER = 20;
const LOOKS_ALONE =
  'This token lets look alone: who has the API’s own token (SLUICE_API_TOKEN) acknowledges, silences and closes.';

/** What is wrong now, and who sees to it; what is over behind a choice. @param changed called after a word to one */
export async function incidents(room: Room, address: IncidentsAddress, changed: () => void): Promise<void> {
  let now = address;
  const loading = new Loading(room.signal, load);
  const open = new Cards('Open incidents', act);
  const over = new Cards('Incidents that are over', act);
  const standing = element('p', { class: 'lead' });
  const more = element('p', { class: 'note' });
  const overTitle = element('h2', { hidden: true }, 'Over');
  const trouble = element('div');
  const names = element('datalist', { id: 'incident-pipelines' });
  const input = element('input', {
    ...{ list: 'incident-pipelines', value: now.pipeline ?? '', placeholder: 'all', autocomplete: 'off' },
    onchange: () => change({ pipeline: input.value.trim() || undefined }),
  });
  const toggle = element('input', {
    ...{ type: 'checkbox', checked: now.over !== undefined },
    onchange: () => change({ over: toggle.checked ? 'shown' : undefined }),
  });

  function change(changes: { pipeline?: string | undefined; over?: 'shown' | undefined }): void {
    const { pipeline, over: shown } = { pipeline: now.pipeline, over: now.over, ...changes };
    now = {
      view: 'incidents',
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(shown === undefined ? {} : { over: shown }),
    };
    room.remember(now);
    void loading.again(nameOf(now));
  }

  async function load(_name: string, signal: AbortSignal): Promise<void> {
    const wanted = now;
    try {
      const [opened, all, maySteer] = await Promise.all([
        get<{ incidents: Incident[] }>(pathOf(wanted, 'open'), signal),
        wanted.over === undefined ? undefined : get<{ incidents: Incident[] }>(pathOf(wanted, 'all'), signal),
        room.maySteer(),
      ]);
      if (signal.aborted) return;
      trouble.replaceChildren();
      const ended = (all?.incidents ?? []).filter(({ endedAt }) => endedAt !== undefined);
      open.show(opened.incidents.toSorted(worstFirst), maySteer);
      over.show(ended.slice(0, OVER), maySteer);
      overTitle.hidden = ended.length === 0;
      tell(opened.incidents, wanted.over === undefined ? undefined : ended, wanted);
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(failed(messageOf(error), () => void loading.again(nameOf(now))));
    }
  }

  function tell(
    opened: readonly Incident[],
    ended: readonly Incident[] | undefined,
    { pipeline }: IncidentsAddress,
  ): void {
    const whose = pipeline === undefined ? '' : ` of ${pipeline}`;
    const { length: count } = opened;
    const sentences = [
      count === 0
        ? `No incident${whose} is open.`
        : `${count >= MOST ? `The newest ${MOST} incidents` : counted(count, 'incident')}${whose} ${count === 1 ? 'is' : 'are'} open.`,
      ...(ended?.length === 0 ? ['None that is over is known.'] : []),
    ];
    set(standing, sentences.join(' '));
    set(more, (ended?.length ?? 0) > OVER ? `These are the newest ${OVER}; “sluice incidents --all” has more.` : '');
    const known = [...new Set([...opened, ...(ended ?? [])].map((incident) => incident.pipeline))].toSorted();
    if (pipeline === undefined) names.replaceChildren(...known.map((value) => element('option', { value })));
  }

  async function act(word: Act, incident: Incident): Promise<void> {
    const said = await perform(word, incident);
    if (said !== undefined) {
      say(said);
      changed();
      // What was asked before it says how it stood before.
      await loading.anew(nameOf(now));
    }
    open.focus(incident, word);
  }

  room.element.replaceChildren(
    element('h1', { tabindex: -1 }, 'Incidents'),
    element(
      'form',
      { class: 'controls', 'aria-label': 'Which incidents', onsubmit: (event) => event.preventDefault() },
      element('label', { class: 'field' }, element('span', {}, 'Pipeline'), input),
      element('label', { class: 'check' }, toggle, ' Show those that are over'),
      names,
    ),
    standing,
    trouble,
    open.element,
    overTitle,
    over.element,
    more,
  );
  await loading.again(nameOf(now));
  regularly(SECONDS, room.signal, () => void loading.again(nameOf(now)));
}

/** Cards of incidents. Those that have not changed are left alone, and with them who stands on one of their buttons, and what is marked. */
class Cards {
  readonly element: HTMLElement;
  readonly #act: (word: Act, incident: Incident) => Promise<void>;
  readonly #shown = new Map<string, { readonly text: string; readonly card: HTMLElement }>();

  constructor(label: string, act: (word: Act, incident: Incident) => Promise<void>) {
    this.element = element('section', { class: 'cards', 'aria-label': label });
    this.#act = act;
  }

  show(incidents: readonly Incident[], maySteer: boolean): void {
    const focused = document.activeElement;
    const wanted = new Map(incidents.map((incident) => [keyOf(incident), incident]));
    for (const [key, { card }] of this.#shown) {
      if (wanted.has(key)) continue;
      card.remove();
      this.#shown.delete(key);
    }
    let before: Element | null = null;
    for (const [key, incident] of wanted) {
      const card = this.#cardOf(key, incident, maySteer, focused);
      const place: Element | null = before === null ? this.element.firstElementChild : before.nextElementSibling;
      if (place !== card) this.element.insertBefore(card, place);
      before = card;
    }
    age(this.element);
    this.element.hidden = wanted.size === 0;
  }

  /** The button of a word, where it stands; else another of the same incident, or the heading. */
  focus(incident: Incident, word: Act): void {
    const card = this.#shown.get(keyOf(incident))?.card;
    const found =
      card?.querySelector<HTMLElement>(`[data-act="${word}"]`) ?? card?.querySelector<HTMLElement>('[data-act]');
    (found ?? document.querySelector<HTMLElement>('main h1'))?.focus();
  }

  #cardOf(key: string, incident: Incident, maySteer: boolean, focused: Element | null): HTMLElement {
    // What is silent is so until a moment, which comes without any change of the incident.
    const isSilent = Date.parse(incident.silencedUntil ?? '') > Date.now();
    const text = JSON.stringify([incident, maySteer, isSilent]);
    const known = this.#shown.get(key);
    if (known?.text === text) return known.card;
    const allowed: Allowed = maySteer ? (word) => void this.#act(word, incident) : LOOKS_ALONE;
    const card = incidentCard(incident, allowed);
    const stood = focused instanceof HTMLElement && known?.card.contains(focused) ? focused.dataset['act'] : undefined;
    known?.card.replaceWith(card);
    this.#shown.set(key, { text, card });
    if (stood !== undefined) this.focus(incident, stood as Act);
    return card;
  }
}

const nameOf = ({ pipeline = '', over }: IncidentsAddress): string => `${pipeline} ${over ?? ''}`;

function pathOf({ pipeline }: IncidentsAddress, state: 'open' | 'all'): string {
  const query = new URLSearchParams({ state, limit: String(MOST) });
  if (pipeline !== undefined) query.set('pipeline', pipeline);
  return `/incidents?${query.toString()}`;
}

/** The worst in front, and of them those that nobody sees to; the newest first otherwise. */
const worstFirst = (a: Incident, b: Incident): number =>
  rank(a) - rank(b) || (a.openedAt < b.openedAt ? 1 : a.openedAt > b.openedAt ? -1 : 0);

const rank = ({ severity, state }: Incident): number =>
  (severity === 'critical' ? 0 : 2) + (state === 'acknowledged' ? 1 : 0);

function set(paragraph: HTMLElement, text: string): void {
  if (paragraph.textContent !== text) paragraph.textContent = text;
}
