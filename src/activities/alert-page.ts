import { Context } from '@temporalio/activity';
import type { PageJob } from '../dashboards/run-page/page-thread.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { hourKey } from '../definition/hour.ts';
import { webUiOf, webUiPage } from '../definition/web-ui.ts';
import type { AlertPage } from '../stages/alerting/mail-with-page.ts';
import { inThread } from '../stages/cleaning/thread.ts';
import type { StageContext, StageDeps } from '../stages/deps.ts';
import type { AlertInput } from '../stages/run-report.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Inboxes take more; but nobody wants to be sent more. */
const MOST_BYTES = 1_000_000;
/** Whoever is to be told waits for it: for pages of other runs, and for this one. */
const MADE_WITHIN_MS = 20_000;
const WAITS_MS = 6_000;
/** Panels that are not drawn by then are left out. What is left of the time is for starting the thread, and for the page. */
const DRAWN_WITHIN_MS = 10_000;

/** Each takes a thread and its memory, and where Elasticsearch is away all runs fail at once. */
const pages = new OneAtATime(
  WAITS_MS,
  () => new SluiceError('EngineUnfit', `Pages of other runs were being made for ${WAITS_MS / 1_000} s.`),
);

/**
 * The page of a run, for the mail about it. In a thread: drawing blocks, and can be stopped only from outside.
 * @throws SluiceError where it cannot be made, or not in time; at any try but the first, as the process may have died of it
 */
export function alertPage(deps: StageDeps, input: AlertInput, context: StageContext): Promise<AlertPage> {
  const { attempt } = Context.current().info;
  if (attempt === 1) return pages.run((waitedMs) => pageWithin(MADE_WITHIN_MS - waitedMs, deps, input, context));
  const { pipeline, hour } = input.report;
  const makesIt = `sluice report ${hourKey(hour)} --html --pipeline ${pipeline}`;
  return Promise.reject(
    new SluiceError(
      'EngineUnfit',
      `This is try ${attempt}, and the page is made at the first alone: "${makesIt}" does.`,
    ),
  );
}

async function pageWithin(
  ms: number,
  { settings }: StageDeps,
  { pipeline, report }: AlertInput,
  context: StageContext,
): Promise<AlertPage> {
  const { temporalUi, traceUrl, elasticsearch } = settings;
  const webUi = linkOf(temporalUi, report);
  const data: PageJob = {
    ...{ report, pipeline, elasticsearch, most: MOST_BYTES, drawnWithinMs: DRAWN_WITHIN_MS },
    ...(webUi === undefined ? {} : { webUi }),
    ...(traceUrl === undefined ? {} : { traceUrl }),
  };
  const html = await inThread<string>({
    script: new URL('../dashboards/run-page/page-thread.ts', import.meta.url),
    ...{ data, context, name: 'the page of the run', memoryMb: 512 },
    tooLarge: 'The page of the run needs more memory than it is given.',
    silence: { ms, sentence: `The page of the run was not made within ${MADE_WITHIN_MS / 1_000} s.` },
  });
  return { filename: `${report.pipeline}-${hourKey(report.hour)}.html`, html };
}

/** The run in the Web UI. A page does without, where its address is none. */
function linkOf(given: string | undefined, { workflowId, runId }: AlertInput['report']): string | undefined {
  const { info, log } = Context.current();
  try {
    const ui = webUiOf(given);
    return ui && webUiPage(ui, info.namespace, workflowId, runId);
  } catch (error) {
    log.warn(`the page of a run has no link to the Web UI: ${sentenceOf(error)}`);
    return undefined;
  }
}
