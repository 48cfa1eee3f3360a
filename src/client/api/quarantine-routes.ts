import { Readable } from 'node:stream';
import { z } from 'zod';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { hourKey } from '../../definition/hour.ts';
import { listQuarantine, quarantineOf, rejectedPage, type RejectedRow } from '../../inspecting/quarantine.ts';
import { rejectedCsv } from '../../inspecting/quarantine-export.ts';
import type { Api, ApiContext } from './context.ts';
import { answers, PROBLEM_TYPE, problemSchema } from './problem.ts';
import { hourOf, nameSchema, runPath, schemaOf } from './schemas.ts';

const tags = ['quarantine'];
/** Characters of a text; the export has all of it. */
const MOST_TEXT = 10_000;
/** Hours that are looked at for rejected rows: three months, in some seconds. */
const MOST_HOURS = 2_200;

const count = z.int().min(0);
const limited = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

const hourView = z.object({
  hour: z.string(),
  cleanedAt: z.string(),
  rows: z.object({ read: count, rejected: count }),
  rejectedBy: z.record(z.string(), count).describe('Rows by `column rule`; `row …` for those that are no record.'),
});

const row = schemaOf<RejectedRow>()(
  z
    .object({
      file: z.string().describe('SHA-256 of the file.'),
      row: z.number(),
      line: z.number(),
      byteOffset: z.number(),
      column: z.string().exactOptional(),
      rule: z.string(),
      value: z.string().exactOptional(),
      reason: z.string().exactOptional().describe('Of what is no record.'),
      raw: z.string().describe(`As it came; of a longer one the first ${MOST_TEXT} characters and "…".`),
    })
    .meta({ id: 'RejectedRow' }),
);

/** Rows that were rejected, each with its reason: by hour, in pages, and all of an hour for a spreadsheet. */
export function quarantineRoutes(api: Api, { environment, stopping, streams }: ApiContext): void {
  let opened: ObjectStore | undefined;
  const store = (): ObjectStore => (opened ??= new ObjectStore(readSettings(environment).store));
  api.get(
    '/quarantine/:pipeline',
    {
      schema: {
        ...{ operationId: 'listQuarantine', tags, summary: 'The newest hours that rejected rows' },
        params: z.object({ pipeline: nameSchema }),
        querystring: z.object({ limit: limited(500, 100).describe('So many hours.') }),
        response: answers(
          z.object({
            hours: z.array(hourView),
            lookedBackTo: z
              .string()
              .exactOptional()
              .describe(
                `The hour at which it stopped to look, after ${MOST_HOURS} of them; earlier ones may have rows.`,
              ),
          }),
        ),
      },
    },
    async ({ params, query }, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const bounds = { most: MOST_HOURS, signal: AbortSignal.any([gone.signal, stopping]) };
      return listQuarantine(store(), params.pipeline, query.limit, bounds);
    },
  );
  api.get(
    '/quarantine/:pipeline/:hour',
    {
      schema: {
        ...{ operationId: 'getQuarantine', tags, summary: 'The rows that an hour rejected, in pages', params: runPath },
        querystring: z.object({
          offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0).describe('So many are passed over.'),
          limit: limited(500, 50).describe('So many rows.'),
        }),
        response: answers(z.object({ total: count.describe('Of the hour.'), rows: z.array(row) })),
      },
    },
    async ({ params: { pipeline, hour }, query }) => {
      const entry = await quarantineOf(store(), pipeline, hourOf(hour));
      const rows = await rejectedPage(store(), entry, query);
      return { total: entry.rows.rejected, rows: rows.map(shortened) };
    },
  );
  api.get(
    '/quarantine/:pipeline/:hour/export.csv',
    {
      config: { stream: true },
      exposeHeadRoute: false,
      schema: {
        ...{ operationId: 'exportQuarantine', tags, summary: 'All rows that an hour rejected, for a spreadsheet' },
        description:
          'What begins like a formula, also behind a semicolon, a tab or a line end, has an apostrophe before it.',
        params: runPath,
        response: {
          200: { description: 'CSV with a header.', content: { 'text/csv': { schema: z.string() } } },
          default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
        },
      },
    },
    async ({ params: { pipeline, hour }, ip }, reply) => {
      reply.raw.once('close', streams.take(ip));
      const entry = await quarantineOf(store(), pipeline, hourOf(hour));
      const pieces = rejectedCsv(store(), entry);
      // What the store has to say against it is said before there is an answer.
      const first = await pieces.next();
      const name = `${pipeline}-${hourKey(hourOf(hour))}-rejected.csv`;
      // Cut short where this server stops, which nobody takes for its end.
      const body = Readable.from(andThen(first, pieces), { signal: stopping });
      // To the describing schema the stream is the text that it comes to.
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(body as unknown as string);
    },
  );
}

async function* andThen(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    // Whoever leaves before the first piece has not begun the rest.
    await rest.return(undefined);
  }
}

const shortened = ({ value, raw, ...rest }: RejectedRow): RejectedRow => ({
  ...rest,
  ...(value === undefined ? {} : { value: short(value) }),
  raw: short(raw),
});

const short = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);
