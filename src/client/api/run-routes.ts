import { z } from 'zod';
import { SluiceError } from '../../definition/errors.ts';
import { ids } from '../../definition/names.ts';
import { traceLink } from '../../definition/trace-links.ts';
import type { RunSummary } from '../run-list.ts';
import type { ReportSoFar } from '../runs.ts';
import type { SluiceClient } from '../sluice-client.ts';
import type { Api, ApiContext } from './context.ts';
import { LAUNCH_MS, launchRun } from './launching.ts';
import { answers } from './problem.ts';
import {
  attemptSchema,
  diffSchema,
  pendingSchema,
  progressSchema,
  reportSchema,
  runFilter,
  storySchema,
  summarySchema,
  type LinkedReport,
} from './run-schemas.ts';
import { definedOf, hourOf, hourSchema, launchedFields, runPath, stageSchema } from './schemas.ts';

const tags = ['runs'];
const whichRun = z.object({ run: z.uuid().optional().describe('Which run of the hour; the newest where left out.') });
const diffQuery = whichRun.extend({
  other: hourSchema.optional().describe('The hour of the run before; this one where only `otherRun` is given.'),
  otherRun: z.uuid().optional().describe('Which run of that hour; the newest where left out.'),
});
const withProgress = z.object({ run: summarySchema, progress: progressSchema.optional() });

/** Runs of hours: listed, looked at, steered, run again. */
export function runRoutes(api: Api, context: ApiContext): void {
  const { session, environment } = context;
  api.get(
    '/runs',
    {
      schema: {
        ...{ operationId: 'listRuns', tags, summary: 'The newest runs', querystring: runFilter },
        response: answers(z.object({ runs: z.array(summarySchema) })),
      },
    },
    ({ query }) => {
      const { from, to, ...rest } = definedOf(query);
      const hours = { ...(from ? { from: hourOf(from) } : {}), ...(to ? { to: hourOf(to) } : {}) };
      return session.use(async ({ runs }) => ({ runs: await runs.list({ ...rest, ...hours }) }));
    },
  );
  api.get(
    '/runs/:pipeline/:hour',
    {
      schema: {
        ...{ operationId: 'getRun', tags, summary: 'The newest run of an hour, and how far it is', params: runPath },
        response: answers(withProgress),
      },
    },
    ({ params: { pipeline, hour } }) =>
      session.use(async (client) => {
        const run = await newestRun(client, pipeline, hourOf(hour));
        const progress = run.status === 'running' ? await client.runs.progress(run.workflowId) : undefined;
        return { run, ...(progress ? { progress } : {}) };
      }),
  );
  api.get(
    '/runs/:pipeline/:hour/report',
    {
      schema: {
        ...{ operationId: 'getReport', tags, summary: 'What a run came to; of one on its way, how far it is' },
        ...{ params: runPath, querystring: whichRun },
        response: answers(reportSchema),
      },
    },
    ({ params: { pipeline, hour }, query }) =>
      session.use(async ({ runs }) =>
        withTraceLink(await runs.report(pipeline, hourOf(hour), runIdOf(query)), environment['SLUICE_TRACE_URL']),
      ),
  );
  api.get(
    '/runs/:pipeline/:hour/attempts',
    {
      schema: {
        ...{ operationId: 'listAttempts', tags, summary: 'Every run of an hour, the newest first', params: runPath },
        response: answers(z.object({ attempts: z.array(attemptSchema) })),
      },
    },
    ({ params: { pipeline, hour } }) =>
      session.use(async ({ runs }) => ({ attempts: await runs.attempts(pipeline, hourOf(hour)) })),
  );
  api.get(
    '/runs/:pipeline/:hour/story',
    {
      schema: {
        ...{ operationId: 'getStory', tags, summary: 'What happened in a run, by Temporal’s history of it' },
        ...{ params: runPath, querystring: whichRun },
        response: answers(
          z.object({ running: z.boolean(), story: z.array(storySchema), pending: z.array(pendingSchema) }),
        ),
      },
    },
    ({ params: { pipeline, hour }, query }) =>
      session.use(async ({ runs }) => {
        const { running, story, pending } = await runs.story(pipeline, hourOf(hour), runIdOf(query));
        return { running, story: [...story], pending: [...pending] };
      }),
  );
  api.get(
    '/runs/:pipeline/:hour/diff',
    {
      schema: {
        ...{ operationId: 'diffRuns', tags, summary: 'What is otherwise in a run of this hour than in one before it' },
        description:
          'Compared with `other`, or, where that is left out, with the run before: of this hour, or of the newest earlier one that is done.',
        params: runPath,
        querystring: diffQuery,
        response: answers(diffSchema),
      },
    },
    ({ params: { pipeline, hour }, query: { run, other, otherRun } }) => {
      const one = { hour: hourOf(hour), ...runIdOf({ run }) };
      if (other === undefined && otherRun === undefined) return session.use(({ runs }) => runs.diff(pipeline, one));
      const before = { hour: hourOf(other ?? hour), ...runIdOf({ run: otherRun }) };
      return session.use(({ runs }) => runs.diff(pipeline, before, one));
    },
  );
  steeringRoutes(api, context);
}

const words = {
  pause: 'Let the stage that is on its way end, and begin no other',
  resume: 'Let a paused run go on',
  cancel: 'Stop a run; what it had begun stays invisible',
} as const;

function steeringRoutes(api: Api, context: ApiContext): void {
  for (const word of ['pause', 'resume', 'cancel'] as const) {
    api.post(
      `/runs/:pipeline/:hour/${word}`,
      {
        schema: {
          ...{ operationId: `${word}Run`, tags, summary: words[word], params: runPath },
          response: answers(progressSchema, 'Where the run stands now.'),
        },
      },
      ({ params: { pipeline, hour } }) =>
        context.session.use(({ runs }) => runs[word](ids.pipeline(pipeline, hourOf(hour)))),
    );
  }
  api.post(
    '/runs/:pipeline/:hour/retry',
    {
      handlerTimeout: LAUNCH_MS + 5_000,
      schema: {
        ...{
          operationId: 'retryRun',
          tags,
          summary: 'Run an hour again from a stage on, by its schedule’s definition',
        },
        params: runPath,
        body: z.strictObject({ from: stageSchema.describe('Begin here, with what is stored of the stages before.') }),
        response: answers(z.object(launchedFields), 'It runs, or ran already.'),
      },
    },
    (request) => {
      const { pipeline, hour } = request.params;
      return launchRun(context, request, pipeline, { hour: hourOf(hour), startFrom: request.body.from });
    },
  );
}

/** A report with where its trace is looked at. @param traceUrl `SLUICE_TRACE_URL` */
export function withTraceLink(report: ReportSoFar, traceUrl: string | undefined): LinkedReport {
  if (report.trace === undefined) return report;
  const link = traceLink(traceUrl, report.trace);
  return Object.keys(link).length === 0 ? report : { ...report, traceLink: link };
}

const runIdOf = ({ run }: { run?: string | undefined }) => (run === undefined ? {} : { runId: run });

/** As Temporal has it, or as its report does where Temporal has forgotten it. @throws SluiceError `HourUnknown` */
async function newestRun({ runs }: SluiceClient, pipeline: string, hour: string): Promise<RunSummary> {
  const found = await runs.find(pipeline, hour);
  if (found) return found;
  const { workflowId, runId, outcome, startedAt, endedAt, equations } = await runs.report(pipeline, hour);
  if (outcome === undefined) throw new SluiceError('HourUnknown', `The hour ${hour} of ${pipeline} has not been run.`);
  const rows = equations.find(({ dataset }) => dataset === 'main')?.rows.indexed;
  return {
    ...{
      workflowId,
      runId,
      pipeline,
      hour,
      status: outcome === 'unchanged' ? 'completed' : outcome,
      outcome,
      startedAt,
    },
    ...(rows === undefined ? {} : { rows }),
    ...(endedAt === undefined ? {} : { closedAt: endedAt }),
  };
}
