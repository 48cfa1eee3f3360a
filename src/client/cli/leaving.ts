import type { Screen } from './screen.ts';

/** Ctrl-C may arrive twice: from the terminal, and handed on by the launcher. */
const SAME_SIGNAL_MS = 1_000;

/** The first Ctrl-C stops in order; a later one, at once. @returns takes it back */
export function onInterrupt(stop: () => void): () => void {
  let stoppedAt: number | undefined;
  const interrupted = (): void => {
    if (stoppedAt === undefined) {
      stoppedAt = Date.now();
      stop();
    } else if (Date.now() - stoppedAt > SAME_SIGNAL_MS) process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupted);
  return () => {
    for (const signal of signals) process.off(signal, interrupted);
  };
}

/** What is said where someone stops looking at something that goes on. */
export interface Farewell {
  /** `the run goes on`. */
  readonly goesOn: string;
  /** A command: `sluice status broadband`. */
  readonly lookAgain: string;
  /** What `--json` prints: where it can be found. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Looks at something that Temporal does, until it is over or Ctrl-C ends the looking (exit code 130), which it does at once. */
export async function leavable<T>(
  screen: Screen,
  farewell: () => Farewell,
  json: boolean | undefined,
  look: () => Promise<T>,
): Promise<T> {
  const left = (): void => {
    const { goesOn, lookAgain, facts } = farewell();
    screen.end();
    screen.say(`Left; ${goesOn}. Look again with: ${lookAgain}`);
    if (json) process.stdout.write(`${JSON.stringify({ left: true, ...facts })}\n`);
    process.exit(130);
  };
  // Not `once`: the same Ctrl-C comes again from the launcher, and without a listener it would end the process before it has said so.
  process.on('SIGINT', left);
  try {
    return await look();
  } finally {
    process.off('SIGINT', left);
  }
}

/** The same where Ctrl-C is somebody else's. */
export const stay: typeof leavable = (_screen, _farewell, _json, look) => look();
