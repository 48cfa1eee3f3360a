import { setTimeout as wait } from 'node:timers/promises';
import { MailConnector } from '../../connectors/mail.ts';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings, type Settings } from '../../connectors/settings.ts';
import { sentenceOf } from '../../definition/errors.ts';
import type { AlertedPipeline } from '../../definition/incidents.ts';
import { Outages, tellDirectly } from '../../inspecting/temporal-outage.ts';
import { TemporalSession } from '../api/temporal-session.ts';
import { scheduledNames, soundDefinition } from '../schedules/scheduled.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { isSilence, TemporalWatch } from './temporal-watch.ts';

const LOOK_EVERY_MS = 10_000;
const ANSWER_MS = 10_000;
/** Whom to tell changes as definitions do. */
const KNOWS_EVERY_MS = 120_000;

/**
 * Sees to it that the watchdog runs: as soon as Temporal is there, and again where somebody has ended it. Where Temporal itself does not answer, tells that.
 * @param given the pipeline of this process, if it has one
 * @returns stops that; the watchdog goes on
 * @throws SluiceError `SettingsInvalid`
 */
export function keepWatchdog(
  environment: Readonly<Record<string, string | undefined>>,
  say: (sentence: string) => void,
  given?: AlertedPipeline,
): () => Promise<void> {
  const settings = readSettings(environment);
  const session = new TemporalSession(environment);
  const stop = new AbortController();
  const watch = temporalWatch(settings, session, stop.signal, say, given);
  const every = Math.min(LOOK_EVERY_MS, Math.max(1_000, settings.watch.temporalAfterMs / 4));
  let knownAt = 0;
  let unknown = false;
  const kept = (async () => {
    while (!stop.signal.aborted) {
      const failure = await session
        .use((client) => client.watchdog.keep(), ANSWER_MS)
        .then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
      if (stop.signal.aborted) break;
      if (failure && isSilence(failure.error)) await watch.silent(Date.now());
      else if (failure) watch.refused(sentenceOf(failure.error));
      else {
        await watch.answered(Date.now());
        if (Date.now() - knownAt > KNOWS_EVERY_MS) {
          try {
            await watch.knows(await session.use(alertedPipelines));
            unknown = false;
          } catch (error) {
            if (!unknown && !isSilence(error))
              say(`Whom to tell of Temporal's absence stays as it was known before: ${sentenceOf(error)}`);
            unknown ||= !isSilence(error);
          }
          knownAt = Date.now();
        }
      }
      await wait(every, undefined, { signal: stop.signal }).catch(() => {});
    }
    await watch.settled();
    await session.close();
  })();
  return async () => {
    stop.abort();
    await kept;
  };
}

function temporalWatch(
  settings: Settings,
  { place }: TemporalSession,
  signal: AbortSignal,
  say: (sentence: string) => void,
  given: AlertedPipeline | undefined,
): TemporalWatch {
  const { temporalUi, apiUrl, watch } = settings;
  const deps = { settings, mail: new MailConnector(settings.mail) };
  const addresses = {
    namespace: place.namespace,
    ...(temporalUi === undefined ? {} : { temporalUi }),
    ...(apiUrl === undefined ? {} : { apiUrl }),
  };
  return new TemporalWatch({
    ...{ outages: new Outages(new ObjectStore(settings.store), place.namespace), address: place.address },
    ...{ afterMs: watch.temporalAfterMs, say, ...(given ? { given } : {}) },
    tell: async (pipeline, transition) => {
      for (const { channel, told, sentence } of await tellDirectly(deps, pipeline, transition, addresses, signal)) {
        if (!told) say(`${pipeline.name}, ${channel}: ${sentence ?? 'it was not told'}`);
      }
    },
  });
}

/**
 * Of every pipeline that has a schedule. One whose definition is no good tells nobody.
 * @throws where Temporal does not say it of all of them: who is left out then would hear of no absence
 */
export async function alertedPipelines({ schedules }: Pick<SluiceClient, 'schedules'>): Promise<AlertedPipeline[]> {
  // Side by side: there is one time limit for all of them.
  const found = (await scheduledNames(schedules)).toSorted().map(async (name): Promise<AlertedPipeline[]> => {
    const definition = await soundDefinition(schedules, name);
    return definition ? [{ name, alerts: definition.alerts }] : [];
  });
  return (await Promise.all(found)).flat();
}
