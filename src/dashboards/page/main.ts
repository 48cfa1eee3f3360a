import { PATH, readAddress, writeAddress, type Address } from './address.ts';
import { ApiError, get, messageOf } from './api.ts';
import { board } from './board.ts';
import { consumers } from './consumers.ts';
import { element, failed } from './dom.ts';
import { startMode } from './mode.ts';
import { quarantine } from './quarantine.ts';
import { report } from './report.ts';
import type { Room } from './room.ts';
import { runs } from './runs.ts';
import { tokenForm } from './token-form.ts';

const titles = { board: 'Dashboards', runs: 'Runs', run: 'Run', quarantine: 'Quarantine', consumers: 'Consumers' };
const main = found('#main');
let showing = new AbortController();
/** The query of the address that is shown. */
let shown = '';
/** Asked once, and again after a token was given. */
let session: { readonly maySteer: boolean } | undefined;

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
  const address = readAddress(location.search);
  mark(address);
  const view = element('div', { class: `view ${address.view}` });
  try {
    session ??= await get<{ maySteer: boolean }>('/session', signal);
    const again = (): void => void show(false);
    await draw({ element: view, signal, maySteer: session.maySteer, remember, again }, address);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) askToken();
    else
      view.append(
        element('h1', { tabindex: -1 }, titles[address.view]),
        failed(messageOf(error), () => void show(false)),
      );
  }
  if (signal.aborted) return;
  if (view.hasChildNodes()) main.replaceChildren(view);
  if (moved) main.querySelector('h1')?.focus();
}

function draw(room: Room, address: Address): Promise<void> {
  switch (address.view) {
    case 'board':
      return board(room, address);
    case 'runs':
      return runs(room, address);
    case 'run':
      return report(room, address);
    case 'quarantine':
      return quarantine(room, address);
    case 'consumers':
      return consumers(room);
  }
}

let asked = false;

function askToken(): void {
  const again = asked ? 'That token is not the one: the API refused it.' : undefined;
  asked = true;
  main.replaceChildren(tokenForm(again, () => void show(true)));
  main.querySelector('input')?.focus();
}

function mark({ view }: Address): void {
  document.title = `${titles[view]} · Sluice`;
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
void show(false);
