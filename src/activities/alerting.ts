import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { hasBegun, planDeliveries, sendingMark, type Delivery } from '../definition/deliveries.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { hourOfIncident, type AlertedPipeline, type Incident, type Notice } from '../definition/incidents.ts';
import { keys } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { deliver, type Delivered, type Outbox } from '../stages/alerting/deliver.ts';
import type { AlertPage } from '../stages/alerting/mail-with-page.ts';
import type { Progress, StageContext, StageDeps } from '../stages/deps.ts';
import type { AlertInput } from '../stages/run-report.ts';
import { alertPage } from './alert-page.ts';
import { attended } from './attended.ts';
import { countedByNow } from './counted-by-now.ts';

const KEPT_WITHIN_MS = 10_000;
const REPORT_WITHIN_MS = 10_000;
const ASKED_EVERY_MS = 500;

/** Who is told, and the telling. */
export function alertingActivities(deps: StageDeps) {
  return {
    /** The messages that a notice comes to now; the history keeps them, whatever becomes of routes, clocks and zones. */
    planDeliveries: async ({
      pipeline,
      notice,
    }: {
      readonly pipeline: AlertedPipeline;
      readonly notice: Notice;
    }): Promise<readonly Delivery[]> => planDeliveries(pipeline.alerts, notice, new Date().toISOString()),

    /**
     * Sends one message, at most once over all attempts. What has been seen again since the notice was made is counted in it.
     * @returns `accepted: 'unknown'` where the other side may have it
     * @throws only where it surely was not taken; final codes where another try would end alike
     */
    deliver: (input: {
      readonly pipeline: AlertedPipeline;
      readonly delivery: Delivery;
      readonly notice: Notice;
    }): Promise<Delivered> =>
      attended(async (context) => {
        const outbox = outboxOf(deps, input.pipeline, context);
        const notice = outbox.begunBefore ? input.notice : await countedByNow(Context.current().client, input);
        return deliver(deps, { ...input, notice }, outbox);
      }),
  };
}

function outboxOf(deps: StageDeps, pipeline: AlertedPipeline, context: StageContext): Outbox {
  const { temporalUi, apiUrl } = deps.settings;
  return {
    begunBefore: hasBegun(context.previous),
    begin: async () => {
      // A worker that is told to stop hands over what it has not begun.
      context.signal.throwIfAborted();
      await keep(context, { note: 'sending', resume: sendingMark });
    },
    // What cannot be kept is not sent again: nobody is told, and nobody is told twice.
    over: () => keep(context, { note: 'not delivered' }).catch(() => {}),
    page: (incident) => pageOf(deps, pipeline, incident, context),
    addresses: {
      namespace: Context.current().info.namespace,
      ...(temporalUi === undefined ? {} : { temporalUi }),
      ...(apiUrl === undefined ? {} : { apiUrl }),
    },
  };
}

/**
 * Keeps where the delivery is, for the attempt that follows this one wherever its worker is. A heartbeat may wait in the SDK for a while, and
 * a worker that is killed takes it along; so it is also told to the server here, and waited for.
 * @throws SluiceError `Unexpected`
 */
async function keep(context: StageContext, progress: Progress): Promise<void> {
  context.progress(progress);
  const { client, info } = Context.current();
  try {
    const { connection } = client;
    // What is asked for in here would be stopped with the activity.
    await connection.withAbortSignal(new AbortController().signal, () =>
      connection.withDeadline(Date.now() + KEPT_WITHIN_MS, () => client.activity.heartbeat(info.taskToken, progress)),
    );
  } catch (error) {
    throw new SluiceError(
      'Unexpected',
      `Temporal does not keep that a message is sent, so it is not: ${sentenceOf(error)}.`,
    );
  }
}

/** The page of the run that an incident is about, by its report. */
async function pageOf(
  deps: StageDeps,
  { name }: AlertedPipeline,
  incident: Incident,
  context: StageContext,
): Promise<AlertPage> {
  const { runId = '' } = incident;
  const hour = hourOfIncident(incident);
  if (hour === undefined) throw new SluiceError('EngineUnfit', 'It is not known which hour the run was of.');
  // What shaped that run stands beside its report; what its pipeline is now may be something else.
  const stored = <T>(file: string): Promise<T | undefined> =>
    deps.store.findJson<T>(keys.attempt(name, hour, runId, file));
  const found = await within(REPORT_WITHIN_MS, async (isLate) => {
    for (;;) {
      const [report, pipeline] = await Promise.all([
        stored<AlertInput['report']>('run.json'),
        stored<Pipeline>('definition.json'),
      ]);
      if (report && pipeline) return { report, pipeline };
      // A run tells of its failure while its report is being stored.
      if (isLate()) throw new SluiceError('EngineUnfit', 'The run has stored no report.');
      await wait(ASKED_EVERY_MS, undefined, { signal: context.signal });
    }
  });
  return alertPage(deps, found, context);
}

/** Whoever is to be told does not wait for a store that is silent. @param work is told whether it would be late if it waited once more */
async function within<T>(ms: number, work: (isLate: () => boolean) => Promise<T>): Promise<T> {
  const end = performance.now() + ms;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new SluiceError('StoreUnavailable', `The run's report did not come within ${ms / 1_000} s.`)),
      ms,
    );
  });
  try {
    return await Promise.race([work(() => performance.now() + ASKED_EVERY_MS * 2 > end), late]);
  } finally {
    clearTimeout(timer);
  }
}
