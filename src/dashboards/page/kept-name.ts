const KEY = 'sluice-name';

/** The name that was last given; empty where none was, or the browser keeps nothing. */
export function keptName(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

export function keepName(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // It is asked for once more, then.
  }
}
