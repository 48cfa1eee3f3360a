import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { HourMeasures } from '../../src/stages/watching/measures.ts';
import type { Outbox } from '../../src/workflows/notifier-messages.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { mailsTo, type InboxMail } from '../helpers/inbox.ts';
import { stageDeps } from '../helpers/servers.ts';
import { SlackServer } from '../helpers/slack-server.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { proxyOf, type TcpProxy } from '../helpers/tcp-proxy.ts';

const HOUR_MS = 3_600_000;
/** Tries of a stage: the first and three more. */
const retries = { attempts: 4, initialInterval: '10ms', maximumInterval: '20ms' } as const;
const CSV = 'id,kind,amount\na,k,1\n';

describe.skipIf(noStack)('who is told of a problem, and how often', () => {
  let app: TestApp;
  let slack: SlackServer;
  let smtp: TcpProxy;
  /** Fails from the beginning on, for nobody is reminded within a minute. */
  let lasting: ReturnType<typeof watched>;

  beforeAll(async () => {
    const { environment } = await testStack();
    slack = await SlackServer.open();
    smtp = await proxyOf(new URL(environment['SLUICE_SMTP_URL'] ?? '').host);
    app = await TestApp.start({
      SLUICE_SMTP_URL: `smtp://${smtp.address}`,
      SLUICE_ALERT_ALLOW: new URL(slack.url).host,
      SLUICE_SECRET_SLACK: slack.url,
    });
    lasting = watched({ alerts: { policy: { group: '1s', remindEvery: '1m' } } });
    app.serve(lasting.pipeline, { status: 404, body: 'no' });
    await failure(await lasting.launch(0));
    await vi.waitUntil(() => lasting.posts().length === 1, { timeout: 60_000, interval: 100 });
  });

  afterAll(async () => {
    await app?.stop();
    await smtp?.close();
    await slack?.close();
  });

  /** A pipeline that tells by mail and by Slack, and what either has got. */
  function watched({ alerts = {}, ...input }: Partial<PipelineInput> = {}) {
    const address = `${randomBytes(4).toString('hex')}@example.org`;
    const { pipeline, input: whole } = app.define({
      retries,
      ...input,
      alerts: { email: { to: [address] }, slack: { url: '${secret:SLACK}' }, policy: { group: '1s' }, ...alerts },
    });
    const { name } = pipeline;
    const posts = (): string[] => slack.taken.map(SlackServer.textOf).filter((text) => text.includes(name));
    const mails = (): Promise<InboxMail[]> => mailsTo(app.environment, address);
    const outbox = (): Promise<Outbox> =>
      app.client.temporal.workflow.getHandle(ids.notifier(name)).query<Outbox>('outbox');
    return {
      ...{ pipeline, input: whole, name, posts, mails, outbox },
      launch: async (hoursAgo: number): Promise<string> => {
        const hour = toLogicalHour(Date.now() - hoursAgo * HOUR_MS);
        return (await app.client.runs.launch({ pipeline, hour, useCurrent: true })).workflowId;
      },
      /** Waits until so many of each have come, and nothing else is on its way. */
      told: async (count: number): Promise<{ mails: InboxMail[]; posts: string[] }> => {
        await expect.poll(async () => [(await mails()).length, posts().length]).toEqual([count, count]);
        // What comes too much would come with the end of its window.
        await wait(1_500);
        await expect
          .poll(async () => {
            const { held, messages } = await outbox();
            return [...held, ...messages.filter(({ state }) => state === 'pending')];
          })
          .toEqual([]);
        const all = { mails: await mails(), posts: posts() };
        expect([all.mails.length, all.posts.length]).toEqual([count, count]);
        expect(slack.refused).toEqual([]);
        return all;
      },
      occurrences: async (rule: string): Promise<number[]> =>
        (await app.client.incidents.list({ pipeline: name, all: true }))
          .filter((one) => one.rule === rule)
          .map((one) => one.occurrences),
    };
  }

  const run = async (workflowId: string): Promise<RunReport> => app.client.runs.result(workflowId);
  const failure = (workflowId: string): Promise<unknown> =>
    run(workflowId).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('a failing run: one mail and one Slack message for three failed retries, none for ten more hours, one of each when it is over', async () => {
    const { pipeline, name, launch, told, occurrences } = watched();
    let asked = 0;
    app.serve(pipeline, {
      body: '',
      handler: (_request, response) => {
        asked += 1;
        response.writeHead(500).end('no');
      },
    });
    // Slack has had too many from somebody.
    slack.tooMany = 1;
    expect(await failure(await launch(11))).toMatchObject({ code: 'SourceUnavailable' });
    expect(asked).toBe(4);
    const opened = await told(1);
    expect(slack).toMatchObject({ tooMany: 0, tooEarly: 0 });
    const [mail] = opened.mails;
    expect(mail).toMatchObject({
      subject: `Sluice: ${name}: a run failed (SourceUnavailable)`,
      text: expect.stringMatching(/answers 500[\s\S]*^Stage +import$[\s\S]*^Tries +4$/m) as unknown,
      html: expect.stringMatching(/<html[\s\S]*answers 500/) as unknown,
      attachments: [expect.stringMatching(/\.html$/)],
    });
    expect(opened.posts[0]).toMatch(/🔴 .*a run failed \(SourceUnavailable\)[\s\S]*answers 500[\s\S]*\*Tries\*\n4/);

    const failing = await Promise.all([10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map(launch));
    for (const workflowId of failing) expect(await failure(workflowId)).toMatchObject({ code: 'SourceUnavailable' });
    // A run's word of it comes to the incident a moment behind the run's end.
    await expect.poll(() => occurrences('run-failed')).toEqual([11]);
    await told(1);

    app.serve(pipeline, { body: CSV });
    expect(await run(await launch(0))).toMatchObject({ outcome: 'completed' });
    const over = await told(2);
    const recovery = over.mails[1];
    expect(recovery).toMatchObject({
      subject: `Sluice: Recovered: ${name}: a run failed (SourceUnavailable)`,
      text: expect.stringMatching(/It is over after (\d+ \w+ ?)+\. .*Not done yet: /) as unknown,
      html: expect.stringContaining('It is over after') as unknown,
      attachments: [],
    });
    expect(over.posts[1]).toMatch(/🟢 .*Recovered[\s\S]*It is over after \d/);
    // One thread, and no message twice.
    const [thread] = mail?.header('References') ?? [];
    expect(thread).toMatch(/^<\w+\.incident@sluice>$/);
    expect(recovery?.header('References')).toEqual([thread]);
    expect(recovery?.header('In-Reply-To')).toEqual([thread]);
    expect(new Set([mail, recovery].map((one) => one?.header('Message-Id')[0])).size).toBe(2);
  });

  /** A run, and behind it what the product would have kept of a week of such runs. */
  async function withHistory(
    { pipeline, launch }: ReturnType<typeof watched>,
    table: (seed: number) => string,
  ): Promise<(hoursAgo: number, body: string) => Promise<RunReport>> {
    const runWith = async (hoursAgo: number, body: string): Promise<RunReport> => {
      app.serve(pipeline, { body });
      return run(await launch(hoursAgo));
    };
    const { hour } = await runWith(3, table(3));
    const { store, search: client } = stageDeps(app.environment);
    await client.close();
    const kept = await store.findJson<HourMeasures>(keys.measures(pipeline.name, hour));
    if (!kept) throw new Error('nothing was kept of the run');
    for (let ago = 1; ago <= 8 * 24; ago += 1) {
      const then = toLogicalHour(Date.parse(hour) - ago * HOUR_MS);
      // A hundredth more or less, as a source has it.
      const swing = 1 + (((ago * 7) % 5) - 2) / 400;
      const values = Object.fromEntries(
        Object.entries(kept.values).map(([key, value]) => [
          key,
          /^(rows|clean|distinct|mean)/.test(key) ? value * swing : value,
        ]),
      );
      const past: HourMeasures = { ...kept, hour: then, runId: `r${ago}`, content: `c${ago}`, values };
      await store.put(keys.measures(pipeline.name, then), Buffer.from(JSON.stringify(past)));
    }
    return runWith;
  }

  const table =
    (rows: number, amount = (row: number): string => String((row * 37) % 400)) =>
    (seed: number): string =>
      ['id,kind,amount', ...Array.from({ length: rows }, (_, row) => `${seed}-${row},k${row % 3},${amount(row)}`)].join(
        '\n',
      );

  it.each([
    {
      what: 'halves its rows',
      odd: table(200),
      title: 'the number of rows is unusual (read)',
      says: /200 rows were read, usually 40\d.*fell by 50 %/,
    },
    {
      what: 'leaves a column empty',
      odd: table(400, (row) => (row % 5 === 0 ? String((row * 37) % 400) : '')),
      title: 'the share of missing values is unusual (amount)',
      says: /80 % of the rows have no amount, usually 0 %/,
    },
  ])(
    'a source that $what: told once, named by rule and column, and once that it is over',
    async ({ odd, title, says }) => {
      const usual = table(400);
      const about = watched();
      const runWith = await withHistory(about, usual);
      const first = await runWith(2, odd(2));
      expect(first.anomalies?.map(({ rule }) => rule)).toHaveLength(1);
      const opened = await about.told(1);
      expect(opened.mails[0]?.subject).toBe(`Sluice: ${about.name}: ${title}`);
      const shown = await app.cli(['report', first.hour, '--pipeline', about.name]);
      for (const text of [opened.mails[0]?.text, opened.posts[0], shown.out]) expect(text).toMatch(says);
      expect(shown.out).toMatch(/monitors: 1 odd; \d+ series judged by 193 earlier runs/);
      await runWith(1, odd(1));
      const [{ rule } = { rule: '' }] = first.anomalies ?? [];
      await expect.poll(() => about.occurrences(rule)).toEqual([2]);
      await about.told(1);
      expect((await runWith(0, usual(0))).anomalies).toEqual([]);
      const over = await about.told(2);
      expect(over.mails[1]?.subject).toBe(`Sluice: Recovered: ${about.name}: ${title}`);
      expect(over.posts[1]).toMatch(/It is over after .* as usual again\./);
    },
  );

  it('a blocked index: told once what to do, and once that it is over', async () => {
    const { pipeline, name, launch, told, occurrences } = watched({ retries: { ...retries, attempts: 2 } });
    app.serve(pipeline, { body: CSV });
    await run(await launch(3));
    const block = (value: true | null) =>
      fetch(new URL(`/sluice-${name}/_settings`, app.environment['SLUICE_ELASTICSEARCH_URL']), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ 'index.blocks.write': value }),
      });
    expect((await block(true)).status).toBe(200);
    try {
      for (const ago of [2, 1]) {
        app.serve(pipeline, { body: `${CSV}${ago},k,1\n` });
        expect(await failure(await launch(ago))).toMatchObject({ code: 'ElasticsearchUnavailable' });
      }
      await expect.poll(() => occurrences('run-failed')).toEqual([2]);
      const { mails, posts } = await told(1);
      expect(mails[0]?.subject).toBe(`Sluice: ${name}: a run failed (ElasticsearchUnavailable)`);
      for (const text of [mails[0]?.text, posts[0]])
        expect(text).toMatch(/takes no writes on .*somebody set a block against writes\. Take it off/);
      expect(mails[0]?.text).toMatch(/^Stage +index$/m);
    } finally {
      await block(null);
    }
    app.serve(pipeline, { body: `${CSV}0,k,1\n` });
    await run(await launch(0));
    expect((await told(2)).posts[1]).toMatch(/Recovered[\s\S]*It is over after/);
  });

  const states = async (outbox: Promise<Outbox>): Promise<string[]> =>
    (await outbox).messages.map(({ name, state }) => `${name} ${state}`).toSorted();

  it('a mail server that is away: Slack has it, the run ends as it would, and the mail comes once when it is back', async () => {
    const { pipeline, launch, told, posts, outbox } = watched();
    app.serve(pipeline, { status: 404, body: 'no' });
    await smtp.close();
    try {
      expect(await failure(await launch(0))).toMatchObject({ code: 'SourceNotFound' });
      await expect.poll(posts).toHaveLength(1);
      await expect.poll(() => states(outbox())).toEqual(['email pending', 'slack sent']);
    } finally {
      await smtp.open();
    }
    await told(1);
  });

  it('a webhook that was taken away: the mail comes in its place, and says so', async () => {
    const about = watched({ alerts: { routes: [{ to: ['slack'] }] } });
    app.serve(about.pipeline, { status: 404, body: 'no' });
    slack.revoked = true;
    try {
      await failure(await about.launch(0));
      await expect.poll(about.mails).toHaveLength(1);
    } finally {
      slack.revoked = false;
    }
    const [mail] = await about.mails();
    expect(mail?.text).toContain('This was to come by the channel "slack", which did not take it.');
    expect(about.posts()).toEqual([]);
    await expect.poll(() => states(about.outbox())).toEqual(['email sent', 'slack failed']);
  });

  it('a problem that lasts: a reminder by policy', async () => {
    const { name } = lasting;
    // The first of them; the others come each minute.
    await expect.poll(async () => (await lasting.mails()).length).toBeGreaterThan(1);
    const [opened, reminder] = await lasting.mails();
    expect(reminder?.subject).toBe(`Sluice: Still open: ${name}: a run failed (SourceNotFound)`);
    expect(reminder?.text).toMatch(/It has lasted for 1 min/);
    expect(reminder?.header('In-Reply-To')).toEqual(opened?.header('References'));
    expect(lasting.posts()[1]).toMatch(/🔴 Still open: /);
  });
});
