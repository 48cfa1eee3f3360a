import type { Clearing, Observation } from '../../../definition/incidents.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';
import type { WatchCheck } from '../../../definition/watch.ts';
import type { WatchedQueue } from './seen-queues.ts';
import type { PipelineMemory, WatchMemory } from './memory.ts';

/** What is told of a pipeline; without `alerts` where its definition is not known. */
export interface LookTold {
  readonly pipeline: { readonly name: string; readonly alerts?: Pipeline['alerts'] };
  readonly observations: readonly Observation[];
  readonly clearings: readonly Clearing[];
}

/** How a look went, and what is wrong. */
export interface Watching {
  /** ISO 8601. */
  readonly lookedAt: string;
  /** Names of pipelines with a schedule. */
  readonly pipelines: readonly string[];
  readonly consumers: number;
  /** When a worker of each queue was last seen. ISO 8601. */
  readonly queues: Readonly<Partial<Record<WatchedQueue, string>>>;
  /** What is told of and not over. */
  readonly open: readonly {
    readonly pipeline: string;
    readonly rule: string;
    readonly subject?: string;
    readonly sentence: string;
  }[];
  /** What could not be looked at, and why. */
  readonly problems: readonly {
    readonly check: WatchCheck | 'all';
    readonly pipeline?: string;
    readonly why: string;
  }[];
}

export interface Looked {
  readonly memory: WatchMemory;
  /** What it began from, where that is not what it was given. */
  readonly before?: WatchMemory;
  readonly told: readonly LookTold[];
  readonly watching: Watching;
}

/** What is told of a pipeline and not over. */
export function openOf(pipeline: string, { open = [], missed = [] }: PipelineMemory): Watching['open'][number][] {
  return [
    ...open.map(({ rule, subject, sentence }) => ({
      pipeline,
      rule,
      ...(subject === undefined ? {} : { subject }),
      sentence,
    })),
    ...missed.map((hour) => ({
      pipeline,
      rule: 'run-missed',
      subject: hour,
      sentence: `The run of ${hour} has not started.`,
    })),
  ];
}
