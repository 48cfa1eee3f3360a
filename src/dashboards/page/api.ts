import { keepToken, keptToken } from './token.ts';

let refused: (sent: boolean) => void = () => {};

/** What the API says, in its own sentence. */
export class ApiError extends Error {
  readonly status: number;

  /** @param status of HTTP; 0 where there was no answer */
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** @param listener is called where the API wants another token than it was sent, or one at all; whoever asked gets its error all the same */
export function onRefused(listener: (sent: boolean) => void): void {
  refused = listener;
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await (await answer(path, { signal: signal ?? null })).json()) as T;

/** @param body sent as JSON; none where left out */
export async function post<T>(path: string, body?: object): Promise<T> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return (await (await answer(path, { method: 'POST', ...sent })).json()) as T;
}

/** @throws ApiError where it is no success; whatever `fetch` throws where its signal aborts */
export async function answer(path: string, init: RequestInit): Promise<Response> {
  const token = keptToken();
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'The server does not answer: look whether it runs, and try again.');
  });
  if (response.ok) return response;
  // Another token may have been given since this was asked.
  if (response.status === 401 && token === keptToken()) {
    keepToken(undefined);
    refused(token !== undefined);
  }
  throw new ApiError(response.status, await sentenceOf(response));
}

async function sentenceOf(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => undefined)) as { detail?: unknown } | undefined;
  const { detail } = problem ?? {};
  return typeof detail === 'string' ? detail : `The server answered ${response.status}, and did not say why.`;
}

/** What is said of whatever went wrong. */
export const messageOf = (error: unknown): string =>
  error instanceof ApiError
    ? error.message
    : `This page could not go on: ${error instanceof Error ? error.message : 'nobody knows why'}.`;
