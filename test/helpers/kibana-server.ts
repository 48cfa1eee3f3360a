import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { SavedObject } from '../../src/dashboards/kibana/saved-object.ts';

/** As it stands in a space. One that was imported where another space has its id has an id of its own, and says where it comes from. */
export type StandingObject = SavedObject & { readonly originId?: string };

export interface KibanaBehaviour {
  /** The key that it wants; none where left out. */
  readonly apiKey?: string;
  readonly spaces?: readonly string[];
  /** So many answers say that it starts. */
  starting?: number;
  /** Id of an object from which two others of the space come, so that it does not know which of them to write over. */
  ambiguous?: string;
  /** Types of objects that it does not know, or that the key may not write. */
  unsupported?: readonly string[];
  /** So many objects it exports at once; as many as there are, where left out. */
  mostExported?: number;
  /** Answers to the import in the place of its own. */
  importAnswer?: { readonly status: number; readonly body: string; readonly location?: string };
}

interface Answer {
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Record<string, string>;
}

/**
 * A server that answers as Kibana 9 does where its documentation and source say how. It is no Kibana: what only one can find out, whether it
 * takes these objects and shows them, is not tested here.
 */
export class KibanaServer {
  /** By space, and in it by type and id. */
  readonly spaces = new Map<string, Map<string, StandingObject>>();
  readonly requests: string[] = [];
  readonly behaviour: KibanaBehaviour;
  #server: Server | undefined;
  #port = 0;
  #changes = 0;

  constructor(behaviour: KibanaBehaviour = {}) {
    this.behaviour = behaviour;
    for (const space of ['default', ...(behaviour.spaces ?? [])]) this.spaces.set(space, new Map());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    const { status, body, headers } = await this.#answer(request, await buffer(request));
    const json = typeof body !== 'string';
    response.writeHead(status, { 'content-type': json ? 'application/json' : 'text/plain', ...headers });
    response.end(json ? JSON.stringify(body) : body);
  }

  async #answer(request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { starting = 0, apiKey } = this.behaviour;
    if (starting > 0) {
      this.behaviour.starting = starting - 1;
      return { status: 503, body: 'Kibana server is not ready yet.' };
    }
    if (apiKey !== undefined && request.headers.authorization !== `ApiKey ${apiKey}`) {
      return refusal(401, '[security_exception]: unable to authenticate user');
    }
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const [, name = 'default', path] = /^(?:\/s\/([^/]+))?(\/.*)$/.exec(pathname) ?? [];
    const space = this.spaces.get(name);
    if (space === undefined) return refusal(404, 'Not Found');
    if (path === '/api/status') return { status: 200, body: { status: { overall: { level: 'available' } } } };
    if (request.headers['kbn-xsrf'] === undefined) return refusal(400, 'Request must contain a kbn-xsrf header.');
    if (path === '/api/saved_objects/_import') {
      const { importAnswer } = this.behaviour;
      if (importAnswer !== undefined) {
        const { location } = importAnswer;
        return { ...importAnswer, headers: location === undefined ? {} : { location } };
      }
      const overwrite = searchParams.get('overwrite') === 'true';
      return this.#import(space, body, request.headers['content-type'] ?? '', overwrite);
    }
    if (path === '/api/saved_objects/_export') return exported(space, body, this.behaviour.mostExported);
    return refusal(404, 'Not Found');
  }

  async #import(
    space: Map<string, StandingObject>,
    body: Buffer,
    contentType: string,
    overwrite: boolean,
  ): Promise<Answer> {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
    const file = form.get('file');
    if (!(file instanceof File) || !file.name.endsWith('.ndjson')) return refusal(400, 'Invalid file extension');
    const lines = (await file.text()).split('\n').filter((line) => line !== '');
    const objects = lines.map((line) => JSON.parse(line) as SavedObject);
    const { ambiguous, unsupported = [] } = this.behaviour;
    const ours = new Set(objects.map(key));
    const errors: { type: string; id: string; error: { type: string; [more: string]: unknown } }[] = [];
    const sound: SavedObject[] = [];
    // Source: check_conflicts.ts and check_origin_conflicts.ts of Kibana 9. All of these types may stand in several spaces, with an id of its own in each.
    const places = new Map<string, string>();
    for (const object of objects) {
      const { type, id, references } = object;
      // It looks for no others.
      const checked = references.filter((one) => ['index-pattern', 'search'].includes(one.type));
      const missing = checked.filter((one) => !ours.has(key(one)) && !space.has(key(one)));
      const refuse = (error: { type: string; [more: string]: unknown }): void => void errors.push({ type, id, error });
      if (unsupported.includes(type)) refuse({ type: 'unsupported_type' });
      else if (missing.length > 0) refuse({ type: 'missing_references', references: missing });
      else if (id === ambiguous) refuse({ type: 'ambiguous_conflict', destinations: [{ id: 'one' }, { id: 'other' }] });
      else if (space.has(key(object)) && !overwrite) refuse({ type: 'conflict' });
      else {
        const from = [...space.values()].filter(
          (one) => one.type === type && one.originId === id && !ours.has(key(one)),
        );
        const [only, ...more] = space.has(key(object)) ? [] : from;
        if (more.length > 0) refuse({ type: 'ambiguous_conflict', destinations: from.map((one) => ({ id: one.id })) });
        else if (only !== undefined && !overwrite) refuse({ type: 'conflict', destinationId: only.id });
        else sound.push(object);
        const elsewhere = [...this.spaces.values()].some((one) => one !== space && one.has(key(object)));
        if (only !== undefined) places.set(key(object), only.id);
        else if (elsewhere && !space.has(key(object))) places.set(key(object), randomUUID());
      }
    }
    const moved = <T extends { type: string; id: string }>(one: T): T => ({
      ...one,
      id: places.get(key(one)) ?? one.id,
    });
    const successResults = sound.map((object) => {
      const { type, id } = object;
      const there = space.has(key(moved(object))) ? { overwrite: true } : {};
      const destinationId = places.get(key(object));
      return {
        type,
        id,
        meta: {},
        managed: false,
        ...there,
        ...(destinationId === undefined ? {} : { destinationId }),
      };
    });
    // What somebody could resolve keeps all of it from being written, and the others are named as successes all the same.
    const resolvable = ['conflict', 'ambiguous_conflict', 'missing_references'];
    if (!errors.some(({ error }) => resolvable.includes(error.type))) {
      for (const object of sound) {
        const stored = moved({ ...object, references: object.references.map(moved) });
        const origin = stored.id === object.id ? {} : { originId: object.id };
        space.set(key(stored), { ...this.#migrated(stored), ...origin });
      }
    }
    const answer = { success: errors.length === 0, successCount: successResults.length, warnings: [] };
    return {
      status: 200,
      body: {
        ...answer,
        ...(successResults.length === 0 ? {} : { successResults }),
        ...(errors.length === 0 ? {} : { errors }),
      },
    };
  }

  /** As it is stored: of a newer version, with what Kibana adds, without what it drops, members and references in another order. */
  #migrated(object: SavedObject): SavedObject {
    this.#changes += 1;
    const { type } = object;
    const entries = Object.entries(object.attributes).toReversed();
    const attributes = Object.fromEntries(entries.filter(([name]) => name !== 'fieldFormatMap'));
    const added =
      type === 'index-pattern' ? { fieldAttrs: '{"state":{"count":3}}', allowHidden: false } : { version: 2 };
    const text = JSON.stringify({ ...attributes, ...added }).replaceAll(
      String.raw`\"enhancements\":{}`,
      String.raw`\"sort\":null`,
    );
    return {
      ...{ ...object, typeMigrationVersion: '10.2.0', references: object.references.toReversed() },
      attributes: JSON.parse(text) as SavedObject['attributes'],
      ...{ updated_at: new Date(0).toISOString(), version: `WzEsMV0${this.#changes}`, namespaces: ['default'] },
    };
  }
}

const key = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type} ${id}`;

const refusal = (statusCode: number, message: string): Answer => ({
  status: statusCode,
  body: { statusCode, error: 'Refused', message },
});

function exported(space: Map<string, StandingObject>, body: Buffer, most = Infinity): Answer {
  const asked = JSON.parse(body.toString()) as { objects?: SavedObject[]; type?: string[] };
  // It gives what is there without the line that each ends with.
  const lines = (all: readonly SavedObject[]): Answer => ({
    status: 200,
    body: all.map((one) => JSON.stringify(one)).join('\n'),
  });
  if (asked.type !== undefined) {
    const found = [...space.values()].filter(({ type }) => asked.type?.includes(type));
    return found.length > most ? refusal(400, `Can't export more than ${most} objects.`) : lines(found);
  }
  const objects = asked.objects ?? [];
  const missing = objects.filter((object) => !space.has(key(object)));
  if (missing.length > 0) {
    const gone = missing.map(({ type, id }) => ({ type, id, error: { statusCode: 404, message: 'Not found' } }));
    const message = 'Error fetching objects to export';
    return { status: 400, body: { statusCode: 400, error: 'Bad Request', message, attributes: { objects: gone } } };
  }
  return lines(objects.map((object) => space.get(key(object)) as SavedObject));
}
