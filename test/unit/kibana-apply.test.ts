import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KibanaConnector } from '../../src/connectors/kibana.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { built } from '../../src/client/cli/dashboards.ts';
import { ndjson, type SavedObject } from '../../src/dashboards/kibana/saved-object.ts';
import { runSluice, type Outcome } from '../helpers/cli.ts';
import { definitions, sampleObjects, within, type Loose } from '../helpers/kibana-dashboards.ts';
import { KibanaServer, type KibanaBehaviour, type StandingObject } from '../helpers/kibana-server.ts';

const broadband = join(definitions, 'broadband.yaml');
const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function kibana(behaviour: KibanaBehaviour = {}): Promise<KibanaServer> {
  const server = await new KibanaServer(behaviour).start();
  stops.push(() => server.stop());
  return server;
}

const sluice = (environment: Record<string, string>, ...args: string[]): Promise<Outcome> =>
  runSluice(['dashboards', ...args], { PATH: process.env['PATH'], NO_COLOR: '1', ...environment });

// Each runs the command line some times, on a machine that may be busy.
describe('sluice dashboards', { timeout: 240_000 }, () => {
  it('apply imports, says what became of each object and where the dashboard is, and does so again; diff finds what is otherwise', async () => {
    const server = await kibana({ apiKey: 'a-secret-key', spaces: ['data'] });
    const environment = {
      SLUICE_KIBANA_URL: `${server.url}/`,
      SLUICE_KIBANA_API_KEY: 'a-secret-key',
      SLUICE_KIBANA_SPACE: 'data',
    };
    const diff = (...more: string[]): Promise<Outcome> => sluice(environment, 'diff', '--pipeline', broadband, ...more);
    const before = await diff();
    expect(before).toMatchObject({ code: 4, err: '' });
    expect(before.out).toContain('dashboard sluice-data-broadband is not in Kibana\n');
    expect(before.out).toMatch(/^0 of \d+ saved objects stand as they are defined$/m);

    const first = await sluice(environment, 'apply', '--pipeline', broadband);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/^created {3}dashboard {6}sluice-data-broadband$/m);
    expect(first.out).toContain(`\n${server.url}/s/data/app/dashboards#/view/sluice-data-broadband\n`);
    const stood = server.spaces.get('data')?.size ?? 0;
    expect(stood).toBeGreaterThan(2);
    expect(server.spaces.get('default')?.size).toBe(0);

    const again = await sluice(environment, 'apply', '--pipeline', broadband, '--json');
    const { success, objects, links } = JSON.parse(again.out) as Loose;
    expect({ code: again.code, success }).toEqual({ code: 0, success: true });
    expect(links).toContain(`${server.url}/s/data/app/dashboards#/view/sluice-data-broadband`);
    expect(new Set(objects.map(({ outcome }: Loose) => outcome))).toEqual(new Set(['replaced']));
    expect(server.spaces.get('data')?.size).toBe(stood);

    // It has been migrated, and has times and fields of Kibana’s own.
    expect(await diff()).toMatchObject({
      code: 0,
      out: `${stood} of ${stood} saved objects stand as they are defined\n`,
    });

    const space = server.spaces.get('data') as Map<string, SavedObject>;
    const name = 'dashboard sluice-data-broadband';
    const board = structuredClone(space.get(name)) as Loose;
    board.attributes.title = 'Mine';
    board.attributes.panelsJSON = within(board.attributes.panelsJSON, (panels) => (panels[0].gridData.h = 99));
    space.set(name, board);
    const edited = await diff();
    expect(edited.code).toBe(4);
    expect(edited.out).toContain(`${name} stands otherwise in Kibana\n  attributes.title: Mine → US broadband usage\n`);
    expect(edited.out).toMatch(/^ {2}attributes\.panelsJSON\.\d+\.gridData\.h: 99 → \d+$/m);
    expect(JSON.parse((await diff('--json')).out)).toMatchObject({ same: false });
  });

  it('diff in a second space finds what apply made there under other ids, and what it refers to', async () => {
    const server = await kibana({ spaces: ['data'] });
    const { objects } = await built(broadband);
    await new KibanaConnector({ url: server.url }).import(ndjson(objects));
    const second = { SLUICE_KIBANA_URL: server.url, SLUICE_KIBANA_SPACE: 'data' };
    // Nothing of it is in this space yet, whatever the other one has.
    expect((await sluice(second, 'diff', '--pipeline', broadband)).out).toMatch(/^0 of \d+ saved objects stand/m);
    expect(await sluice(second, 'apply', '--pipeline', broadband)).toMatchObject({ code: 0 });
    const space = server.spaces.get('data') as Map<string, StandingObject>;
    const stood = [...space.values()];
    expect(stood.every(({ id, originId }) => originId?.startsWith('sluice-') && !id.startsWith('sluice-'))).toBe(true);
    // Once more it writes over them.
    const again = await new KibanaConnector({ url: server.url, space: 'data' }).import(ndjson(objects));
    expect(again.successResults.every(({ overwrite }) => overwrite)).toBe(true);
    expect([...space.keys()]).toEqual(stood.map(({ type, id }) => `${type} ${id}`));
    expect(await sluice(second, 'diff', '--pipeline', broadband)).toEqual({
      ...{ code: 0, err: '', out: `${stood.length} of ${stood.length} saved objects stand as they are defined\n` },
    });

    const board = stood.find(({ originId }) => originId === 'sluice-data-broadband') as StandingObject;
    const edited = structuredClone(space.get(`dashboard ${board.id}`)) as Loose;
    edited.attributes.title = 'Mine';
    // It leads to the other space's object, which nobody sees here.
    const wrong = edited.references.find(({ type }: Loose) => type === 'lens');
    wrong.id = space.get(`lens ${wrong.id}`)?.originId;
    space.set(`dashboard ${board.id}`, edited);
    const runs = stood.find(({ originId }) => originId === 'sluice-operations') as StandingObject;
    space.set('dashboard other', { ...runs, id: 'other' });
    const { code, out } = await sluice(second, 'diff', '--pipeline', broadband);
    expect(code).toBe(4);
    expect(out).toContain(`dashboard sluice-data-broadband stands otherwise in Kibana, as ${board.id}\n`);
    expect(out).toContain('\n  attributes.title: Mine → US broadband usage\n');
    expect(out).toMatch(/^ {2}references\.\d+\.id: sluice-data-broadband\.\S+ → [0-9a-f-]{36}$/m);
    const both = [runs.id, 'other'].toSorted().join(' and ');
    expect(out).toContain(`dashboard sluice-operations is in Kibana more than once, as ${both}: delete all but one\n`);
    expect(out).toContain(`${stood.length - 2} of ${stood.length} saved objects stand as they are defined`);
  });

  it('diff says what is missing in a space of more objects than Kibana exports, and that copies were not looked for', async () => {
    const server = await kibana({ mostExported: 3 });
    const environment = { SLUICE_KIBANA_URL: server.url };
    expect(await sluice(environment, 'apply', '--pipeline', broadband)).toMatchObject({ code: 0 });
    const space = server.spaces.get('default') as Map<string, StandingObject>;
    const lens = [...space.values()].filter(({ type }) => type === 'lens');
    expect(lens.length).toBeGreaterThan(4);
    space.delete(`lens ${lens[0]?.id}`);
    const note = `Copies under other ids could not be looked for, so what is missing may stand under one of those. Kibana at ${new URL(server.url).host} does not take the export of all objects of type lens (400, saying "Can't export more than 3 objects").`;
    expect(await sluice(environment, 'diff', '--pipeline', broadband)).toEqual({
      ...{ code: 4, err: '' },
      out: `lens ${lens[0]?.id} is not in Kibana\n${note}\n${space.size} of ${space.size + 1} saved objects stand as they are defined\n`,
    });
    const { out } = await sluice(environment, 'diff', '--pipeline', broadband, '--json');
    expect(JSON.parse(out)).toMatchObject({ same: false, note });
  });

  it('apply waits for a Kibana that starts, and ends with 1 where it does not take all', async () => {
    const server = await kibana({ starting: 2 });
    const environment = { SLUICE_KIBANA_URL: server.url };
    const now = await sluice(environment, 'apply', '--pipeline', broadband);
    const host = new URL(server.url).host;
    const starts = `Kibana at ${host} is not ready yet (503, saying "Kibana server is not ready yet"): it starts, or does without its Elasticsearch. Try again in a minute.`;
    expect(now).toEqual({ code: 1, out: '', err: `${starts}\n` });

    const id = 'sluice-data-broadband';
    server.behaviour.ambiguous = id;
    const waited = await sluice(environment, 'apply', '--pipeline', broadband, '--wait', '30');
    expect(waited.code).toBe(1);
    expect(waited.err).toBe(`${starts} It is waited for.\n`);
    expect(waited.out).toContain(`refused   dashboard      ${id}: another object of this Kibana stands in its way`);
    expect(waited.out).toMatch(/^unwritten index-pattern {2}sluice-view\.\S+: others were refused$/m);
    expect(waited.out).not.toMatch(/^(created|replaced)/m);
    expect(waited.out).toContain('\nKibana wrote nothing');
    expect(waited.out).not.toContain('/app/dashboards');
    expect(server.spaces.get('default')?.size).toBe(0);

    const error = { type: 'missing_references', references: [{ type: 'index-pattern', id: 'gone' }] };
    const successResults = sampleObjects().map(({ type, id: other }) => ({ type, id: other, meta: {} }));
    server.behaviour.importAnswer = {
      status: 200,
      body: JSON.stringify({
        success: false,
        successCount: 1,
        successResults,
        errors: [{ type: 'dashboard', id, error }],
      }),
    };
    const missing = await sluice(environment, 'apply', '--pipeline', broadband, '--json');
    const refused = JSON.parse(missing.out) as Loose;
    expect({ code: missing.code, success: refused.success, links: refused.links }).toEqual({
      ...{ code: 1, success: false, links: [] },
    });
    expect(refused.objects).toContainEqual({
      ...{ type: 'dashboard', id, outcome: 'refused' },
      note: 'what it refers to is not there: index-pattern gone',
    });
    expect(new Set(refused.objects.map(({ outcome }: Loose) => outcome))).toEqual(new Set(['unwritten', 'refused']));
  });

  it('apply says what Kibana took where it took a part', async () => {
    const server = await kibana({ unsupported: ['lens'] });
    const environment = { SLUICE_KIBANA_URL: server.url };
    const partly = await sluice(environment, 'apply', '--pipeline', broadband);
    expect(partly).toMatchObject({ code: 1, err: '' });
    expect(partly.out).toMatch(/^refused {3}lens .*: this Kibana knows no such objects/m);
    expect(partly.out).toMatch(/^created {3}dashboard {6}sluice-data-broadband$/m);
    expect(partly.out).toContain('Kibana did not take all of it; what it took stands there.');
    const created = partly.out.match(/^created/gm)?.length ?? 0;
    expect(created).toBeGreaterThan(2);
    expect(server.spaces.get('default')?.size).toBe(created);
  });

  it('build writes a whole file or none, and validate finds what is wrong with one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-kibana-'));
    stops.push(() => rm(folder, { recursive: true }));
    const out = join(folder, 'broadband.ndjson');
    const built = await sluice({}, 'build', '--pipeline', broadband, '--out', out);
    expect(built).toMatchObject({ code: 0, err: '' });
    const text = await readFile(out, 'utf8');
    expect(built.out).toContain(`${out}: ${text.trim().split('\n').length} saved objects\n`);
    const into = await sluice({}, 'build', '--pipeline', broadband, '--out', folder);
    expect(into).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/cannot be written: EISDIR/) as unknown,
    });
    expect(await readdir(folder)).toEqual(['broadband.ndjson']);

    await writeFile(out, text.replace('"managed":false', '"managed":true'));
    const found = await sluice({}, 'validate', out, '--offline');
    expect(found).toMatchObject({ code: 1, err: '' });
    expect(found.out).toMatch(/^index-pattern \S+, managed: is not false.*\n1 problem\n$/);
    expect(await sluice({}, 'validate')).toMatchObject({ code: 2, out: '', err: /^Which dashboards\?/ });
  });
});

describe('the connector of Kibana', () => {
  const text = ndjson(sampleObjects());

  const answering = async (status: number, body: string, location?: string): Promise<KibanaConnector> => {
    const importAnswer = { status, body, ...(location === undefined ? {} : { location }) };
    return new KibanaConnector({ url: (await kibana({ importAnswer })).url });
  };

  it.each([
    [
      413,
      '{"message":"Payload content length greater than maximum allowed"}',
      'KibanaRefused',
      /does not take the import \(413, saying "Payload/,
    ],
    [409, '{"message":"conflict"}', 'KibanaRefused', /does not take the import \(409, saying "conflict"\)\.$/],
    [
      401,
      '{"message":"unable to authenticate"}',
      'SettingsInvalid',
      /refused the import \(401, .*check SLUICE_KIBANA_API_KEY/,
    ],
    [403, '{"message":"Forbidden"}', 'SettingsInvalid', /refused the import \(403, .*what its key may do/],
    [404, '{"message":"Not Found"}', 'SettingsInvalid', /knows no such address for the import \(404\)/],
    [500, '<html>Internal</html>', 'KibanaUnavailable', /failed on the import \(500\)\.$/],
    [429, '', 'KibanaUnavailable', /failed on the import \(429\)\.$/],
    [503, 'Kibana server is not ready yet', 'KibanaUnavailable', /is not ready yet \(503/],
    [200, '<html>some proxy</html>', 'KibanaUnavailable', /is nothing that Kibana says/],
    [200, '{"ok":true}', 'KibanaUnavailable', /is nothing that Kibana says/],
  ])('says in a sentence what %i means: %s', async (status, body, code, sentence) => {
    const connector = await answering(status, body);
    await expect(connector.import(text)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(sentence) as unknown,
    });
  });

  it('follows nobody elsewhere, and takes no key along', async () => {
    const connector = await answering(302, '', 'http://127.0.0.1:1/login?next=%2F');
    await expect(connector.import(text)).rejects.toThrow(/sent the import to http:\/\/127\.0\.0\.1:1\/login \(302\)/);
  });

  it('keeps its key to itself where it is refused', async () => {
    const { url } = await kibana({ apiKey: 'right' });
    const refused: unknown = await new KibanaConnector({ url, apiKey: 'wrong-key' })
      .import(text)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SettingsInvalid' });
    expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toContain('wrong-key');
  });

  it('says that there is no such space', async () => {
    const { url } = await kibana();
    const connector = new KibanaConnector({ url, space: 'nowhere' });
    await expect(connector.import(text)).rejects.toThrow(/has a space "nowhere" \(SLUICE_KIBANA_SPACE\)/);
  });

  it('says where nobody listens, and where somebody hangs up', async () => {
    const server = createServer((request) => request.socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(new KibanaConnector({ url }).import(text)).rejects.toThrow(
      /did not answer on the import: .+SLUICE_KIBANA_URL/,
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(new KibanaConnector({ url }).export([{ type: 'a', id: 'b' }])).rejects.toThrow(/ECONNREFUSED/);
  });

  it('is told that others succeeded where nothing was written', async () => {
    const server = await kibana();
    const [view, ...others] = sampleObjects();
    const answer = await new KibanaConnector({ url: server.url }).import(ndjson(others));
    expect(answer.errors[0]?.error).toMatchObject({ type: 'missing_references', references: [{ id: view?.id }] });
    expect(answer.successResults.length).toBeGreaterThan(0);
    expect(server.spaces.get('default')?.size).toBe(0);
  });

  it('leaves out of an export what is not there', async () => {
    const server = await kibana();
    const connector = new KibanaConnector({ url: server.url });
    await connector.import(text);
    const [view] = sampleObjects();
    const asked = [{ type: 'lens', id: 'gone' }, view as SavedObject];
    expect(await connector.export(asked)).toMatchObject([{ type: 'index-pattern', id: view?.id }]);
    expect(await connector.export([{ type: 'lens', id: 'gone' }])).toEqual([]);
  });

  it.each([
    ['SLUICE_KIBANA_URL', 'http://elastic:changeme@127.0.0.1:5601', /SLUICE_KIBANA_URL: needs an address alone/],
    ['SLUICE_KIBANA_URL', 'kibana:5601', /SLUICE_KIBANA_URL/],
    ['SLUICE_KIBANA_SPACE', 'My space', /SLUICE_KIBANA_SPACE: needs the id of a space/],
  ])('is told by %s=%s what is wrong with it', (name, value, sentence) => {
    expect(() => readSettings({ [name]: value })).toThrow(sentence);
  });
});
