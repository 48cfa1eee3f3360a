import type { Address } from './address.ts';

/** What a view is drawn into, and what it may ask of the page. */
export interface Room {
  readonly element: HTMLElement;
  /** Aborts when the reader goes elsewhere. */
  readonly signal: AbortSignal;
  /** Whether whoever reads may pause and resume. */
  readonly maySteer: () => Promise<boolean>;
  /** The address says this from now on; the view has it drawn already. */
  readonly remember: (address: Address) => void;
  /** To another place: “Back” leads here again. */
  readonly go: (address: Address) => void;
  /** Draws the view anew. */
  readonly again: () => void;
}

/** Calls again and again while the page is looked at, and once more when it is looked at again. */
export function regularly(seconds: number, signal: AbortSignal, call: () => void): void {
  if (signal.aborted) return;
  let late = false;
  const timer = setInterval(() => {
    if (document.hidden) late = true;
    else call();
  }, seconds * 1_000);
  const seen = (): void => {
    if (document.hidden || !late) return;
    late = false;
    call();
  };
  document.addEventListener('visibilitychange', seen);
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', seen);
  });
}
