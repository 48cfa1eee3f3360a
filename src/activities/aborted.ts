/** Rejects once a signal aborts, for not every request that is on its way minds one. To race against. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error('Elasticsearch, Kafka or the object store took too long'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
