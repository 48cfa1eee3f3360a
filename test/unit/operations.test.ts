import { describe, expect, it } from 'vitest';
import { whatBringsIt } from '../../src/activities/reports.ts';
import type { Store } from '../../src/connectors/object-store.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { keys, mainDataset, streamName } from '../../src/definition/names.ts';
import { operationsFields } from '../../src/definition/operations.ts';
import { incidentDocument } from '../../src/stages/accounting/incident-documents.ts';
import { keptFrom, keptIncidents } from '../../src/stages/accounting/kept-incidents.ts';
import { IndexedIncidents } from '../../src/stages/accounting/open-incidents.ts';
import { documentsFound, operationsDocuments } from '../../src/stages/accounting/operations-documents.ts';
import { unattended } from '../../src/stages/deps.ts';
import { runReport, someAnomalies, someIncident } from '../helpers/operations.ts';

const kinds = (documents: readonly { readonly body: { readonly kind?: unknown } }[]) =>
  documents.map(({ body }) => body.kind);

describe('what is indexed of a run', () => {
  it('is a document for each stage, reason and data set, and the run’s own as the last', () => {
    const report = runReport();
    const documents = operationsDocuments(report, 7);
    expect(kinds(documents)).toEqual([
      'stage',
      'stage',
      'stage',
      'rejection',
      'rejection',
      'dataset',
      'dataset',
      'run',
    ]);
    const of = (kind: string) => documents.filter(({ body }) => body.kind === kind).map(({ body }) => body);
    expect(of('run')).toEqual([
      {
        kind: 'run',
        pipeline: 'broadband',
        hour: '2026-11-24T03:00:00Z',
        runId: 'r1',
        run: 'broadband 2026-11-24T03',
        at: '2026-11-24T03:01:00.000Z',
        workflowId: 'pipeline/broadband/2026-11-24T03:00:00Z',
        outcome: 'completed',
        startedAt: '2026-11-24T03:00:10.000Z',
        endedAt: '2026-11-24T03:01:00.000Z',
        ms: 50_000,
        doneHour: '2026-11-24T03:00:00Z',
        rows: 100,
        lag: 7,
        warnings: 0,
      },
    ]);
    expect(of('stage').map(({ stage, position, ms, rows, endedAt }) => [stage, position, ms, rows, endedAt])).toEqual([
      ['prepare', 1, 1_000, undefined, '2026-11-24T03:00:11.000Z'],
      ['import', 2, 2_000, 100, '2026-11-24T03:00:13.000Z'],
      ['clean', 3, 30_000, 100, '2026-11-24T03:00:43.000Z'],
    ]);
    expect(of('rejection').map(({ reason, rows }) => [reason, rows])).toEqual([
      ['amount range', 3],
      ['id required', 2],
    ]);
    expect(of('dataset')).toMatchObject([
      {
        ...{ dataset: 'main', read: 100, clean: 90, duplicates: 4, filtered: 1, rejected: 5 },
        ...{ published: 90, landed: 90, indexed: 90, holds: true },
      },
      {
        dataset: 'means',
        read: 9,
        clean: 9,
        published: 9,
        landed: 9,
        indexed: 8,
        holds: false,
        broken: 'landed 9 → indexed 8',
      },
    ]);
  });

  it('has the same ids each time, each of them once', () => {
    const ids = operationsDocuments(runReport()).map(({ id }) => id);
    expect(operationsDocuments(runReport(), 3).map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe('r1');
  });

  it('has no field but those that the index has', () => {
    const failed = runReport({ outcome: 'failed', error: { code: 'QualityBlocked', stage: 'clean', message: 'No.' } });
    const odd = operationsDocuments(runReport({ anomalies: someAnomalies }));
    const incidents = [someIncident(), someIncident({ endedAt: '2026-11-24T05:00:00.000Z' })].map(incidentDocument);
    for (const { body } of [
      ...operationsDocuments(runReport(), 1),
      ...operationsDocuments(failed),
      ...odd,
      ...incidents,
    ])
      for (const field of Object.keys(body)) expect(operationsFields).toHaveProperty(field);
  });

  it('is a document for each thing that the monitors found odd, with its numbers as far as it has any', () => {
    const documents = operationsDocuments(runReport({ anomalies: someAnomalies }));
    expect(documents.filter(({ body }) => body.kind === 'anomaly')).toMatchObject([
      {
        id: 'r1/anomaly/1',
        body: { rule: 'rows', subject: 'read', found: 16, expected: 100, deviations: 12, compared: 48, muted: false },
      },
      { id: 'r1/anomaly/2', body: { rule: 'schema', severity: 'warning', muted: true } },
    ]);
    expect(documents.at(-1)?.body).toMatchObject({ kind: 'run', anomalies: 2 });
    // Of a run that nobody judged it is not said that nothing was odd.
    expect(operationsDocuments(runReport()).at(-1)?.body).not.toHaveProperty('anomalies');
  });

  it('says of a run that failed what it failed with, at the stage too, and of no hour that it is done', () => {
    const error = { code: 'QualityBlocked', stage: 'clean', message: 'Too many rows were rejected.' };
    const documents = operationsDocuments(runReport({ outcome: 'failed', equations: [], error }));
    const run = documents.at(-1)?.body;
    expect(run).toMatchObject({
      ...{
        outcome: 'failed',
        errorCode: 'QualityBlocked',
        errorStage: 'clean',
        errorMessage: error.message,
        rows: 100,
      },
    });
    expect(run).not.toHaveProperty('doneHour');
    const stages = documents.filter(({ body }) => body.kind === 'stage').map(({ body }) => body.errorCode);
    expect(stages).toEqual([undefined, undefined, 'QualityBlocked']);
    // It has cleaned, and nothing says whether the equation would hold.
    const [main] = documents.filter(({ body }) => body.kind === 'dataset').map(({ body }) => body);
    expect(main).toMatchObject({ dataset: 'main', read: 100, rejected: 5 });
    expect(main).not.toHaveProperty('holds');
    expect(main).not.toHaveProperty('published');
  });

  it('says of an unchanged hour that it is done, and of a cancelled one that it is not', () => {
    const { clean: _clean, ...bare } = runReport();
    const unchanged = operationsDocuments({
      ...bare,
      outcome: 'unchanged',
      equations: [],
      sameAs: '2026-11-24T02:00:00Z',
    });
    expect(unchanged.at(-1)?.body).toMatchObject({ outcome: 'unchanged', doneHour: '2026-11-24T03:00:00Z' });
    expect(unchanged.at(-1)?.body).not.toHaveProperty('rows');
    const cancelled = operationsDocuments({ ...bare, outcome: 'cancelled', equations: [], stages: [] });
    expect(kinds(cancelled)).toEqual(['run']);
    expect(cancelled[0]?.body).not.toHaveProperty('doneHour');
  });

  it('takes reports of older versions, which say less', () => {
    const { datasets: _datasets, ...clean } = runReport().clean ?? {
      engine: 'duckdb' as const,
      quality: [],
      rejectedBy: {},
    };
    const stages = runReport().stages.map(({ rows: _rows, ...stage }) => stage);
    const documents = operationsDocuments(runReport({ clean, stages, equations: [], outcome: 'failed' }));
    expect(kinds(documents)).toEqual(['stage', 'stage', 'stage', 'rejection', 'rejection', 'run']);
    expect(documents[1]?.body).not.toHaveProperty('rows');
    expect(documents.at(-1)?.body).toMatchObject({ outcome: 'failed', warnings: 0 });
    expect(documents.at(-1)?.body).not.toHaveProperty('lag');
  });

  it('counts what a run was warned of', () => {
    const prepared = { changes: [], warnings: ['retention is shorter'] };
    const [run] = operationsDocuments(runReport({ warnings: ['near its deadline'], prepared })).slice(-1);
    expect(run?.body.warnings).toBe(2);
  });

  it.each([
    ['nothing', null],
    ['a text', 'run'],
    ['a list', []],
    ['no fields', {}],
    ['no stages', { ...runReport(), stages: undefined }],
    ['no equations', { ...runReport(), equations: undefined }],
    ['a stage without a beginning', { ...runReport(), stages: [{ stage: 'clean', ms: 1 }] }],
    ['a report of another run', runReport({ runId: 'r2' })],
    ['a report of another hour', runReport({ hour: '2026-11-24T04:00:00Z' })],
    ['a report of another pipeline', runReport({ pipeline: 'other' })],
  ])('is nothing where %s lies in the place of its report', (_, found) => {
    const { pipeline, hour, runId } = runReport();
    expect(documentsFound(found, { pipeline, hour, runId })).toBeUndefined();
    expect(documentsFound(runReport(), { pipeline, hour, runId }, 7)).toEqual(operationsDocuments(runReport(), 7));
  });
});

describe('what is indexed of an incident', () => {
  it('is one document from its beginning to its end, told from the next of its problem', () => {
    const [open, ended] = [
      someIncident(),
      someIncident({ state: 'recovered', endedAt: '2026-11-24T05:00:00.000Z' }),
    ].map(incidentDocument);
    expect(ended?.id).toBe(open?.id);
    expect(incidentDocument(someIncident({ openedAt: '2026-11-25T03:00:00.000Z' })).id).not.toBe(open?.id);
    expect(open?.body).toMatchObject({ lasted: { gte: '2026-11-24T03:00:00.000Z' }, seen: 2 });
    expect(open?.body.lasted).not.toHaveProperty('lte');
    expect(ended?.body).toMatchObject({
      lasted: { lte: '2026-11-24T05:00:00.000Z' },
      ms: 7_200_000,
      state: 'recovered',
    });
  });

  it('takes the place of what was said before, also where somebody acknowledged it later than it ended', () => {
    const acknowledged = { by: 'Eva', at: '2026-11-24T05:00:07.000Z' };
    const versions = [
      someIncident(),
      someIncident({ lastSeenAt: '2026-11-24T04:30:00.000Z' }),
      someIncident({ acknowledged }),
      someIncident({ acknowledged, endedAt: '2026-11-24T05:00:00.000Z' }),
    ].map((incident) => incidentDocument(incident).version ?? 0);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(4);
  });

  it('has no stretch that ends before it begins, whatever clocks say', () => {
    const { body } = incidentDocument(someIncident({ endedAt: '2026-11-24T02:59:59.000Z' }));
    expect(body).toMatchObject({ endedAt: body.startedAt, ms: 0, lasted: { lte: body.startedAt } });
  });
});

describe('open incidents', () => {
  it('are indexed once as they stand, and again where anything of them has changed', async () => {
    const written: string[][] = [];
    let refuses = false;
    const indexed = new IndexedIncidents(async (incidents) => {
      if (refuses) throw new Error('It is away.');
      written.push(incidents.map(({ rule, state }) => `${rule} ${state}`));
    });
    const [one, other] = [someIncident(), someIncident({ id: 'incident/p/lag', rule: 'lag' })];
    for (const open of [[], [one, other], [one, other]]) await indexed.are(open, unattended);
    expect(written).toEqual([[`${one.rule} open`, 'lag open']]);
    const acknowledged = { by: 'eva', at: '2026-11-24T04:00:00.000Z' };
    const known = someIncident({ state: 'acknowledged', acknowledged });
    refuses = true;
    await expect(indexed.are([known, other], unattended)).rejects.toThrow('away');
    refuses = false;
    for (const open of [[known, other], [known, other], [other]]) await indexed.are(open, unattended);
    expect(written.slice(1)).toEqual([[`${one.rule} acknowledged`]]);
    const again = someIncident({ openedAt: '2026-11-25T03:00:00.000Z' });
    await indexed.are([again, other], unattended);
    expect(written.slice(2)).toEqual([[`${one.rule} open`]]);
  });
});

describe('incidents that are kept', () => {
  it('are those that are open, or ended in an hour that retention leaves, by age or by hand', async () => {
    const ended = (rule: 'rows' | 'lag' | 'missing', endedAt: string, pipeline = 'p') =>
      someIncident({ pipeline, rule, state: 'recovered', openedAt: '2026-11-20T03:00:00.000Z', endedAt });
    const byHand = '2026-11-24T05:00:00Z';
    const store = {
      lastKey: async (prefix: string) =>
        prefix === keys.hours(streamName('q', mainDataset), byHand) ? `${prefix}000002.json` : undefined,
      findJson: async () => ({ removed: { at: '2026-11-25T00:00:00.000Z', reason: 'hours before 2026-11-25' } }),
    } as unknown as Store;
    const from = keptFrom({ keep: { hours: '1d' } }, Date.parse('2026-11-25T06:30:00Z'));
    expect(from).toBe('2026-11-24T06:00:00Z');
    const kept = [
      someIncident({ pipeline: 'p', openedAt: '2026-11-20T03:00:00.000Z' }),
      ended('rows', '2026-11-24T06:00:00.000Z'),
      ended('lag', '2026-11-24T06:00:00.000Z', 'q'),
      ended('lag', '2026-11-24T05:00:00.000Z', 'r'),
    ];
    const gone = [ended('lag', '2026-11-24T05:59:59.999Z'), ended('missing', '2026-11-24T05:12:00.000Z', 'q')];
    expect(await keptIncidents({ store }, [...gone, ...kept], new Map([['p', from ?? '']]))).toEqual(kept);
    expect(keptFrom({ keep: {} }, Date.now())).toBeUndefined();
  });
});

describe('a report that could not be indexed', () => {
  it.each([
    [1, /^a report of the pipeline that comes before .* and so does "sluice dashboards fill p"$/],
    [24 * 3 - 1, /^a report of the pipeline/],
    [24 * 4, /^its hour is too old for later reports to bring it, so "sluice dashboards fill p" has to$/],
  ])('of an hour %s hours ago says what brings it', (hours, sentence) => {
    expect(whatBringsIt({ pipeline: 'p', hour: toLogicalHour(Date.now() - hours * 3_600_000) })).toMatch(sentence);
  });
});
