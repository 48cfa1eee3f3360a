import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tellIncidents, tellingActivities, type PassedOn } from '../../src/activities/telling.ts';
import { serveApi, type ServedApi } from '../../src/client/api/serving.ts';
import { Incidents } from '../../src/client/incidents.ts';
import { alertsSchema } from '../../src/definition/alerts.ts';
import type { Incident } from '../../src/definition/incidents.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { runSluice } from '../helpers/cli.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const token = 'a-token-of-some-length';
const viewerToken = 'another-token-of-some-length';

describe.skipIf(noTemporal)('the doors to incidents', () => {
  let lab: WorkflowLab;
  let api: ServedApi;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    const { passOn } = tellingActivities();
    lab.stages = { passOn: (given: PassedOn) => passOn(given), planDeliveries: async () => [] };
    environment = { ...process.env, TEMPORAL_ADDRESS: lab.temporal.address, NO_COLOR: '1' };
    const where = { host: '127.0.0.1', port: 0, hosts: [], rateLimit: 1_000, token, viewerToken };
    api = await serveApi({ ...where, environment });
  });

  afterAll(async () => {
    await api?.stop();
    await lab?.stop();
  });

  /** Opens one, and waits until Temporal's list has it. */
  async function open(pipeline: string, subject = 'SourceNotFound'): Promise<string> {
    const at = new Date().toISOString();
    const seen = { pipeline, subject, at, rule: 'run-failed', severity: 'critical', occurrence: at } as const;
    await tellIncidents(lab.temporal.client, {
      pipeline: { name: pipeline, alerts: alertsSchema.parse({}) },
      observations: [{ ...seen, sentence: 'The source is not there.', facts: [{ name: 'Stage', value: 'import' }] }],
      clearings: [],
    });
    const incidents = new Incidents(lab.temporal.client);
    await vi.waitUntil(async () => (await incidents.list({ pipeline })).some((one) => one.subject === subject), {
      timeout: 60_000,
    });
    return ids.incident(pipeline, 'run-failed', subject);
  }

  const ask = async (method: string, path: string, body?: object, as = token) => {
    const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
    const response = await fetch(`${api.url}${path}`, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const sluice = (...args: string[]) => runSluice(['incidents', ...args], environment);

  it('lists, acknowledges, silences and closes one from the command line', async () => {
    const id = await open('w-cli', 'a/b');
    const listed = await sluice('list', '--pipeline', 'w-cli');
    expect([listed.code, listed.out]).toEqual([
      1,
      expect.stringMatching(
        /^incident\/w-cli\/run-failed\/a%2Fb {2}critical, open since .*Z, seen once\n {2}The source is not there\.\n$/,
      ),
    ]);
    const acked = await sluice('ack', id, '--by', 'eva', '--note', 'on it');
    expect([acked.code, acked.out]).toEqual([0, expect.stringMatching(/acknowledged {2}by eva, .*Z: on it/)]);
    const silenced = await sluice('silence', id.replace('incident/', ''), '--for', '8h', '--json');
    expect(silenced.code).toBe(0);
    const { silencedUntil = '', acknowledged } = JSON.parse(silenced.out) as Incident;
    expect(Date.parse(silencedUntil) - Date.now()).toBeGreaterThan(7 * 3_600_000);
    expect(acknowledged).toMatchObject({ by: 'eva' });
    expect((await sluice('close', id, '--reason', 'known')).out).toMatch(/closed .* to /);
    await lab.temporal.client.workflow.getHandle(id).result();
    const again = await sluice('ack', id);
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/^The incident .* is closed since .*Z\.\n$/)]);
    await vi.waitUntil(async () => (await sluice('--pipeline', 'w-cli')).out === 'No incident is open.\n', {
      timeout: 60_000,
    });
    expect((await sluice('show', id)).out).toContain('closed');
  });

  it.each([
    [['silence', 'incident/p/lag'], 2, /a silence has an end: give --until <instant> or --for <duration>/],
    [['silence', 'incident/p/lag', '--until', 'tomorrow'], 1, /^"tomorrow" is no instant: write "until" like/],
    [['silence', 'incident/p/lag', '--for', 'long'], 2, /must be a number with a unit: 30m, 8h, 2d/],
    [
      ['silence', 'incident/p/lag', '--until', '2020-01-01T00:00:00Z'],
      1,
      /is over already: a silence ends in the future/,
    ],
    [['close', 'incident/p/lag'], 2, /required option '--reason <text>' not specified/],
    [
      ['ack', 'nothing'],
      1,
      /^There is no incident "nothing", or Temporal has forgotten it: "sluice incidents --all" lists/,
    ],
    [['show', 'incident/p/lag'], 1, /^There is no incident "incident\/p\/lag"/],
  ])('says in a sentence what is wrong with %j', async (args, code, sentence) => {
    const ended = await sluice(...args);
    expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(sentence)]);
    expect(ended.out).toBe('');
  });

  it('does the same over HTTP, and lets a viewer look alone', async () => {
    const id = await open('w-http', 'ü b');
    const path = `/incidents/${encodeURIComponent(id)}`;
    const { json } = await ask('GET', '/incidents?pipeline=w-http', undefined, viewerToken);
    expect(json['incidents']).toMatchObject([{ id, state: 'open', subject: 'ü b', occurrences: 1 }]);
    expect(await ask('GET', path, undefined, viewerToken)).toMatchObject({ status: 200, json: { id } });
    expect(await ask('POST', `${path}/acknowledge`, { by: 'eva' }, viewerToken)).toMatchObject({
      status: 403,
      json: { code: 'RequestRefused' },
    });
    expect(await ask('POST', `${path}/acknowledge`, { by: 'eva' })).toMatchObject({
      status: 200,
      json: { state: 'acknowledged' },
    });
    const until = new Date(Date.now() + 60_000).toISOString();
    expect(await ask('POST', `${path}/silence`, { by: 'eva', until })).toMatchObject({
      status: 200,
      json: { silencedUntil: until },
    });
    expect(await ask('POST', `${path}/silence`, { by: 'eva' })).toMatchObject({
      status: 400,
      json: { code: 'RequestInvalid' },
    });
    expect(await ask('POST', `${path}/silence`, { by: 'eva', until: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 409,
      json: { code: 'ControlRefused', detail: expect.stringMatching(/is over already/) as unknown },
    });
    expect(await ask('POST', `${path}/close`, { by: 'eva', reason: 'known' })).toMatchObject({
      status: 200,
      json: { state: 'closed' },
    });
    await lab.temporal.client.workflow.getHandle(id).result();
    expect(await ask('POST', `${path}/close`, { by: 'eva', reason: 'known' })).toMatchObject({ status: 409 });
    const gone = await ask('GET', '/incidents/incident%2Fw-http%2Flag');
    expect(gone).toMatchObject({ status: 404, json: { code: 'IncidentUnknown' } });
    expect((await ask('GET', '/incidents/nothing')).status).toBe(400);
    await vi.waitUntil(
      async () => {
        const all = await ask('GET', '/incidents?pipeline=w-http&state=all');
        return (all.json['incidents'] as Incident[])[0]?.state === 'closed';
      },
      { timeout: 60_000 },
    );
  });

  it('does nothing to the incident that opened after the one that was looked at', async () => {
    const id = await open('w-next');
    const path = `/incidents/${encodeURIComponent(id)}`;
    const { openedAt } = (await ask('GET', path)).json as unknown as Incident;
    const given = {
      acknowledge: { by: 'eva' },
      silence: { by: 'eva', until: new Date(Date.now() + 60_000).toISOString() },
      close: { by: 'eva', reason: 'known' },
    };
    expect((await ask('POST', `${path}/close`, { ...given.close, openedAt })).status).toBe(200);
    await lab.temporal.client.workflow.getHandle(id).result();
    await open('w-next');
    const next = (await ask('GET', path)).json as unknown as Incident;
    for (const [word, body] of Object.entries(given)) {
      const detail = `The incident that opened at ${openedAt} is over, and another of the same problem is open since ${next.openedAt}: look at that one first.`;
      expect(await ask('POST', `${path}/${word}`, { ...body, openedAt })).toMatchObject({
        status: 409,
        json: { code: 'ControlRefused', detail },
      });
    }
    expect((await ask('GET', path)).json).toEqual(next);
    expect(await ask('POST', `${path}/acknowledge`, { ...given.acknowledge, openedAt: 'then' })).toMatchObject({
      status: 409,
      json: { detail: expect.stringMatching(/^"then" is no instant/) as unknown },
    });
    const meant = { ...given.close, openedAt: next.openedAt };
    expect(await ask('POST', `${path}/close`, meant)).toMatchObject({ status: 200, json: { state: 'closed' } });
  });

  it('waits for no worker to look, and says where none takes a word', async () => {
    const id = await open('w-alone');
    await lab.without(taskQueues.watch, async () => {
      expect((await sluice('show', id)).out).toContain('The source is not there.');
      const refused = await sluice('ack', id);
      expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^No worker answers for the incident/)]);
    });
  });
});
