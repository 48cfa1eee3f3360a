/** Light or dark: what the reader chose, or else what the system has. */
export type Mode = 'light' | 'dark';

const KEY = 'sluice-mode';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function currentMode(): Mode {
  const chosen = document.documentElement.dataset['mode'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return system.matches ? 'dark' : 'light';
}

/** @param listener is called when the mode has changed, until `signal` aborts */
export function onMode(listener: () => void, signal: AbortSignal): void {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
}

/** The button that changes it says what it leads to. */
export function startMode(button: HTMLButtonElement): void {
  const changed = (): void => {
    const other = currentMode() === 'dark' ? 'Light' : 'Dark';
    button.textContent = other;
    button.setAttribute('aria-label', `${other} colours`);
    for (const listener of listeners) listener();
  };
  button.addEventListener('click', () => {
    const mode = currentMode() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['mode'] = mode;
    try {
      localStorage.setItem(KEY, mode);
    } catch {
      // It holds for this page, then.
    }
    changed();
  });
  system.addEventListener('change', changed);
  changed();
}
