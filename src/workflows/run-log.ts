import { setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { RunReport, StageTiming } from '../activities/index.ts';
import { attributes } from './attributes.ts';
import { progressQuery, type RunInput, type RunProgress } from './messages.ts';
import type { Problem } from './failure.ts';

type Findings = Partial<Pick<RunReport, 'prepared' | 'schemas' | 'source' | 'clean' | 'sameAs' | 'madeStale'>>;

/** What a run knows of itself: its stages with their times, what they found, and the report made of it. */
export class RunLog {
  readonly #input: RunInput;
  readonly #stages: StageTiming[] = [];
  readonly #startedAt = new Date().toISOString();
  #current: string | undefined;
  #failed: string | undefined;
  #waiting: string | undefined;
  #findings: Findings = {};
  #generations: Record<string, number> = {};
  #batches: Record<string, string> = {};
  #equations: RunReport['equations'] = [];

  constructor(input: RunInput) {
    this.#input = input;
    setHandler(progressQuery, () => this.progress(), { description: 'How far the run is, stage by stage.' });
    upsertSearchAttributes([
      { key: attributes.pipeline, value: input.pipeline.name },
      { key: attributes.hour, value: new Date(input.hour) },
    ]);
  }

  /** Runs one stage: timed, shown in the Web UI, and named in the report if it fails. */
  async stage<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = Date.now();
    this.#current = name;
    this.#waiting = undefined;
    upsertSearchAttributes([{ key: attributes.stage, value: name }]);
    this.#show();
    try {
      return await work();
    } catch (error) {
      this.#failed ??= name;
      throw error;
    } finally {
      this.#stages.push({ stage: name, startedAt: new Date(startedAt).toISOString(), ms: Date.now() - startedAt });
      this.#current = undefined;
      this.#show();
    }
  }

  found(findings: Findings): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  batch(dataset: string, batchId: string): void {
    this.#batches[dataset] = batchId;
  }

  generation(dataset: string, generation: number): void {
    this.#generations[dataset] = generation;
  }

  equations(equations: RunReport['equations']): void {
    this.#equations = equations;
    this.#show();
  }

  waitsFor(what: string | undefined): void {
    this.#waiting = what;
    this.#show();
  }

  get workflowId(): string {
    return workflowInfo().workflowId;
  }

  progress(): RunProgress {
    return {
      pipeline: this.#input.pipeline.name,
      hour: this.#input.hour,
      stages: this.#stages,
      ...(this.#current === undefined ? {} : { current: this.#current }),
      ...(this.#waiting === undefined ? {} : { waiting: this.#waiting }),
    };
  }

  /** The report of this attempt as it stands now. */
  report(outcome: RunReport['outcome'], problem?: Problem): RunReport {
    const { workflowId, runId } = workflowInfo();
    const main = this.#equations.find(({ dataset }) => dataset === 'main');
    upsertSearchAttributes([
      { key: attributes.outcome, value: outcome },
      ...(main ? [{ key: attributes.rows, value: main.rows.indexed }] : []),
    ]);
    const error = problem && { ...problem, stage: this.#failed ?? this.#stages.at(-1)?.stage ?? 'start' };
    return {
      pipeline: this.#input.pipeline.name,
      hour: this.#input.hour,
      workflowId,
      runId,
      outcome,
      startedAt: this.#startedAt,
      endedAt: new Date().toISOString(),
      ...(this.#input.startFrom === undefined ? {} : { startFrom: this.#input.startFrom }),
      stages: [...this.#stages],
      ...this.#findings,
      generations: this.#generations,
      batches: this.#batches,
      equations: this.#equations,
      ...(error ? { error } : {}),
    };
  }

  /** The stage table of the Web UI. */
  #show(): void {
    const rows = this.#stages.map(
      ({ stage, ms }) => `| ${stage} | ${this.#failed === stage ? 'failed' : 'done'} | ${ms / 1000} s |`,
    );
    if (this.#current !== undefined) rows.push(`| ${this.#current} | ${this.#waiting ?? 'running'} | |`);
    const equations = this.#equations.length > 0 ? ['', ...equationTable(this.#equations)] : [];
    setCurrentDetails(['| Stage | State | Time |', '|---|---|---|', ...rows, ...equations].join('\n'));
  }
}

/** The row equation of each data set, as Markdown: what was read and what became of it, hop by hop. */
function equationTable(equations: RunReport['equations']): string[] {
  return [
    '| Data set | Read | Clean | Duplicates | Filtered | Rejected | Published | Landed | Indexed | Equation |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...equations.map(({ dataset, rows, holds, broken }) => {
      const { read, clean, duplicates, filtered, rejected, published, landed, indexed } = rows;
      const cells = [read, clean, duplicates, filtered, rejected, published, landed, indexed];
      return `| ${dataset} | ${cells.join(' | ')} | ${holds ? 'holds' : `**does not hold: ${broken ?? ''}**`} |`;
    }),
  ];
}
