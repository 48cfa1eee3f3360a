import { countText } from '../../../definition/amounts.ts';
import { durationMs } from '../../../definition/duration.ts';
import type { WatchSettings } from '../../../definition/watch.ts';
import { SOMEWHERE } from './found-open.ts';
import type { StandsStill } from './memory.ts';
import type { Verdict } from './problems.ts';
import type { SeenConsumer } from './seen.ts';

const rule = 'consumer-stuck';
/** A heartbeat that is older says nothing of what is read now. */
const FRESH_MS = 60_000;

export interface StuckInput {
  readonly consumer: SeenConsumer;
  /** The end of its partitions, as the broker says, and where the object store has landed them; undefined where its topic is not known. */
  readonly ends?: ReadonlyMap<string, bigint>;
  /** Where it stood, and since when. */
  readonly before?: StandsStill;
  readonly settings: WatchSettings;
  /** Its queue has no worker: that is told. */
  readonly waits: boolean;
  readonly now: number;
  /** How far the object store has landed it, by partition: asked where it seems not to move. */
  readonly landed: () => Promise<ReadonlyMap<string, bigint>>;
}

export interface StuckNews {
  /** Undefined where there is nothing to land. */
  readonly memory?: StandsStill;
  readonly verdict: Verdict;
}

/** A consumer that has records to land, and lands none: though it reads, is tried again and again, or waits for a place. */
export async function stuckConsumer(input: StuckInput): Promise<StuckNews> {
  const { consumer, ends, settings, now } = input;
  const { stream, shard, reading, workflowId } = consumer;
  const subject = `${stream}/${shard}`;
  const well = (sentence: string): StuckNews => ({ verdict: { rule, subject, standing: 'well', sentence } });
  if (!reading) return well(`The consumer of ${stream} does not read: it is paused, has halted, or leaves.`);
  if (!ends)
    return keeping(input.before, {
      rule,
      subject,
      standing: 'unknown',
      why: `it is not known where the topic of ${stream} ends`,
    });
  const told = offsetsOf(reading.positions);
  // One that no worker has taken up yet has not said where it stands.
  const positions = told.size > 0 ? told : await input.landed();
  const own = (offsets: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> =>
    new Map(
      [...ends]
        .filter(([partition]) => positions.has(partition))
        .map(([partition]) => [partition, offsets.get(partition) ?? 0n]),
    );
  if (behind(own(ends), positions) === 0n) return well(`The consumer of ${stream} has landed everything.`);
  const at = textOf(positions);
  const before = input.before?.at === SOMEWHERE ? { ...input.before, at } : input.before;
  const moved: StandsStill = { at, since: new Date(now).toISOString() };
  if (before?.at !== at) return { memory: moved, ...well(`The consumer of ${stream} lands again.`) };
  const fresh = reading.beatAt !== undefined && now - reading.beatAt < FRESH_MS;
  // What it has read waits for the end of its chunk: whoever publishes is slow, or paused.
  if (fresh && behind(own(ends), offsetsOf(reading.next)) === 0n) {
    return { memory: moved, ...well(`The consumer of ${stream} has read everything.`) };
  }
  // No time in which nobody looked: its worker may have been away with Temporal.
  const stillFor = now - Date.parse(before.since) - (before.unlooked ?? 0);
  if (stillFor < durationMs(settings.after))
    return { memory: before, ...well(`The consumer of ${stream} lands again.`) };
  if (input.waits) return keeping(before, { rule, subject, standing: 'unknown', why: 'no worker serves streaming' });
  const landed = await input.landed();
  const left = behind(own(ends), landed);
  if (left === 0n) return well(`The consumer of ${stream} has landed everything.`);
  // Its own word is older than what the store has: somebody lands.
  if (behind(landed, positions) > 0n) return { memory: moved, ...well(`The consumer of ${stream} lands again.`) };
  const { failure } = reading;
  return {
    memory: before,
    verdict: {
      ...{
        rule,
        subject,
        standing: 'wrong',
        occurrence: before.since,
        severity: settings.severity,
        muted: settings.muted,
        workflowId,
      },
      sentence: `The consumer of ${stream} has not landed a record for more than ${settings.after}, and ${countText(left)} wait${left === 1n ? 's' : ''}. ${why(failure, reading.beatAt)}`,
      facts: [
        { name: 'Stream', value: stream },
        ...(reading.topic === undefined ? [] : [{ name: 'Topic', value: reading.topic }]),
        { name: 'Records that wait', value: countText(left) },
        { name: 'Stands still since', value: before.since },
        ...(failure === undefined ? [] : [{ name: 'Last failure', value: failure }]),
      ],
    },
  };
}

const keeping = (before: StandsStill | undefined, verdict: Verdict): StuckNews => ({
  ...(before ? { memory: before } : {}),
  verdict,
});

function why(failure: string | undefined, beatAt: number | undefined): string {
  if (failure !== undefined) return `It is tried again after: ${failure.replace(/[.\s]*$/, '.')}`;
  if (beatAt === undefined) return 'No worker has taken it up: all places of the queue streaming may be taken.';
  return 'Its worker says that it is alive; "sluice consumer status" and the worker’s log say more.';
}

const offsetsOf = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, bigint> =>
  new Map(Object.entries(texts).map(([partition, offset]) => [partition, BigInt(offset)]));

/** How many records lie between, over all partitions. */
function behind(ends: ReadonlyMap<string, bigint>, at: ReadonlyMap<string, bigint>): bigint {
  let sum = 0n;
  for (const [partition, end] of ends) {
    const from = at.get(partition) ?? 0n;
    if (end > from) sum += end - from;
  }
  return sum;
}

const textOf = (positions: ReadonlyMap<string, bigint>): string =>
  [...positions]
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([partition, offset]) => `${partition}:${offset}`)
    .join(' ');
