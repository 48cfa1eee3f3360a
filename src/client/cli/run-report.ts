import { resolve } from 'node:path';
import { ObjectStore, type Store } from '../../connectors/object-store.ts';
import { SearchConnector } from '../../connectors/search.ts';
import { readSettings } from '../../connectors/settings.ts';
import { temporalPlace } from '../../connectors/temporal.ts';
import { makeRunPage } from '../../dashboards/run-page/make-run-page.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import { pipelineSchema, type Pipeline } from '../../definition/pipeline.ts';
import { webUiOf, webUiPage } from '../../definition/web-ui.ts';
import { storedDefinition } from '../../inspecting/beside-report.ts';
import type { ReportSoFar } from '../runs.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { pipelineOf } from './pipelines.ts';
import { reportLines } from './report-lines.ts';
import { type VerbFlags, withPipeline } from './run-verbs.ts';
import { count } from './screen.ts';
import { writeWhole } from './whole-files.ts';

export interface ReportFlags extends VerbFlags {
  readonly run?: string;
  readonly html?: boolean;
  readonly out?: string;
}

/** `sluice report` and `sluice run report`, which are one. */
export async function report(hour: LogicalHour, flags: ReportFlags): Promise<number> {
  if (flags.html) return reportPage(hour, flags);
  if (flags.out !== undefined) throw new SluiceError('SettingsInvalid', '--out is for --html: add that.');
  return withPipeline(flags.pipeline, async (client, pipeline) => {
    const found = await client.runs.report(pipeline, hour, flags.run === undefined ? {} : { runId: flags.run });
    process.stdout.write(
      flags.json ? `${JSON.stringify(found)}\n` : `${reportLines(found, process.env['SLUICE_TRACE_URL']).join('\n')}\n`,
    );
    return 0;
  });
}

/** `sluice report HOUR --html`: the page of a run in a file that is there only once it is whole. */
function reportPage(hour: LogicalHour, flags: ReportFlags): Promise<number> {
  return withPipeline(flags.pipeline, async (client, name) => {
    const report = await client.runs.report(name, hour, flags.run === undefined ? {} : { runId: flags.run });
    const page = await pageOf(client, report, flags.pipeline);
    if (flags.out === '-') {
      process.stdout.write(page);
      return 0;
    }
    const path = resolve(flags.out ?? `${name}-${hourKey(hour)}.html`);
    await writeWhole(path, page);
    const bytes = Buffer.byteLength(page);
    process.stdout.write(flags.json ? `${JSON.stringify({ out: path, bytes })}\n` : `${path}  ${count(bytes)} bytes\n`);
    return 0;
  });
}

async function pageOf(client: SluiceClient, report: ReportSoFar, given: string | undefined): Promise<string> {
  const settings = readSettings(process.env);
  const { address, namespace } = temporalPlace(process.env);
  const ui = webUiOf(process.env['SLUICE_TEMPORAL_UI_URL'], address);
  const traceUrl = process.env['SLUICE_TRACE_URL'];
  const pipeline = await definitionOf(client, new ObjectStore(settings.store), report, given);
  const search = new SearchConnector(settings.elasticsearch);
  try {
    return await makeRunPage({
      ...{ report, search },
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(traceUrl === undefined ? {} : { traceUrl }),
      ...(ui === undefined ? {} : { webUi: webUiPage(ui, namespace, report.workflowId, report.runId) }),
    });
  } finally {
    await search.close();
  }
}

/** What the run was shaped by; of one that has not stored it, what is given, or what its schedule has. A sentence where the store does not say. */
export async function definitionOf(
  client: SluiceClient,
  store: Store,
  report: ReportSoFar,
  given: string | undefined,
): Promise<Pipeline | { readonly missing: string } | undefined> {
  let found: unknown;
  try {
    found = await storedDefinition(store, report);
  } catch (error) {
    return { missing: `The panels of this hour could not be drawn, without their definition: ${sentenceOf(error)}` };
  }
  const stored = pipelineSchema.safeParse(found);
  if (stored.success) return stored.data;
  // The page of a run tells of it without its panels, too.
  return pipelineOf(given ?? report.pipeline, client).catch(() => undefined);
}
