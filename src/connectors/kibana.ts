import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

/** An import of a few megabytes writes some dozens of documents. */
const REQUEST_MS = 60_000;
const STATUS_MS = 10_000;
const ASKED_EVERY_MS = 2_000;

const named = z.object({ type: z.string(), id: z.string() });

const importSchema = z.object({
  success: z.boolean(),
  successCount: z.number(),
  successResults: z
    .array(named.extend({ overwrite: z.boolean().optional(), destinationId: z.string().optional() }))
    .default([]),
  errors: z
    .array(
      named.extend({
        error: z.looseObject({
          type: z.string(),
          message: z.string().optional(),
          references: z.array(named).optional(),
        }),
      }),
    )
    .default([]),
});

/** What Kibana says of an import. It may have status 200 and hold errors. */
export type ImportAnswer = z.output<typeof importSchema>;

const missingSchema = z.object({
  attributes: z.object({
    objects: z.array(named.extend({ error: z.object({ statusCode: z.number() }).optional() })),
  }),
});

const exportedSchema = z.looseObject({ type: z.string(), id: z.string(), originId: z.string().exactOptional() });

/** An object as Kibana has it. */
export type ExportedObject = z.output<typeof exportedSchema>;

type Named = z.output<typeof named>;

/** Kibana’s API of saved objects. Failures come back in our own words; the key is in none of them. */
export class KibanaConnector {
  readonly #url: string;
  readonly #host: string;
  readonly #space: string | undefined;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, apiKey, space }: Settings['kibana']) {
    this.#url = url.replace(/\/+$/, '');
    this.#host = new URL(url).host;
    this.#space = space;
    // Without kbn-xsrf Kibana takes no request that changes something.
    this.#headers = { 'kbn-xsrf': 'sluice', ...(apiKey === undefined ? {} : { authorization: `ApiKey ${apiKey}` }) };
  }

  /** Where somebody finds a dashboard. */
  link(id: string): string {
    return `${this.#inSpace()}/app/dashboards#/view/${encodeURIComponent(id)}`;
  }

  /**
   * Returns once Kibana takes requests.
   * @param patienceMs for so long; one that answers in another way than by starting is not waited for
   * @throws SluiceError `KibanaUnavailable`; `SettingsInvalid` where it lets nobody in
   */
  async ready(patienceMs: number, waiting: (sentence: string) => void): Promise<void> {
    const end = Date.now() + patienceMs;
    for (;;) {
      try {
        const answer = await this.#ask('its status', `${this.#url}/api/status`, { method: 'GET' }, STATUS_MS);
        await answer.body?.cancel();
        return;
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'KibanaUnavailable' || Date.now() >= end) throw error;
        waiting(error.message);
        await sleep(Math.min(ASKED_EVERY_MS, Math.max(0, end - Date.now())));
      }
    }
  }

  /**
   * Imports objects, over those that have the same ids. Whether each was taken stands in what comes back.
   * @param ndjson an object a line
   * @throws SluiceError `KibanaUnavailable`, `KibanaRefused`, `SettingsInvalid`
   */
  async import(ndjson: string): Promise<ImportAnswer> {
    const body = new FormData();
    // Kibana goes by the name’s end.
    body.set('file', new Blob([ndjson], { type: 'application/x-ndjson' }), 'sluice.ndjson');
    const url = `${this.#inSpace()}/api/saved_objects/_import?overwrite=true`;
    const answer = await this.#ask('the import', url, { method: 'POST', body }, REQUEST_MS);
    return this.#read('the import', importSchema, await this.#text('the import', answer));
  }

  /**
   * The objects as they stand there. Those that are not there are left out.
   * @throws SluiceError as {@link import}
   */
  async export(objects: readonly Named[]): Promise<ExportedObject[]> {
    if (objects.length === 0) return [];
    const what = 'the export';
    const { status, text } = await this.#export(
      what,
      { objects: objects.map(({ type, id }) => ({ type, id })) },
      [400],
    );
    if (status === 400) {
      // It exports nothing where one is missing, and says which.
      const missing = missingSchema.safeParse(parsedOr(text, undefined));
      const gone = missing.success ? missing.data.attributes.objects : [];
      const left = objects.filter(({ type, id }) => !gone.some((one) => one.type === type && one.id === id));
      if (gone.length === 0 || left.length === objects.length) throw this.#refused(what, 400, text);
      return this.export(left);
    }
    return this.#exported(what, text);
  }

  /**
   * All objects of some types that the space has. Kibana gives 10,000 at most (`savedObjects.maxImportExportSize`), and refuses more with status 400.
   * @returns the sentence of that refusal in their place
   * @throws SluiceError as {@link import}
   */
  async exportTypes(types: readonly string[]): Promise<ExportedObject[] | string> {
    if (types.length === 0) return [];
    // Its API that finds objects is to be removed, and names this one in its place.
    const what = `the export of all objects of type ${types.join(', ')}`;
    const { status, text } = await this.#export(what, { type: types }, [400]);
    return status === 400 ? this.#refused(what, status, text).message : this.#exported(what, text);
  }

  async #export(
    what: string,
    asked: { readonly objects: readonly Named[] } | { readonly type: readonly string[] },
    taken: readonly number[] = [],
  ): Promise<{ status: number; text: string }> {
    const body = JSON.stringify({ ...asked, includeReferencesDeep: false, excludeExportDetails: true });
    const headers = { 'content-type': 'application/json' };
    const url = `${this.#inSpace()}/api/saved_objects/_export`;
    const answer = await this.#ask(what, url, { method: 'POST', body, headers }, REQUEST_MS, taken);
    return { status: answer.status, text: await this.#text(what, answer) };
  }

  #exported(what: string, text: string): ExportedObject[] {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line) => this.#read(what, exportedSchema, line));
  }

  #inSpace(): string {
    return this.#space === undefined ? this.#url : `${this.#url}/s/${this.#space}`;
  }

  async #ask(
    what: string,
    url: string,
    { headers, ...init }: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> },
    ms: number,
    taken: readonly number[] = [],
  ): Promise<Response> {
    let answer: Response;
    try {
      // Whoever is sent elsewhere would take the key along.
      const signal = AbortSignal.timeout(ms);
      answer = await fetch(url, { ...init, headers: { ...headers, ...this.#headers }, redirect: 'manual', signal });
    } catch (error) {
      throw this.#away(what, error, ms);
    }
    const { status } = answer;
    if (answer.ok || taken.includes(status)) return answer;
    throw this.#refused(what, status, await this.#text(what, answer), answer.headers.get('location') ?? undefined);
  }

  async #text(what: string, answer: Response): Promise<string> {
    try {
      return await answer.text();
    } catch (error) {
      throw this.#away(what, error, REQUEST_MS);
    }
  }

  #away(what: string, error: unknown, ms: number): SluiceError {
    const late = error instanceof Error && error.name === 'TimeoutError';
    const why = late ? `no answer within ${ms / 1000} s` : causeOf(error);
    const sentence = `Kibana at ${this.#host} did not answer on ${what}: ${why}. Is SLUICE_KIBANA_URL its address?`;
    return new SluiceError('KibanaUnavailable', sentence, { cause: error });
  }

  #refused(what: string, status: number, text: string, location?: string): SluiceError {
    const host = `Kibana at ${this.#host}`;
    const reason = reasonOf(text);
    const facts = { status };
    const said = reason === '' ? '' : `, saying "${reason}"`;
    if (status === 401 || status === 403) {
      const sentence = `${host} refused ${what} (${status}${said}): check SLUICE_KIBANA_API_KEY, and what its key may do.`;
      return new SluiceError('SettingsInvalid', sentence, { facts });
    }
    if (status >= 300 && status < 400) {
      const where = location === undefined ? 'elsewhere' : `to ${location.replace(/[?#].*$/, '')}`;
      const sentence = `${host} sent ${what} ${where} (${status}), where no key is taken: SLUICE_KIBANA_URL has to be the address at which it answers itself, with its base path, and SLUICE_KIBANA_API_KEY a key.`;
      return new SluiceError('SettingsInvalid', sentence, { facts });
    }
    if (status === 404) {
      const space = this.#space === undefined ? '' : `, and that it has a space "${this.#space}" (SLUICE_KIBANA_SPACE)`;
      const sentence = `${host} knows no such address for ${what} (404): check that SLUICE_KIBANA_URL is a Kibana with its base path${space}.`;
      return new SluiceError('SettingsInvalid', sentence, { facts });
    }
    if (status === 503) {
      const sentence = `${host} is not ready yet (503${said}): it starts, or does without its Elasticsearch. Try again in a minute.`;
      return new SluiceError('KibanaUnavailable', sentence, { facts });
    }
    if (status >= 500 || status === 429) {
      return new SluiceError('KibanaUnavailable', `${host} failed on ${what} (${status}${said}).`, { facts });
    }
    return new SluiceError('KibanaRefused', `${host} does not take ${what} (${status}${said}).`, { facts });
  }

  #read<T>(what: string, schema: z.ZodType<T>, text: string): T {
    const read = schema.safeParse(parsedOr(text, undefined));
    if (read.success) return read.data;
    const sentence = `What ${this.#host} answered to ${what} is nothing that Kibana says: is SLUICE_KIBANA_URL the address of a Kibana?`;
    throw new SluiceError('KibanaUnavailable', sentence);
  }
}

function parsedOr<T>(text: string, otherwise: T): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return otherwise;
  }
}

/** Kibana’s own words in an answer: its JSON has a message; one that starts says a plain sentence. */
function reasonOf(text: string): string {
  const body = parsedOr(text, undefined) as { message?: unknown } | undefined;
  const said = typeof body?.message === 'string' ? body.message : /^\s*</.test(text) ? '' : text;
  return said.trim().replace(/\.$/, '').slice(0, 300);
}

/** fetch says "fetch failed", and why in its cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: string }).code;
  return (
    sentenceOf(cause).replace(/\.$/, '') + (code === undefined || sentenceOf(cause).includes(code) ? '' : ` (${code})`)
  );
}
