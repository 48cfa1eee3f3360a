/** Ctrl-C may arrive twice: from the terminal, and handed on by the launcher. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Tells when this process is to stop: by SIGINT, SIGTERM or SIGHUP (its terminal is gone), or as whoever started it with a channel is gone. A second signal ends it at once, with exit code 130.
 * @param told is called once, with what there is to say
 */
export function stopSignals(told: (sentence: string) => void): AbortSignal {
  const stop = new AbortController();
  let toldAt = 0;
  const tell = (sentence: string): void => {
    if (stop.signal.aborted) return;
    toldAt = Date.now();
    told(sentence);
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted && Date.now() - toldAt > SAME_SIGNAL_MS) process.exit(130);
      tell(`told to stop (${signal})`);
    });
  }
  // Started by "sluice start": it does not outlive that.
  process.once('disconnect', () => tell('whoever started this worker is gone'));
  // Whoever listens to it would keep the process alive after its work.
  process.channel?.unref();
  return stop.signal;
}
