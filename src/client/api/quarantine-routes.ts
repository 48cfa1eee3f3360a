import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import { listQuarantine, quarantineOf, rejectedPage, type RejectedRow } from '../../inspecting/quarantine.ts';
import { hasRun } from '../../inspecting/run-reports.ts';
import { rejectedCsv } from '../../inspecting/quarantine-export.ts';
import type { Api, ApiContext } from './context.ts';
import { answers, PROBLEM_TYPE, problemSchema, RequestError } from './problem.ts';
import { hourOf, nameSchema, queryOf, runPath, schemaOf } from './schemas.ts';

const tags = ['quarantine'];
/** Characters of a text; the export has all of it. */
const MOST_TEXT = 10_000;
/** What is read of an hour's rows for one page, in a second or two; the export reads all of them. */
const MOST_BYTES = 256 * 1024 * 1024;
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
export function quarantineRoutes(
  api: Api,
  { environment, stopping, streams, session, pipeline: own }: ApiContext,
): void {
  let opened: ObjectStore | undefined;
  const store = (): ObjectStore => (opened ??= new ObjectStore(readSettings(environment).store));
  /** Until who asked has left, or this server stops. */
  const waited = (reply: FastifyReply): AbortSignal => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return AbortSignal.any([gone.signal, stopping]);
  };
  /** A pipeline that has no rejected row is one that ran, has a schedule, or was given to `serve`. */
  const requireKnown = async (name: string): Promise<void> => {
    if (name === own?.name || (await hasRun(store(), name))) return;
    await session
      .use(({ schedules }) => schedules.definition(name))
      .catch((error: unknown) => {
        if (!(error instanceof SluiceError) || error.code === 'StackUnavailable') throw error;
        if (error.code === 'ScheduleUnknown') throw new SluiceError('PipelineUnknown', unknown(name));
      });
  };
  api.get(
    '/quarantine/:pipeline',
    {
      schema: {
        ...{ operationId: 'listQuarantine', tags, summary: 'The newest hours that rejected rows' },
        params: z.object({ pipeline: nameSchema }),
        querystring: queryOf({ limit: limited(500, 100).describe('So many hours.') }),
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
      const { pipeline } = params;
      const listed = await listQuarantine(store(), pipeline, query.limit, { most: MOST_HOURS, signal: waited(reply) });
      if (listed.hours.length === 0) await requireKnown(pipeline);
      return listed;
    },
  );
  api.get(
    '/quarantine/:pipeline/:hour',
    {
      schema: {
        ...{ operationId: 'getQuarantine', tags, summary: 'The rows that an hour rejected, in pages', params: runPath },
        querystring: queryOf({
          offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0).describe('So many are passed over.'),
          limit: limited(500, 50).describe('So many rows.'),
        }),
        response: answers(z.object({ total: count.describe('Of the hour.'), rows: z.array(row) })),
      },
    },
    async ({ params: { pipeline, hour }, query }, reply) => {
      const entry = await quarantineOf(store(), pipeline, hourOf(hour));
      const bounds = { ...query, most: MOST_BYTES, signal: waited(reply), shown: shortened };
      const { rows, cut } = await rejectedPage(store(), entry, bounds);
      if (cut && rows.length === 0) throw tooFar(pipeline, hourOf(hour), query.offset);
      return { total: entry.rows.rejected, rows };
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
        ...{ params: runPath, querystring: queryOf({}) },
        response: {
          200: { description: 'CSV with a header.', content: { 'text/csv': { schema: z.string() } } },
          default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
        },
      },
    },
    async ({ params: { pipeline, hour }, ip }, reply) => {
      reply.raw.once('close', streams.take(ip));
      const entry = await quarantineOf(store(), pipeline, hourOf(hour));
      const pieces = rejectedCsv(store(), entry, waited(reply));
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

const unknown = (name: string): string =>
  `No pipeline is called ${name}: it has no schedule, and no hour of it is stored. GET /schedules names those that have one.`;

const tooFar = (pipeline: string, hour: string, offset: number): RequestError =>
  new RequestError(
    422,
    'RequestInvalid',
    `Row ${offset + 1} of the rejected rows of ${pipeline} ${hour} lies behind the first ${MOST_BYTES / 1024 ** 2} MiB, and pages go no further: take all of them with /quarantine/${pipeline}/${hourKey(hour)}/export.csv, or "sluice quarantine show ${pipeline} --hour ${hourKey(hour)} --out FILE".`,
  );

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
