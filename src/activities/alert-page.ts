import { Context } from '@temporalio/activity';
import type { PageJob } from '../dashboards/run-page/page-thread.ts';
import { hourKey } from '../definition/hour.ts';
import { webUiPage } from '../definition/web-ui.ts';
import type { AlertPage } from '../stages/accounting/alert.ts';
import { inThread } from '../stages/cleaning/thread.ts';
import type { StageContext, StageDeps } from '../stages/deps.ts';
import type { AlertInput } from '../stages/run-report.ts';

/** Inboxes take more; but nobody wants to be sent more. */
const MOST_BYTES = 1_000_000;
/** Whoever is to be told waits for it. */
const MADE_WITHIN_MS = 20_000;

/**
 * The page of a run, for the mail about it. In a thread: drawing blocks, and can be stopped only from outside.
 * @throws SluiceError where it cannot be made, or not in time
 */
export async function alertPage(
  { settings }: StageDeps,
  { pipeline, report }: AlertInput,
  context: StageContext,
): Promise<AlertPage> {
  const { namespace } = Context.current().info;
  const { temporalUi, elasticsearch } = settings;
  const data: PageJob = {
    ...{ report, pipeline, elasticsearch, most: MOST_BYTES },
    ...(temporalUi === undefined ? {} : { webUi: webUiPage(temporalUi, namespace, report.workflowId, report.runId) }),
  };
  const html = await inThread<string>({
    script: new URL('../dashboards/run-page/page-thread.ts', import.meta.url),
    ...{ data, context, name: 'the page of the run', memoryMb: 512 },
    tooLarge: 'The page of the run needs more memory than it is given.',
    silence: { ms: MADE_WITHIN_MS, sentence: `The page of the run was not made within ${MADE_WITHIN_MS / 1_000} s.` },
  });
  return { filename: `${report.pipeline}-${hourKey(report.hour)}.html`, html };
}
