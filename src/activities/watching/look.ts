import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { indexIncidents } from '../../stages/accounting/incident-documents.ts';
import type { StageDeps } from '../../stages/deps.ts';
import { tellDeadman } from '../../stages/watching/outside/deadman.ts';
import { inTime } from '../../stages/watching/outside/in-time.ts';
import { look } from '../../stages/watching/outside/look.ts';
import type { Looked } from '../../stages/watching/outside/looked.ts';
import type { WatchMemory } from '../../stages/watching/outside/memory.ts';
import { serversOf } from '../../stages/watching/outside/servers.ts';
import type { World } from '../../stages/watching/outside/world.ts';
import { attended } from '../attended.ts';
import { showingOpen } from './show-open.ts';
import { temporalOf } from './temporal-world.ts';

/** So long one question may take. */
const PATIENCE_MS = 15_000;

/** What a look came to, and when the next one is due. */
export interface LookedNow extends Looked {
  readonly everyMs: number;
}

/** The watchdog's eyes. */
export function lookingActivities(deps: StageDeps) {
  const showOpen = showingOpen((incidents, context) => indexIncidents(deps, incidents, context));
  return {
    /** Looks once at everything that is watched from outside of runs. What cannot be looked at is said in what it gives back, and fails nothing. */
    look: ({ memory }: { readonly memory: WatchMemory }): Promise<LookedNow> =>
      attended(async (context) => {
        const { client, log } = Context.current();
        const { everyMs } = deps.settings.watch;
        const now = Date.now();
        // Beside, so that it takes the look no time of its own, but for a few seconds where the index hangs.
        const showing = showOpen(context);
        const looked = await look(worldOf(client, deps), memory, now, everyMs);
        const blind = looked.watching.problems.some(({ check, pipeline }) => check === 'all' && pipeline === undefined);
        const ping = blind
          ? memory.ping
          : await tellDeadman(deps, memory.ping, now, (problem) => {
              if (problem === undefined) log.info("the dead man's switch answers again");
              else log.warn("the dead man's switch does not hear us", { problem });
            });
        await showing;
        const { ping: _, ...others } = looked.memory;
        const kept = { ...others, lookedTo: new Date().toISOString() };
        return { ...looked, memory: ping ? { ...kept, ping } : kept, everyMs };
      }),
  };
}

/** Nobody is waited for for longer than {@link PATIENCE_MS}. */
function worldOf(client: Client, deps: StageDeps): World {
  const patient = <Given extends unknown[], T>(ask: (...given: Given) => Promise<T>) => {
    return (...given: Given): Promise<T> =>
      inTime(
        client.withDeadline(Date.now() + PATIENCE_MS, () => ask(...given)),
        PATIENCE_MS + 1_000,
      );
  };
  const { schedules, incidents, consumers, runs, served, ran, wentThrough } = temporalOf(client, deps.store);
  const { ends, landed, indexed, isDone } = serversOf(deps);
  return {
    ...{
      schedules: patient(schedules),
      incidents: patient(incidents),
      consumers: patient(consumers),
      runs: patient(runs),
      served: patient(served),
    },
    ...{ ran: patient(ran), wentThrough: patient(wentThrough), ends: patient(ends), landed: patient(landed) },
    ...{ indexed: patient(indexed), isDone: patient(isDone) },
  };
}
