import { condition, log, workflowInfo } from '@temporalio/workflow';
import type { ConsumeInput, Told } from '../activities/index.ts';
import type { Clearing, Observation, ProblemKey } from '../definition/incidents.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { problemOf, type Problem } from './failure.ts';
import { stageActivities, tellingRetries } from './stage-activities.ts';

/** So long a consumer has to read before what halted it is over: it may halt at the same place again. */
const CHECKED_MS = 60_000;
/** So long one that leaves waits until that is told. */
const LEAVING_MS = 60_000;

/** Tells the incident of a consumer that it has halted, and that it reads again. In order, and without keeping the consumer waiting. */
export class Halts {
  alerts: Pipeline['alerts'] | undefined;
  #open: boolean | undefined;
  #count = 0;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  readonly #checkedMs: number;

  /** @param open whether it had halted, and nobody was told yet that it reads again; undefined where the consumer before this one knew */
  constructor(alerts: Pipeline['alerts'] | undefined, open: boolean | undefined, checkedMs = CHECKED_MS) {
    this.alerts = alerts;
    this.#open = open;
    this.#checkedMs = checkedMs;
  }

  /** Whether it has halted, and nobody was told yet that it reads again, as far as it knows. */
  get open(): boolean | undefined {
    return this.#open;
  }

  /** Everything has been told. */
  get told(): boolean {
    return this.#waiting === 0;
  }

  halted(given: ConsumeInput, problem: Problem): void {
    const { workflowId, runId } = workflowInfo();
    this.#open = true;
    this.#count += 1;
    const seen: Observation = {
      ...{ ...keyOf(given), severity: 'critical', sentence: problem.message, at: new Date().toISOString() },
      facts: [
        { name: 'Error', value: problem.code },
        { name: 'Stream', value: given.stream },
        { name: 'Topic', value: given.topic },
        { name: 'Epoch', value: given.epoch },
      ],
      ...{ workflowId, runId, occurrence: `${runId}/${this.#count}` },
    };
    this.#tell(given, { observations: [seen], clearings: [] });
  }

  /** It reads: tells so, unless it stops reading for some reason before a minute is over. @param stopped whether it has */
  reads(given: ConsumeInput, stopped: () => boolean): void {
    if (this.#open === false) return;
    void condition(stopped, this.#checkedMs).then(
      (didStop) => {
        if (!didStop) this.over(given, `The consumer of ${given.stream} reads again.`);
      },
      () => {},
    );
  }

  /** The consumer leaves: what cannot be told soon is left to the one after it, which reads and tells so. */
  async leaves(given: ConsumeInput): Promise<void> {
    if (this.#open) this.over(given, `The consumer of ${given.stream} was drained.`);
    await condition(() => this.told, LEAVING_MS);
  }

  over(given: ConsumeInput, sentence: string): void {
    if (this.#open === false) return;
    this.#open = false;
    const over: Clearing = { ...keyOf(given), sentence, at: new Date().toISOString() };
    this.#tell(given, { observations: [], clearings: [over] });
  }

  #tell({ stream }: ConsumeInput, told: Pick<Told, 'observations' | 'clearings'>): void {
    const { tellOf } = stageActivities(
      'light',
      tellingRetries,
      told.observations.length > 0 ? 'halted' : 'reads again',
    );
    const { alerts } = this;
    this.#waiting += 1;
    this.#last = this.#last
      .then(() => tellOf({ pipeline: { name: pipelineOf(stream), ...(alerts ? { alerts } : {}) }, ...told }))
      .catch((error: unknown) =>
        log.warn('incidents were not told of a consumer', { problem: problemOf(error).message }),
      )
      .finally(() => {
        this.#waiting -= 1;
      });
  }
}

const keyOf = ({ stream, shard }: ConsumeInput): ProblemKey & { readonly rule: 'consumer-halted' } => ({
  ...{ pipeline: pipelineOf(stream), rule: 'consumer-halted', subject: `${stream}/${shard}` },
});

/** No pipeline's name has a dot. */
const pipelineOf = (stream: string): string => stream.split('.')[0] ?? stream;
