import { PATH, readAddress, writeAddress, type Address } from './address.ts';
import { ApiError, get, messageOf, onRefused } from './api.ts';
import { board } from './board.ts';
import { consumers } from './consumers.ts';
import { element, failed } from './dom.ts';
import { incidents } from './incidents.ts';
import { startMode } from './mode.ts';
import { OpenIncidents } from './open-incidents.ts';
import { quarantine } from './quarantine.ts';
import { report } from './report.ts';
import type { Room } from './room.ts';
import { runs } from './runs.ts';
import { setTitle } from './title.ts';
import { tokenForm } from './token-form.ts';

const titles = {
  ...{ board: 'Dashboards', runs: 'Runs', run: 'Run', incidents: 'Incidents' },
  ...{ quarantine: 'Quarantine', consumers: 'Consumers' },
};
const main = found('#main');
let showing = new AbortController();
/** The query of the address that is shown. */
let shown = '';
/** Asked once, and again after a token was given. */
let session: Promise<{ readonly maySteer: boolean }> | undefined;
/** Whether the form for the token stands in place of a view. */
let isAsking = false;

function found(selector: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/** Draws what the address says. @param moved whether the reader came from another view */
async function show(moved: boolean): Promise<void> {
  showing.abort();
  showing = new AbortController();
  const { signal } = showing;
  shown = location.search;
  const view = element('div', { class: 'view' });
  let title = titles.board;
  try {
    const address = readAddress(location.search);
    title = titles[address.view];
    mark(address);
    view.classList.add(address.view);
    await draw({ element: view, signal, maySteer, ...placesOf(signal) }, address);
  } catch (error) {
    // Where it is the token, its form stands there already.
    if (signal.aborted || (error instanceof ApiError && error.status === 401)) return;
    const sentence = failed(messageOf(error), () => void show(false));
    view.replaceChildren(element('h1', { tabindex: -1 }, title), sentence);
  }
  if (signal.aborted) return;
  isAsking = false;
  const { id = '' } = main.querySelector(':focus') ?? {};
  main.replaceChildren(view);
  if (moved) main.querySelector('h1')?.focus();
  // Who chose another dashboard stays where that was chosen.
  else if (id !== '') document.getElementById(id)?.focus();
}

async function maySteer(): Promise<boolean> {
  session ??= get<{ maySteer: boolean }>('/session').catch((error: unknown) => {
    session = undefined;
    throw error;
  });
  return (await session).maySteer;
}

/** A view that its reader has left changes neither the address nor what is shown, whatever comes late. @param signal of the view */
const placesOf = (signal: AbortSignal): Pick<Room, 'remember' | 'go' | 'again'> => ({
  remember: (address) => {
    if (!signal.aborted) remember(address);
  },
  go: (address) => {
    // As a link would, of a view that still stands there.
    history.pushState(undefined, '', writeAddress(address));
    void show(false);
  },
  again: () => {
    if (!signal.aborted) void show(false);
  },
});

function draw(room: Room, address: Address): Promise<void> {
  switch (address.view) {
    case 'board':
      return board(room, address);
    case 'runs':
      return runs(room, address);
    case 'run':
      return report(room, address);
    case 'incidents':
      return incidents(room, address, () => open.anew());
    case 'quarantine':
      return quarantine(room, address);
    case 'consumers':
      return consumers(room);
  }
}

/** In place of whatever is shown, as nothing is to be had without. @param sent whether there was a token */
function askToken(sent: boolean): void {
  // Who writes one already goes on writing.
  if (isAsking) return;
  isAsking = true;
  session = undefined;
  showing.abort();
  const given = (): void => {
    isAsking = false;
    open.anew();
    void show(true);
  };
  main.replaceChildren(tokenForm(sent ? 'That token is not the one: the API refused it.' : undefined, given));
  main.querySelector('input')?.focus();
}

function mark({ view }: Address): void {
  setTitle(titles[view]);
  for (const link of document.querySelectorAll<HTMLElement>('#views a')) {
    const isHere = link.dataset['view'] === (view === 'run' ? 'runs' : view);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function remember(address: Address): void {
  history.replaceState(undefined, '', writeAddress(address));
  shown = location.search;
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || link.hasAttribute('download') || link.pathname !== PATH || link.origin !== location.origin)
    return;
  if (link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  history.pushState(undefined, '', link.href);
  void show(true);
});
addEventListener('popstate', () => {
  // To another place on this page, as the skip link leads there.
  if (location.search !== shown) void show(true);
});
startMode(found('#mode') as HTMLButtonElement);
onRefused(askToken);
const open = new OpenIncidents(found('#open-incidents'));
void show(false);
open.anew();
