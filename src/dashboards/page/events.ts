import { answer } from './api.ts';

/** What happens in a run; docs/api.md. */
export interface RunEvent {
  readonly type: string;
  readonly at: string;
  readonly stage?: string;
  readonly ms?: number;
  readonly rows?: number;
  readonly rowsPerSecond?: number;
  readonly notes?: readonly string[];
  readonly what?: string;
  readonly message?: string;
  readonly attempt?: number;
  readonly outcome?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Server-sent events of an answer. `EventSource` could not send a token. */
export async function* events(path: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const { body } = await answer(path, { signal, headers: { accept: 'text/event-stream' } });
  if (!body) return;
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = readEvent(block);
      if (event) yield event;
    }
  }
}

/** A block of lines as an event; undefined for one that is only there to keep the line open. */
export function readEvent(block: string): RunEvent | undefined {
  const data = block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart());
  return data.length === 0 ? undefined : (JSON.parse(data.join('\n')) as RunEvent);
}
