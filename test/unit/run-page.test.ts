import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { definitionOf } from '../../src/client/cli/run-report.ts';
import type { SluiceClient } from '../../src/client/sluice-client.ts';
import type { Store } from '../../src/connectors/object-store.ts';
import { SearchConnector } from '../../src/connectors/search.ts';
import { makeRunPage } from '../../src/dashboards/run-page/make-run-page.ts';
import { runPage } from '../../src/dashboards/run-page/page.ts';
import type { ReportOnPage } from '../../src/dashboards/run-page/report-on-page.ts';
import type { RunReport } from '../../src/stages/run-report.ts';

const hour = '2026-11-24T03:00:00Z';
const madeAt = new Date('2026-11-24T04:00:00Z');
const rows = { read: 10, clean: 7, duplicates: 1, filtered: 1, rejected: 1, published: 7, landed: 7, indexed: 7 };

/** A report with something everywhere; each text in it is `text(where)`. */
function fullReport(text: (where: string) => string): RunReport {
  const ref = { uri: text('uri'), sha256: text('sha'), bytes: 12, rows: 10 };
  const counted = { read: 10, parsed: 9, rejected: 1 };
  return {
    ...{ pipeline: text('pipeline'), hour, workflowId: text('workflow'), runId: text('run'), outcome: 'failed' },
    trace: text('trace'),
    ...{ startedAt: '2026-11-24T03:00:01Z', endedAt: '2026-11-24T03:00:21Z', startFrom: 'clean' },
    stages: [
      { stage: 'import', startedAt: '2026-11-24T03:00:01Z', ms: 1_000, rows: 10 },
      { stage: text('stage'), startedAt: '2026-11-24T03:00:02Z', ms: 9_000 },
    ],
    source: {
      ...{ address: text('address'), fetchedAt: '2026-11-24T03:00:01Z', raw: ref, replayed: true },
      validators: { etag: text('etag') },
      unknownColumns: [text('unknown column')],
      files: [
        {
          ...{ name: text('file'), file: text('file sha'), rows: counted, format: text('format') },
          ...{ skipped: { preamble: 0, comments: 0, blank: 0 }, replacedBytes: 0 },
        },
      ],
      fileCount: 3,
      notModifiedSince: text('since'),
      notes: [text('note')],
    },
    prepared: { changes: [text('change')], warnings: [text('prepare warning')] },
    clean: {
      engine: 'duckdb',
      quality: [{ gate: text('gate'), level: 'warn', sentence: text('finding') }],
      rejectedBy: { [`${text('column')} required`]: 1 },
      datasets: { main: { rows, sha256: 'x' } },
      spark: {
        jobs: [{ step: text('job'), ms: 900, stages: 1, tasks: 4 }],
        stages: [
          {
            ...{ step: text('job'), stage: 7, ms: 800, tasks: 4, failedTasks: 1, runMs: 3_000 },
            ...{ readBytes: 1, shuffleReadBytes: 2, shuffleWriteBytes: 3, spillBytes: 4 },
          },
        ],
        all: { jobs: 1, stages: 1, tasks: 4, shuffleBytes: 3, spillBytes: 4 },
      },
    },
    generations: { [text('dataset')]: 1 },
    batches: { [text('dataset')]: text('batch') },
    equations: [{ dataset: text('dataset'), rows, holds: false, broken: text('hop') }],
    madeStale: { hours: [text('stale')], count: 1, itself: true },
    discarded: {
      tallies: [{ what: text('tally'), objects: 1, bytes: 2 }],
      failed: { code: 'X', message: text('untidy') },
    },
    warnings: [text('warning')],
    anomalies: [
      {
        ...{
          rule: 'categories',
          subject: text('odd column'),
          severity: 'critical',
          sentence: text('oddity'),
          muted: true,
        },
        facts: ['found', 'usual', 'off by'].map((name) => ({ name, value: text(name) })),
      },
    ],
    watched: { judged: 12, learning: 3, runs: 48 },
    servers: [
      {
        ...{ server: 'kafka', left: 7 },
        lines: [{ server: 'kafka', at: '2026-11-24T03:00:03.123Z', level: 'error', text: text('server line') }],
      },
    ],
    error: { code: text('code'), stage: text('failed stage'), message: text('message') },
  } as unknown as RunReport;
}

/** The page's tags with the names of their attributes, in order: what it is made of, whatever texts stand in it. */
const madeOf = (page: string): string[] =>
  [
    ...page.replace(/<style>.*?<\/style>/s, '').matchAll(/<(\/?[a-zA-Z!][^\s>]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*>/g),
  ].map(
    ([, tag = '', attributes = '']) =>
      `${tag} ${[...attributes.matchAll(/([\w:-]+)=?(?:"[^"]*")?/g)].map(([, name]) => name).join(' ')}`,
  );

const breakingOut = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.constantFrom(
    '</style><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '-->',
    ']]>',
    '<!--',
    '&lt;script&gt;',
    '</title><svg onload=alert(1)>',
    'javascript:alert(1)',
    '\u0000<\uD800>',
    '$& $1 $`',
  ),
);

describe('the page of a run', () => {
  it('is made of the same tags, whatever its texts are', () => {
    const parts = (text: string) => ({
      report: fullReport(() => text),
      madeAt,
      panels: {
        figures: [
          { title: text, question: text, text, of: text },
          { title: text, question: text, svg: '<svg></svg>', broad: true },
          { title: text, question: text, failed: text },
        ],
        leftOut: [text],
        tooSlow: [text],
      },
    });
    const plain = madeOf(runPage(parts('plain')));
    expect(plain.length).toBeGreaterThan(150);
    fc.assert(
      fc.property(breakingOut, (text) => {
        const page = runPage(parts(text));
        expect(madeOf(page)).toEqual(plain);
        // And there is no other sign of a tag than these.
        expect(page.match(/</g)?.length).toBe(runPage(parts('plain')).match(/</g)?.length);
        for (const forbidden of ['\u0000', '\uFFFE', '\uFFFF']) expect(page).not.toContain(forbidden);
        expect(page.isWellFormed()).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('tells each text of the report, an address of the Web UI only where it is one', () => {
    const texts = new Set<string>();
    const page = runPage({ report: fullReport((where) => (texts.add(where), `«${where}»`)), madeAt });
    // What an object is called inside is for programs.
    const untold = [...texts].filter((where) => !page.includes(`«${where}»`));
    expect(untold).toEqual(['uri', 'file sha']);
    const link = (webUi: string): boolean => runPage({ report: fullReport(String), madeAt, webUi }).includes('<a ');
    expect([link('http://127.0.0.1:8233/x'), link('javascript:alert(1)')]).toEqual([true, false]);
  });

  it('loads nothing and runs nothing', () => {
    const page = runPage({ report: fullReport(String), madeAt });
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:;`);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=/);
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
  });

  it('shows an equation that does not hold in red, with a sign and the hop', () => {
    const equation = {
      dataset: 'main',
      rows: { ...rows, landed: 6, indexed: 6 },
      holds: false,
      broken: 'landed 6 of 7',
    };
    const page = runPage({ report: { ...fullReport(String), equations: [equation] }, madeAt });
    expect(page).toContain('landed 6 of 7');
    expect(page.match(/<span class="bad">≠ 6<\/span>/g)).toHaveLength(2);
    expect(page).toContain('✗ does not hold');
    const holds = runPage({
      report: { ...fullReport(String), equations: [{ dataset: 'main', rows, holds: true }] },
      madeAt,
    });
    expect(holds).not.toContain('≠');
    expect(holds).toContain('✓ holds');
  });

  const little = { pipeline: 'p', hour, workflowId: 'w', runId: 'r', stages: [] };
  it.each<[string, ReportOnPage, RegExp[]]>([
    [
      'runs',
      little,
      [/running/, /No row has been cleaned yet/, /Nothing has been fetched yet/, /this is how it stood/],
    ],
    [
      'failed before its first stage was through',
      { ...little, outcome: 'failed', error: { code: 'StoreUnavailable', stage: 'prepare', message: 'It is away.' } },
      [/failed in prepare/, /It is away\./, /ended in prepare/, /before its first stage/, /before its import/],
    ],
    [
      'was blocked after cleaning',
      {
        ...little,
        outcome: 'failed',
        clean: { engine: 'duckdb', quality: [], rejectedBy: {}, datasets: { main: { rows, sha256: 'x' } } },
        error: { code: 'QualityBlocked', stage: 'quality', message: 'Too many.' },
      },
      [/not proved: the run ended in quality/, /not proved<\/span>/],
    ],
    [
      'is late',
      { ...little, error: { code: 'DeadlineNear', stage: 'land', message: 'Soon over.' } },
      [/>late</, /What is late/],
    ],
    [
      'was unchanged',
      { ...little, outcome: 'unchanged', sameAs: '2026-11-24T02:00:00Z' },
      [/those of 2026-11-24T02:00:00Z/],
    ],
  ])('says in words what is missing of a run that %s', (_what, report, sentences) => {
    const page = runPage({ report, madeAt });
    for (const sentence of sentences) expect(page).toMatch(sentence);
    expect(page).not.toMatch(/undefined|NaN|Invalid/);
  });

  it('is bounded, whatever a run has to tell', async () => {
    const long = 'x'.repeat(100_000);
    const many = Array.from({ length: 10_000 }, (_, at) => `${at} ${long.slice(0, 50)}`);
    const report = {
      ...fullReport(() => 'p'),
      warnings: [...many, long],
      error: { code: 'SourceMalformed', stage: 'import', message: long },
      clean: {
        engine: 'duckdb' as const,
        quality: many.map((gate) => ({ gate, level: 'warn' as const, sentence: long })),
        rejectedBy: Object.fromEntries(many.map((column) => [`${column} required`, 1])),
      },
    };
    expect(runPage({ report, madeAt }).length).toBeLessThan(350_000);
  });

  it('is made without Elasticsearch, and says so; and smaller where it has to be', async () => {
    const search = new SearchConnector({ url: 'http://127.0.0.1:1' });
    const { pipelineSchema } = await import('../../src/definition/pipeline.ts');
    const pipeline = pipelineSchema.parse({
      ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'] },
      columns: { id: { name: 'id', required: true }, amount: { name: 'amount', type: 'decimal' } },
    });
    const report = fullReport(String);
    const page = await makeRunPage({ report, pipeline, search });
    expect(page).toMatch(/The panels of this hour could not be drawn: Elasticsearch at 127\.0\.0\.1:1 failed/);
    expect(page).toContain('<svg');
    const small = await makeRunPage({ report, pipeline, search, most: 100 });
    expect(small).not.toContain('<svg');
    expect(small).toContain('What went wrong');
    await search.close();
  });

  it('is there without panels where the store does not say what shaped the run, and tells why', async () => {
    const search = new SearchConnector({ url: 'http://127.0.0.1:1' });
    const away = { findJson: () => Promise.reject(new Error('The object store is away.')) } as unknown as Store;
    const report = fullReport(String);
    const pipeline = await definitionOf({} as SluiceClient, away, report, undefined);
    const page = await makeRunPage({ report, search, ...(pipeline && { pipeline }) });
    expect(page).toContain('The panels of this hour could not be drawn, without their definition: The object store is');
    expect(page).toContain('What went wrong');
    await search.close();
  });
});

describe('the panels of an hour', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** An Elasticsearch with nine documents. @param unlike answers the nth search (from 1) in a way of its own, and says so */
  async function page(unlike: (nth: number, refuse: () => void) => boolean, drawnWithinMs?: number): Promise<string> {
    let searches = 0;
    server = createServer((request, response) => {
      const answer = (status: number, body: object): void => {
        const type = 'application/vnd.elasticsearch+json;compatible-with=9';
        response.writeHead(status, { 'content-type': type, 'x-elastic-product': 'Elasticsearch' });
        response.end(JSON.stringify(body));
      };
      request.resume().on('end', () => {
        if (request.url?.includes('_count')) answer(200, { count: 9 });
        else if (
          !unlike((searches += 1), () => answer(400, { error: { type: 'x', reason: 'no such field' }, status: 400 }))
        )
          answer(200, {
            hits: { total: { value: 9, relation: 'eq' }, hits: [] },
            aggregations: { value: { value: 5 } },
          });
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const search = new SearchConnector({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const { pipelineSchema } = await import('../../src/definition/pipeline.ts');
    const pipeline = pipelineSchema.parse({
      ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'] },
      columns: { id: { name: 'id', required: true }, amount: { name: 'amount', type: 'decimal' } },
    });
    const more = drawnWithinMs === undefined ? {} : { drawnWithinMs };
    try {
      return await makeRunPage({ report: fullReport(String), pipeline, search, ...more });
    } finally {
      // It waits for what was asked and not answered.
      server?.closeAllConnections();
      await search.close();
    }
  }

  it('are all there but the one that fails, which says why', async () => {
    const whole = await page(() => false);
    expect(whole).not.toContain('Could not be drawn');
    const without = await page((nth, refuse) => nth === 3 && (refuse(), true));
    expect(without.match(/Could not be drawn: [^<]*no such field/g)).toHaveLength(1);
    const titles = (text: string): string[] => text.match(/<h3[^>]*>[^<]*</g) ?? [];
    expect(titles(without).length).toBe(titles(whole).length);
  });

  it('are left out from the first that takes too long, and named', async () => {
    const text = await page((nth) => nth > 2, 500);
    expect(text).toMatch(/Left out, as Elasticsearch took too long for them: [^,]+, /);
    expect(text).toContain('Newest hour');
    expect(text).toContain('makes it whole');
  });

  it('have a total where that says something', async () => {
    const text = await page(() => false);
    const tile = (title: string): string => new RegExp(`>${title}<.*?</div>`, 's').exec(text)?.[0] ?? '';
    expect(tile('Newest hour')).toMatch(/ago<\/b>/);
    expect(tile('Newest hour')).not.toContain('records');
    expect(tile('Hours in range')).toContain('of 9 records');
  });
});
