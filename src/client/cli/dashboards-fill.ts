import { KafkaConnector } from '../../connectors/kafka.ts';
import { kafkaLog } from '../../connectors/kafka-log.ts';
import { ObjectStore } from '../../connectors/object-store.ts';
import { SearchConnector } from '../../connectors/search.ts';
import { readSettings } from '../../connectors/settings.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { operationsIndex } from '../../definition/names.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { fillOperations, indexIncidents, keptFrom, keptIncidents } from '../../inspecting/fill-operations.ts';
import { soundDefinition } from '../schedules/scheduled.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { onInterrupt } from './leaving.ts';
import { writtenName } from './pipelines.ts';
import { count, Screen } from './screen.ts';
import { withClient } from './with-client.ts';

const NAMED = 5;
/** So many incidents, the newest. */
const INCIDENTS = 10_000;

/**
 * `sluice dashboards fill`: indexes all reports that the object store has, and all incidents that Temporal knows of, over what stands there of them.
 * @returns 1 where some could not be read, or Temporal does not say which incidents there are
 */
export async function fill(given: string | undefined, { json }: { readonly json?: boolean }): Promise<number> {
  const pipeline = given === undefined ? undefined : await writtenName(given);
  const settings = readSettings(process.env);
  const search = new SearchConnector(settings.elasticsearch);
  const deps = { store: new ObjectStore(settings.store), search, log: kafkaLog(new KafkaConnector(settings.kafka)) };
  const screen = new Screen();
  const stop = new AbortController();
  const free = onInterrupt(() =>
    stop.abort(new SluiceError('Cancelled', 'Stopped; what is indexed stays, and the same again goes over all of it.')),
  );
  try {
    const context = { signal: stop.signal, progress: ({ note = '' }) => screen.live(note) };
    const filled = await fillOperations(deps, pipeline === undefined ? {} : { pipeline }, context);
    const { reports, documents, unreadable } = filled;
    const shown = await fillIncidents(deps, pipeline, context);
    screen.end();
    if (json) process.stdout.write(`${JSON.stringify({ index: operationsIndex, ...filled, ...shown })}\n`);
    else {
      const whose = pipeline === undefined ? '' : ` of ${pipeline}`;
      const lines = [
        reports + unreadable.length === 0
          ? `No run${whose} has left a report.`
          : `${count(reports)} reports${whose} are in ${operationsIndex}, as ${count(documents)} documents.`,
        ...unreadable
          .slice(0, NAMED)
          .map((key) => `${key} is no report of a run, or one that the index refuses, and was left out.`),
        ...(unreadable.length > NAMED ? [`${count(unreadable.length - NAMED)} more were left out.`] : []),
        'failed' in shown
          ? `Incidents are not in it, beyond those that were: ${shown.failed}`
          : `${count(shown.incidents)} ${shown.incidents === 1 ? 'incident' : 'incidents'}${whose} that Temporal knows of ${shown.incidents === 1 ? 'is' : 'are'} in it.`,
        ...('tooOld' in shown && shown.tooOld > 0
          ? [
              `${count(shown.tooOld)} that ended before the hours that are kept ${shown.tooOld === 1 ? 'is' : 'are'} not.`,
            ]
          : []),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    }
    return unreadable.length === 0 && !('failed' in shown) ? 0 : 1;
  } finally {
    free();
    screen.end();
    await search.close();
  }
}

/** Incidents are in Temporal and nowhere else. Reports are filled without it. What retention has taken out does not come back. */
async function fillIncidents(
  deps: Parameters<typeof indexIncidents>[0],
  pipeline: string | undefined,
  context: Parameters<typeof indexIncidents>[2],
): Promise<{ readonly incidents: number; readonly tooOld: number } | { readonly failed: string }> {
  const whose = pipeline === undefined ? {} : { pipeline };
  try {
    const { found, from } = await withClient(async (client) => {
      const all = await client.incidents.list({ ...whose, all: true, limit: INCIDENTS });
      return { found: all, from: await keptHours(client, new Set(all.map((incident) => incident.pipeline))) };
    });
    const kept = await keptIncidents(deps, found, from);
    await indexIncidents(deps, kept, context);
    return { incidents: kept.length, tooOld: found.length - kept.length };
  } catch (error) {
    context.signal.throwIfAborted();
    return { failed: sentenceOf(error) };
  }
}

/** From which hour on each pipeline keeps what it has, where the definition of its schedule says so. */
async function keptHours({ schedules }: SluiceClient, names: Iterable<string>): Promise<Map<string, LogicalHour>> {
  const from = new Map<string, LogicalHour>();
  for (const name of names) {
    // Without a sound schedule nothing is removed by age.
    const definition = await soundDefinition(schedules, name);
    const hour = definition && keptFrom(definition, Date.now());
    if (hour !== undefined) from.set(name, hour);
  }
  return from;
}
