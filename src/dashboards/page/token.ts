const KEY = 'sluice-token';
/** Where the browser keeps nothing: for this page, then. */
let held: string | undefined;

/** Whether it can be a token of the API: long enough, and of what a header can carry. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]{16,}$/.test(text);

/** Until the tab is closed, and never as part of an address. @param token undefined forgets it */
export function keepToken(token: string | undefined): void {
  held = token;
  try {
    if (token === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // It holds for this page, then.
  }
}

/** The token that is kept; one that can be none is dropped. */
export function keptToken(): string | undefined {
  let kept = held;
  try {
    kept = sessionStorage.getItem(KEY) ?? held;
  } catch {
    // As the browser keeps nothing.
  }
  if (kept === undefined || isToken(kept)) return kept;
  keepToken(undefined);
  return undefined;
}
