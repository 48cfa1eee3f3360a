import type { Incident } from '../../definition/incidents.ts';
import { ApiError, get } from './api.ts';
import { element, say } from './dom.ts';
import { counted } from './format.ts';
import { Loading } from './loading.ts';
import { regularly } from './room.ts';
import { setOpen } from './title.ts';

const SECONDS = 15;
/** While another tab is looked at: browsers let no timer do more often then. */
const HIDDEN_SECONDS = 60;
const MOST = 100;
const PATH = `/incidents?limit=${MOST}`;

/** How many incidents are open, in the page's header and in the title of its tab, whatever view is shown; the title is seen from other tabs, too. */
export class OpenIncidents {
  readonly #badge: HTMLElement;
  readonly #loading: Loading;
  #known: number | undefined;
  /** The API wants a token first. */
  #isLocked = false;

  /** @param badge in the link to the incidents: empty where there is none */
  constructor(badge: HTMLElement) {
    this.#badge = badge;
    const always = new AbortController().signal;
    this.#loading = new Loading(always, (path, signal) => this.#load(path, signal));
    const look = (): void => {
      if (!this.#isLocked) void this.#loading.again(PATH);
    };
    regularly(SECONDS, always, look);
    setInterval(() => {
      if (document.hidden) look();
    }, HIDDEN_SECONDS * 1_000);
  }

  /** Counts them now: after a word to one, or once there is a token. */
  anew(): void {
    this.#isLocked = false;
    void this.#loading.anew(PATH);
  }

  async #load(path: string, signal: AbortSignal): Promise<void> {
    try {
      const { incidents } = await get<{ incidents: Incident[] }>(path, signal);
      if (!signal.aborted) this.#tell(incidents);
    } catch (error) {
      if (signal.aborted) return;
      this.#isLocked = error instanceof ApiError && error.status === 401;
      // What is wrong the view says, that asks the same server. A number that may be old would be worse than none.
      this.#show([]);
    }
  }

  #tell(open: readonly Incident[]): void {
    const { length: count } = open;
    if (this.#known !== undefined && count > this.#known)
      say(`${counted(count, 'incident is open', 'incidents are open')}.`);
    this.#known = count;
    this.#show(open);
  }

  #show(open: readonly Incident[]): void {
    const { length: count } = open;
    const text = count >= MOST ? `${MOST}+` : String(count);
    this.#badge.hidden = count === 0;
    this.#badge.replaceChildren(...(count === 0 ? [] : [text, element('span', { class: 'unseen' }, ' open')]));
    this.#badge.classList.toggle(
      'critical',
      open.some(({ severity }) => severity === 'critical'),
    );
    setOpen(count);
  }
}
