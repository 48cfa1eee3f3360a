import type { LogicalHour } from '../../../definition/hour.ts';
import type { Incident } from '../../../definition/incidents.ts';
import type { WatchedQueue } from './seen-queues.ts';
import type { SeenConsumer, SeenRun, SeenSchedule } from './seen.ts';

/** Of one thing of several that were asked about, why it could not be said. */
export interface NoAnswer {
  readonly why: string;
}

/** What the watchdog asks, and of nobody whom it watches: Temporal, the broker, the object store, the index. Each may throw where it cannot be said. */
export interface World {
  /**
   * Schedules of pipelines' hours.
   * @param known names of pipelines that had one, so that none is taken for gone by a list that is behind
   * @param unseen told of each that cannot be said how it stands, where others can
   */
  schedules(
    known: readonly string[],
    unseen?: (pipeline: string, why: string) => void,
  ): Promise<readonly SeenSchedule[]>;
  /** Incidents that are not over. */
  incidents(): Promise<readonly Incident[]>;
  consumers(): Promise<readonly SeenConsumer[]>;
  /** The oldest first. */
  runs(): Promise<readonly SeenRun[]>;
  /** When a worker of the queue was last seen, by its polls or by the heartbeats of what it does; 0 where none was. Milliseconds since 1970. */
  served(
    queue: WatchedQueue,
    work: { readonly consumers: readonly SeenConsumer[]; readonly runs: readonly SeenRun[] },
  ): Promise<number>;
  /** Whether a run of the hour was ever there. */
  ran(pipeline: string, hour: LogicalHour): Promise<boolean>;
  /** Runs that went through with rows since. @param since ISO 8601 */
  wentThrough(since: string): Promise<readonly { readonly pipeline: string; readonly hour: LogicalHour }[]>;
  /** The end of each partition, by topic; a topic that is not there is left out. */
  ends(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, bigint> | NoAnswer>>;
  /** How far the object store has landed a stream, by partition. */
  landed(stream: string, topic: string): Promise<ReadonlyMap<string, bigint>>;
  /** The newest hour that each index has; null where it has none, false where there is no such index. */
  indexed(aliases: readonly string[]): Promise<ReadonlyMap<string, LogicalHour | null | false | NoAnswer>>;
  /** Whether the object store says that the hour went through, with rows. */
  isDone(pipeline: string, hour: LogicalHour): Promise<boolean>;
}
