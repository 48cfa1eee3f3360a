import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceError } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import { alertedPipelines } from '../../src/client/cli/keep-watchdog.ts';
import { isSilence, TemporalWatch } from '../../src/client/cli/temporal-watch.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import type { Transition } from '../../src/definition/incidents.ts';
import { tellDirectly } from '../../src/stages/alerting/tell-directly.ts';
import { tellDeadman } from '../../src/stages/watching/outside/deadman.ts';
import { Outages } from '../../src/stages/watching/outside/outages.ts';
import { definitionOf } from '../helpers/outside.ts';
import { transition } from '../helpers/notices.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What several processes share. */
class SharedStore {
  readonly objects = new Map<string, string>();
  away = false;

  #here(): void {
    if (this.away) throw new SluiceError('StoreUnavailable', 'The store is away.');
  }

  async createJson<T>(key: string, value: T): Promise<{ created: boolean; value: T }> {
    this.#here();
    const created = !this.objects.has(key);
    if (created) this.objects.set(key, JSON.stringify(value));
    return { created, value: JSON.parse(this.objects.get(key) ?? '') as T };
  }

  async exists(key: string): Promise<boolean> {
    this.#here();
    return this.objects.has(key);
  }

  async findJson<T>(key: string): Promise<T | undefined> {
    this.#here();
    const held = this.objects.get(key);
    return held === undefined ? undefined : (JSON.parse(held) as T);
  }

  async lastKey(prefix: string): Promise<string | undefined> {
    this.#here();
    return [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .at(-1);
  }

  async put(key: string, bytes: Buffer): Promise<never> {
    this.#here();
    this.objects.set(key, bytes.toString());
    return undefined as never;
  }
}

describe('Temporal’s absence', () => {
  const start = (store: SharedStore, known: readonly ReturnType<typeof definitionOf>[] = []) => {
    const told: string[] = [];
    const said: string[] = [];
    const watch = new TemporalWatch({
      ...{ outages: new Outages(store, 'default'), address: '127.0.0.1:7233', afterMs: 2 * MINUTE },
      tell: async (pipeline, { kind }: Transition) => void told.push(`${kind} ${pipeline.name}`),
      say: (sentence) => void said.push(sentence),
    });
    const ready = watch.knows(known.map(({ name, alerts }) => ({ name, alerts })));
    return { watch, told, said, ready };
  };
  const through = async (
    watches: readonly TemporalWatch[],
    answers: boolean,
    from: number,
    to: number,
  ): Promise<void> => {
    for (let now = from; now <= to; now += 10 * SECOND) {
      for (const watch of watches) await (answers ? watch.answered(now) : watch.silent(now));
    }
    for (const watch of watches) await watch.settled();
  };

  it('is told once by one of several, to whoever is told of any pipeline, and so is its end', async () => {
    const store = new SharedStore();
    const pipelines = [
      definitionOf('one'),
      definitionOf('two'),
      definitionOf('other', { alerts: { email: { to: ['b@example.org'] } } }),
    ];
    const [a, b] = [start(store, pipelines), start(store, pipelines)];
    await Promise.all([a.ready, b.ready]);
    const watches = [a.watch, b.watch];
    await through(watches, true, 0, MINUTE);
    await through(watches, false, 2 * MINUTE, 3 * MINUTE);
    expect([...a.told, ...b.told]).toEqual([]);
    await through(watches, false, 3 * MINUTE, 20 * MINUTE);
    expect([...a.told, ...b.told]).toEqual(['opened one', 'opened other']);
    await through(watches, true, 21 * MINUTE, 30 * MINUTE);
    expect([...a.told, ...b.told].toSorted()).toEqual([
      'opened one',
      'opened other',
      'recovered one',
      'recovered other',
    ]);
    // The next time is another one.
    await through(watches, false, 31 * MINUTE, 40 * MINUTE);
    expect([...a.told, ...b.told].filter((word) => word.startsWith('opened'))).toHaveLength(4);
  });

  it('that was told before a restart is told no more, and its end is, by whom knows nobody else', async () => {
    const store = new SharedStore();
    const first = start(store, [definitionOf('one')]);
    await first.ready;
    await through([first.watch], false, 0, 5 * MINUTE);
    expect(first.told).toEqual(['opened one']);
    const second = start(store);
    await through([second.watch], false, 6 * MINUTE, 15 * MINUTE);
    expect(second.told).toEqual([]);
    await through([second.watch], true, 16 * MINUTE, 18 * MINUTE);
    expect(second.told).toEqual(['recovered one']);
  });

  it('is told by one that starts meanwhile, to whom one before it knew of', async () => {
    const store = new SharedStore();
    await start(store, [definitionOf('one')]).ready;
    const late = start(store);
    await through([late.watch], false, 0, 5 * MINUTE);
    expect(late.told).toEqual(['opened one']);
  });

  it('is not over before it has answered for a while', async () => {
    const { watch, told, ready } = start(new SharedStore(), [definitionOf('one')]);
    await ready;
    await through([watch], false, 0, 5 * MINUTE);
    await through([watch], true, 5 * MINUTE, 5 * MINUTE + 20 * SECOND);
    await through([watch], false, 6 * MINUTE, 10 * MINUTE);
    expect(told).toEqual(['opened one']);
  });

  it('is told once the store is there, which alone knows whether it was told; and why it is not, is said once', async () => {
    const store = new SharedStore();
    const { watch, told, said, ready } = start(store, [definitionOf('one')]);
    await ready;
    store.away = true;
    await through([watch], false, 0, 10 * MINUTE);
    expect(told).toEqual([]);
    expect(said).toEqual(['Nobody can be told of Temporal: The store is away.']);
    store.away = false;
    await through([watch], false, 11 * MINUTE, 12 * MINUTE);
    expect(told).toEqual(['opened one']);
  });

  it('is told of by one that answered when another one, which is gone since, told of its own', async () => {
    const store = new SharedStore();
    const [a, b] = [start(store, [definitionOf('one')]), start(store, [definitionOf('one')])];
    await Promise.all([a.ready, b.ready]);
    await through([b.watch], true, 0, 5 * MINUTE);
    await through([a.watch], false, 5 * MINUTE, 10 * MINUTE);
    await through([b.watch], true, 10 * MINUTE, 15 * MINUTE);
    await through([b.watch], false, 15 * MINUTE, 20 * MINUTE);
    expect([a.told, b.told]).toEqual([['opened one'], ['recovered one', 'opened one']]);
  });

  it('is none where it answers that it does not let us in, which is said once', async () => {
    const { watch, told, said, ready } = start(new SharedStore(), [definitionOf('one')]);
    await ready;
    await watch.silent(0);
    for (let now = 10 * SECOND; now < 10 * MINUTE; now += 10 * SECOND) watch.refused('The API key has expired.');
    await watch.silent(10 * MINUTE);
    await watch.settled();
    expect(told).toEqual([]);
    expect(said).toEqual([expect.stringContaining('The API key has expired.')]);
  });

  it.each([
    ['its deadline', 4, true],
    ['that it is not there', 14, true],
    ['that we have no permission', 7, false],
    ['that nobody knows us', 16, false],
    ['that there is no such namespace', 5, false],
    ['that it is asked too much', 8, false],
  ])('is judged by its answer: %s', (_, code, silence) => {
    const cause = Object.assign(new Error('grpc'), { code, details: 'grpc', metadata: {} });
    const thrown = new ServiceError('It failed.', { cause });
    expect(isSilence(thrown)).toBe(silence);
    expect(isSilence(new SluiceError('StackUnavailable', 'It does not answer.', { cause: thrown }))).toBe(silence);
  });

  it('is judged by what has no code: nobody listens, or we are wrong ourselves', () => {
    expect(isSilence(new SluiceError('StackUnavailable', 'No Temporal server answers.'))).toBe(true);
    expect(isSilence(new TypeError('undefined is not a function'))).toBe(false);
  });

  it('says nothing of a store that is not there yet while all is well', async () => {
    const store = new SharedStore();
    store.away = true;
    const { watch, said, ready } = start(store, [definitionOf('one')]);
    await ready;
    await through([watch], true, 0, 5 * MINUTE);
    expect(said).toEqual([]);
  });
});

describe('whom to tell of Temporal’s absence', () => {
  const clientWith = (answers: Readonly<Record<string, ReturnType<typeof definitionOf> | Error>>) => {
    const schedules = {
      list: async () => Object.keys(answers).map((scheduleId) => ({ scheduleId, starts: 'launch' })),
      definition: async (name: string) => {
        const answer = answers[name];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    return { schedules } as unknown as Parameters<typeof alertedPipelines>[0];
  };

  it('is known of each with a sound definition', async () => {
    const one = definitionOf('one');
    const answers = {
      old: new SluiceError('DefinitionInvalid', 'It is no good.'),
      one,
      gone: new SluiceError('ScheduleUnknown', 'There is none.'),
    };
    expect(await alertedPipelines(clientWith(answers))).toEqual([{ name: 'one', alerts: one.alerts }]);
  });

  it('is not known of a part, where Temporal falls silent meanwhile', async () => {
    const answers = { one: definitionOf('one'), two: new SluiceError('StackUnavailable', 'Temporal is away.') };
    await expect(alertedPipelines(clientWith(answers))).rejects.toThrow('Temporal is away.');
  });
});

describe('what is told directly', () => {
  const told = { ...transition(), id: 't' };
  const addresses = { namespace: 'default' };
  const settings = readSettings({ SLUICE_SECRET_S: 'http://127.0.0.1:1/hook' });
  const both = definitionOf('demo', {
    alerts: { email: { to: ['a@example.org'] }, slack: { url: '${secret:S}' }, routes: [{ to: ['email'] }] },
  });

  it('is tried again, and then by another channel', async () => {
    let tries = 0;
    const mail = {
      send: async () => {
        tries += 1;
        throw new SluiceError('MailUnavailable', 'The mail server is away.', { facts: { accepted: false } });
      },
    };
    const signal = new AbortController().signal;
    const came = await tellDirectly({ mail: mail as never, settings }, both, told, addresses, signal, [1, 1]);
    expect(tries).toBe(3);
    expect(came).toMatchObject([
      { channel: 'email', told: false, sentence: 'The mail server is away.' },
      { channel: 'slack', told: false },
    ]);
  });

  it('is not sent again where it may have come', async () => {
    let tries = 0;
    const mail = {
      send: async () => {
        tries += 1;
        throw new SluiceError('MailUnavailable', 'Its answer was lost.', { facts: { accepted: 'unknown' } });
      },
    };
    const signal = new AbortController().signal;
    const came = await tellDirectly({ mail: mail as never, settings }, both, told, addresses, signal, [1, 1]);
    expect([tries, came]).toMatchObject([1, [{ channel: 'email', told: false }]]);
  });
});

describe('the dead man’s switch', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(status: () => number): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      response.writeHead(status(), { location: '/elsewhere' }).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/0123456789abcdef`, asked };
  }

  it('is told once a minute, and what it does is said once for each change', async () => {
    let status = 200;
    const { url, asked } = await listen(() => status);
    const settings = readSettings({ SLUICE_DEADMAN_URL: url });
    const changes: (string | undefined)[] = [];
    let memory: Awaited<ReturnType<typeof tellDeadman>>;
    const at = async (seconds: number): Promise<void> => {
      memory = await tellDeadman({ settings }, memory, seconds * SECOND, (problem) => void changes.push(problem));
    };
    for (const seconds of [0, 20, 40, 60]) await at(seconds);
    expect(asked).toEqual(Array(2).fill('GET /ping/0123456789abcdef sluice'));
    let seconds = 100;
    for (status of [500, 500, 302, 200]) await at((seconds += 100));
    const { host } = new URL(url);
    expect(changes).toEqual([
      `The dead man's switch at ${host} answers 500.`,
      `The dead man's switch at ${host} answers 302; redirects are not followed.`,
      undefined,
    ]);
    expect(memory).not.toHaveProperty('problem');
  });

  it('is told though the clock was put back', async () => {
    const { url, asked } = await listen(() => 200);
    const settings = readSettings({ SLUICE_DEADMAN_URL: url });
    const memory = await tellDeadman({ settings }, undefined, 3_600 * SECOND, () => {});
    await tellDeadman({ settings }, memory, 60 * SECOND, () => {});
    expect(asked).toHaveLength(2);
  });

  it('may be a secret, and is in no sentence', async () => {
    const environment = {
      SLUICE_DEADMAN_URL: '${secret:DEADMAN}',
      SLUICE_SECRET_DEADMAN: 'http://127.0.0.1:2/0123456789abcdef',
    };
    const changes: (string | undefined)[] = [];
    await tellDeadman({ settings: readSettings(environment) }, undefined, 0, (problem) => void changes.push(problem));
    expect(changes).toEqual([
      expect.stringMatching(/^The dead man's switch at 127\.0\.0\.1:2 cannot be reached: [^/]*\.$/),
    ]);
  });

  it.each([
    [
      'http://example.org/0123456789abcdef',
      'SLUICE_DEADMAN_URL is an address without TLS: use https, or add example.org:80 to SLUICE_ALERT_ALLOW of the worker.',
    ],
    [
      '${secret:NOTHING}',
      'This worker has no secret "NOTHING": set SLUICE_SECRET_NOTHING, or put it into SLUICE_SECRETS_DIR.',
    ],
  ])('is not asked for at %s', async (deadman, sentence) => {
    const changes: (string | undefined)[] = [];
    const settings = readSettings({ SLUICE_DEADMAN_URL: deadman });
    await tellDeadman({ settings }, undefined, 0, (problem) => void changes.push(problem));
    expect(changes).toEqual([sentence]);
  });

  it('is none where its setting is none', () => {
    expect(() => readSettings({ SLUICE_DEADMAN_URL: 'example.org' })).toThrow(/SLUICE_DEADMAN_URL: needs an address/);
    expect(readSettings({ SLUICE_DEADMAN_URL: '' }).watch).not.toHaveProperty('deadman');
    expect(() => readSettings({ SLUICE_WATCH_EVERY: '5ms' })).toThrow(/SLUICE_WATCH_EVERY: is shorter than a second/);
  });
});
