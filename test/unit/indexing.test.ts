import { errors, type estypes } from '@elastic/elasticsearch';
import { describe, expect, it } from 'vitest';
import { SearchConnector } from '../../src/connectors/search.ts';
import { checkDefinition } from '../../src/definition/check-definition.ts';
import { pipelineSchema } from '../../src/definition/pipeline.ts';
import type { HourRecord } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { unattended, type StageContext } from '../../src/stages/deps.ts';
import { backOffMs, sendBulk, type BulkOperation, type Refusal } from '../../src/stages/indexing/bulk-sender.ts';
import { documentVersion } from '../../src/stages/indexing/documents.ts';
import { fittingOf } from '../../src/stages/indexing/fitting.ts';
import { contentOf } from '../../src/stages/indexing/hour-content.ts';
import { differences, wantedIndex } from '../../src/stages/indexing/mapping.ts';

const definition = (more: object = {}) => ({
  name: 'u',
  source: { url: 'https://example.org/x.csv' },
  columns: { id: { name: 'id', required: true }, amount: { name: 'amount', type: 'decimal' } },
  key: ['id'],
  ...more,
});

type Answer = (ids: string[]) => Partial<estypes.BulkResponseItem>[] | Error;

const done = { status: 201, _index: 'i' };
const overloaded = { status: 429, _index: 'i', error: { type: 'es_rejected_execution_exception', reason: 'full' } };

/** A connector whose bulk requests get these answers in turn, and the last one for ever. */
function answering(...answers: Answer[]) {
  const search = new SearchConnector({ url: 'http://127.0.0.1:1' });
  const asked: string[][] = [];
  let atOnce = 0;
  let most = 0;
  Object.defineProperty(search.client, 'bulk', {
    value: async ({ operations }: { operations: string[] }) => {
      const ids = operations
        .filter((line) => line.startsWith('{"index"'))
        .map((line) => (JSON.parse(line) as { index: { _id: string } }).index._id);
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push(ids);
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      const items = answer?.(ids) ?? [];
      if (items instanceof Error) throw items;
      return { items: items.map((index) => ({ index })) };
    },
  });
  return { search, asked, most: () => most };
}

const operations = (count: number, bytes = 10): BulkOperation[] =>
  Array.from({ length: count }, (_, at) => ({
    action: JSON.stringify({ index: { _id: String(at) } }),
    document: JSON.stringify({ text: 'x'.repeat(bytes) }),
    origin: { record: String(at), object: 'o' },
  }));

function waiting() {
  const waits: number[] = [];
  return { waits, options: { random: () => 0, wait: async (ms: number) => void waits.push(ms) } };
}

function responseError(statusCode: number, type: string): Error {
  const body = { error: { type, reason: 'no' } };
  return new errors.ResponseError({ body, statusCode, warnings: null, meta: {} as never, headers: {} });
}

describe('sending in bulk', () => {
  it('waits longer each time, at most half a minute, and never for nothing', () => {
    const waits = Array.from({ length: 12 }, (_, at) => backOffMs(at + 1, () => 1));
    expect(waits.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
    expect(waits.at(-1)).toBe(30_000);
    expect(Array.from({ length: 12 }, (_, at) => backOffMs(at + 1, () => 0))).toEqual(waits.map((ms) => ms / 2));
  });

  it('sends only what was refused again, and says that it waits', async () => {
    const { search, asked } = answering(
      (ids) => ids.map((id) => (Number(id) % 2 === 0 ? overloaded : done)),
      (ids) => ids.map((id) => (id === '2' ? overloaded : done)),
      (ids) => ids.map(() => done),
    );
    const { options, waits } = waiting();
    const notes: string[] = [];
    const ctx: StageContext = { ...unattended, progress: ({ note }) => void notes.push(note ?? '') };
    expect(await sendBulk(search, 'i', operations(5), ctx, options)).toEqual({ written: 5, newer: 0, refused: 0 });
    expect(asked).toEqual([['0', '1', '2', '3', '4'], ['0', '2', '4'], ['2']]);
    // Something was taken each time, so it begins anew.
    expect(waits).toEqual([125, 125]);
    expect(notes).toContain('i did not take 3 documents (429 es_rejected_execution_exception full); waits 0.1 s');
  });

  it.each([
    ['a whole request that is refused', responseError(429, 'es_rejected_execution_exception')],
    ['a server that is starting', responseError(503, 'unavailable')],
    ['a request that timed out', new errors.TimeoutError('slow')],
    ['a connection that was cut', new errors.ConnectionError('cut')],
  ])('sends all of it again after %s', async (_, error) => {
    const { search, asked } = answering(
      () => error,
      () => error,
      (ids) => ids.map(() => done),
    );
    const { options, waits } = waiting();
    expect(await sendBulk(search, 'i', operations(3), unattended, options)).toMatchObject({ written: 3 });
    expect(asked).toEqual([
      ['0', '1', '2'],
      ['0', '1', '2'],
      ['0', '1', '2'],
    ]);
    expect(waits).toEqual([125, 250]);
  });

  it('gives up where nothing is taken ten times in a row, in one sentence worth a retry', async () => {
    const { search, asked } = answering((ids) => ids.map(() => overloaded));
    const { options, waits } = waiting();
    await expect(sendBulk(search, 'i', operations(3), unattended, options)).rejects.toMatchObject({
      code: 'ElasticsearchUnavailable',
      message:
        'Elasticsearch took none of 3 documents for i in 10 tries; at last: 429 es_rejected_execution_exception full.',
    });
    expect(asked).toHaveLength(10);
    expect(waits.reduce((a, b) => a + b)).toBeGreaterThan(30_000);
  });

  it('takes an answer that leaves documents out for none about them', async () => {
    const { search, asked } = answering(
      (ids) => ids.slice(0, 1).map(() => done),
      (ids) => ids.map(() => done),
    );
    expect(await sendBulk(search, 'i', operations(3), unattended, waiting().options)).toMatchObject({ written: 3 });
    expect(asked[1]).toEqual(['1', '2']);
  });

  it('tells refused documents, newer ones and written ones apart, and does not send them again', async () => {
    const { search, asked } = answering((ids) =>
      ids.map((id) => {
        if (id === '1')
          return { status: 409, _index: 'i', error: { type: 'version_conflict_engine_exception', reason: 'v' } };
        if (id === '2')
          return { status: 400, _index: 'i', error: { type: 'document_parsing_exception', reason: 'bad' } };
        return done;
      }),
    );
    const refused: Refusal[] = [];
    const outcome = await sendBulk(search, 'i', operations(4), unattended, {
      ...waiting().options,
      refused: async (refusal) => void refused.push(refusal),
    });
    expect(outcome).toEqual({ written: 2, newer: 1, refused: 1 });
    expect(refused).toMatchObject([
      { status: 400, type: 'document_parsing_exception', reason: 'bad', operation: { origin: { record: '2' } } },
    ]);
    expect(asked).toHaveLength(1);
  });

  it('has two requests of two megabytes on the way, and no more', async () => {
    const { search, asked, most } = answering((ids) => ids.map(() => done));
    await sendBulk(search, 'i', operations(100, 100_000), unattended, waiting().options);
    expect(asked.map((ids) => ids.length)).toEqual([20, 20, 20, 20, 20]);
    expect(most()).toBe(2);
  });

  it('halves what is too large for somebody on the way, and refuses a document that alone is', async () => {
    const { search } = answering((ids) =>
      ids.length > 2 || ids.includes('3') ? responseError(413, 'content_too_long_exception') : ids.map(() => done),
    );
    const refused: Refusal[] = [];
    const outcome = await sendBulk(search, 'i', operations(7), unattended, {
      ...waiting().options,
      refused: async (refusal) => void refused.push(refusal),
    });
    expect(outcome).toEqual({ written: 6, newer: 0, refused: 1 });
    expect(refused).toMatchObject([{ status: 413, operation: { origin: { record: '3' } } }]);
  });

  it.each([
    [403, 'security_exception', 'SettingsInvalid', /SLUICE_ELASTICSEARCH_API_KEY/],
    [403, 'cluster_block_exception', 'ElasticsearchUnavailable', /takes no writes/],
    [429, 'cluster_block_exception', 'ElasticsearchUnavailable', /takes no writes/],
    [400, 'illegal_argument_exception', 'ElasticsearchUnavailable', /illegal_argument/],
  ])('does not wait out a request that is refused with %i %s', async (status, type, code, message) => {
    const { search, asked } = answering(() => responseError(status, type));
    const sending = sendBulk(search, 'i', operations(3), unattended, waiting().options);
    await expect(sending).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
    expect(asked).toHaveLength(1);
  });

  it('passes on what its source throws, and sends nothing after it', async () => {
    const { search, asked } = answering((ids) => ids.map(() => done));
    const source = async function* () {
      yield* operations(3);
      throw new Error('the object is corrupt');
    };
    await expect(sendBulk(search, 'i', source(), unattended, waiting().options)).rejects.toThrow(
      'the object is corrupt',
    );
    expect(asked).toEqual([]);
  });
});

describe('versions', () => {
  it('order hours, then generations, then being there and being there no more', () => {
    const at = (hour: string, generation: number) => ({ hour, generation });
    const ascending = [
      documentVersion(at('2026-11-24T01:00:00Z', 1), 'latest'),
      documentVersion(at('2026-11-24T01:00:00Z', 1), 'latest', false),
      documentVersion(at('2026-11-24T01:00:00Z', 2), 'latest'),
      documentVersion(at('2026-11-24T01:00:00Z', 999_999), 'latest', false),
      documentVersion(at('2026-11-24T02:00:00Z', 1), 'latest'),
    ];
    expect(ascending.toSorted((a, b) => a - b)).toEqual(ascending);
    expect(new Set(ascending).size).toBe(5);
    expect(Number.isSafeInteger(documentVersion(at('2999-12-31T23:00:00Z', 999_999), 'latest', false))).toBe(true);
  });
});

describe('what an hour consists of', () => {
  const record = (n: number, of: { batch?: string; sameAs?: number }, generation = 1): HourRecord => ({
    ...{ stream: 's', hour: `h${n}`, generation, rawSha: '', definitionSha: '', rows: 0 },
    ...(of.batch === undefined ? {} : { batch: of.batch }),
    ...(of.sameAs === undefined ? {} : { sameAs: `h${of.sameAs}` }),
  });

  it('leaves out hours that repeat the one before, in both modes', () => {
    const records = [record(1, { batch: 'a' }), record(2, { sameAs: 1 }), record(3, { batch: 'b' })];
    for (const mode of ['history', 'latest'] as const) {
      expect(contentOf(records, mode).map(({ hour }) => hour)).toEqual(['h1', 'h3']);
    }
  });

  it('gives an hour its own documents in latest where a late one came between it and what it repeats', () => {
    const records = [
      record(1, { batch: 'a' }),
      record(2, { batch: 'b' }),
      record(3, { sameAs: 1 }),
      record(4, { sameAs: 1 }),
    ];
    expect(contentOf(records, 'history').map(({ hour }) => hour)).toEqual(['h1', 'h2']);
    expect(contentOf(records, 'latest').map(({ hour, batch }) => [hour, batch])).toEqual([
      ['h1', 'a'],
      ['h2', 'b'],
      ['h3', 'a'],
    ]);
  });
});

describe('values of an older schema', () => {
  const fits = (
    type: 'string' | 'integer' | 'decimal' | 'boolean' | 'date',
    field: string | undefined,
    value: string | boolean | null,
  ) => fittingOf({ name: 'c', type }, field)(value);

  it.each([
    ['integer', 'long', '7', 7],
    ['integer', 'long', '9007199254740993', '9007199254740993'],
    ['decimal', 'double', '1.50', 1.5],
    ['decimal', 'double', '12345678901234567890', '12345678901234567890'],
    ['string', 'keyword', 'x', 'x'],
    ['decimal', 'keyword', '1.50', '1.50'],
    ['boolean', 'keyword', true, 'true'],
    ['string', 'long', '12', 12],
    ['string', 'long', '-4.00', -4],
    ['decimal', 'long', '4.50', undefined],
    ['string', 'long', 'many', undefined],
    ['string', 'long', '12345678901234567890', undefined],
    ['string', 'double', '1e400', undefined],
    ['string', 'double', '1.25', 1.25],
    ['string', 'boolean', 'true', 'true'],
    ['string', 'boolean', 'yes', undefined],
    ['string', 'date', '2026-11-24', '2026-11-24'],
    ['string', 'date', '2026-13-24', undefined],
    ['string', 'geo_point', '1,2', undefined],
    ['string', undefined, 'x', undefined],
    ['string', 'long', null, null],
    ['string', undefined, null, null],
  ] as const)('%s in a field of %s: %j becomes %j', (type, field, value, expected) => {
    expect(fits(type, field, value)).toEqual(expected);
  });
});

describe('an index and what is wanted', () => {
  const pipeline = pipelineSchema.parse(definition());
  const wanted = wantedIndex(streamOf(pipeline, 'main'), pipeline);
  const target = { index: 'i-000001', mode: 'history' as const, shards: 1, replicas: 0 };
  const fields = {
    id: 'keyword',
    amount: 'double',
    batch: 'keyword',
    hour: 'date',
    generation: 'integer',
    sluice: 'object',
  };

  it('differ only where the index cannot become it', () => {
    expect(differences(wanted, { ...target, fields })).toEqual([]);
    expect(differences(wanted, { ...target, fields: { id: 'keyword', more: 'long' }, replicas: 3 })).toEqual([]);
    expect(
      differences(wanted, { ...target, fields: { ...fields, amount: 'long' }, mode: 'latest', shards: 2 }),
    ).toEqual(['amount is long there and double here', 'it is in mode latest, not history', 'its shards are 2, not 1']);
  });
});

describe('index.mode latest', () => {
  it('needs a key, and keeps the name of its field', () => {
    const latest = { index: { mode: 'latest' } };
    const messages = (data: object): string[] => {
      const checked = checkDefinition(data);
      return 'findings' in checked ? checked.findings.map(({ message }) => message) : [];
    };
    expect(messages(definition(latest))).toEqual([]);
    expect(messages(definition({ ...latest, key: [] }))).toEqual([expect.stringContaining('say in `key`')]);
    const columns = { id: { name: 'id', required: true }, here: { name: 'present' } };
    expect(messages(definition({ columns }))).toEqual([]);
    expect(messages(definition({ ...latest, columns }))).toEqual([
      expect.stringContaining('"present" is a name that Sluice uses'),
    ]);
  });
});
