import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import { SluiceError } from '../definition/errors.ts';
import type { Incident } from '../definition/incidents.ts';
import { ids } from '../definition/names.ts';
import { attributes } from '../workflows/attributes.ts';
import type { Acknowledgement, Closing, Silencing } from '../workflows/incident-messages.ts';
import { wrongAcknowledgement, wrongClosing, wrongSilencing } from '../workflows/incident-checks.ts';
import type { Outbox } from '../workflows/notifier-messages.ts';
import { askRun } from './ask-run.ts';
import { answerOf } from './query-worker.ts';

export interface IncidentFilter {
  readonly pipeline?: string;
  /** Those that are over as well. @default false */
  readonly all?: boolean;
  /** So many, the newest. @default 100 */
  readonly limit?: number;
}

const LISTED_BY = 'sluice incidents';

/** Incidents of pipelines: looked at, acknowledged, silenced, closed. */
export class Incidents {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Those that are open, or all that Temporal still knows of; the newest first. No worker is asked. */
  async list({ pipeline, all = false, limit = 100 }: IncidentFilter = {}): Promise<Incident[]> {
    const over = `${attributes.outcome.name} IN ("recovered", "closed")`;
    const query = [
      'WorkflowType = "incident"',
      // No pipeline's name has a quote in it.
      ...(pipeline === undefined ? [] : [`WorkflowId STARTS_WITH "${ids.incident(pipeline.replaceAll('"', ''), '')}"`]),
      // One that has continued as new is listed by its newest execution.
      all ? `(ExecutionStatus = "Running" OR ${over})` : 'ExecutionStatus = "Running"',
    ].join(' AND ');
    const found: Incident[] = [];
    for await (const info of this.#client.workflow.list({ query })) {
      const incident = incidentOf(info);
      if (incident && (all || incident.endedAt === undefined)) found.push(incident);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** How an incident stands: of several of the same problem, the newest. @throws SluiceError `IncidentUnknown` */
  async get(given: string): Promise<Incident> {
    const workflowId = incidentId(given);
    try {
      const incident = incidentOf(await this.#client.workflow.getHandle(workflowId).describe());
      if (incident) return incident;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
    throw unknown(given);
  }

  /**
   * Somebody sees to it: no more reminders, and it does not escalate.
   * @throws SluiceError `IncidentUnknown`; `ControlRefused` where it is over, another than the one that is meant, or something of this is wrong; `NoWorker`
   */
  acknowledge(id: string, given: Acknowledgement): Promise<Incident> {
    return this.#tell(id, 'acknowledge', given, wrongAcknowledgement(given));
  }

  /** Nobody is told of it until then. @throws SluiceError as {@link acknowledge} */
  silence(id: string, given: Silencing): Promise<Incident> {
    return this.#tell(id, 'silence', given, wrongSilencing(given, Date.now()));
  }

  /** It is over by word of a person; seen again, it is a new one. @throws SluiceError as {@link acknowledge} */
  close(id: string, given: Closing): Promise<Incident> {
    return this.#tell(id, 'close', given, wrongClosing(given));
  }

  /** What a pipeline's notifier holds, has on its way and has sent; undefined where it has none, or no worker answers. */
  outbox(pipeline: string): Promise<Outbox | undefined> {
    return answerOf<Outbox>(this.#client, this.#client.workflow.getHandle(ids.notifier(pipeline)), 'outbox');
  }

  async #tell(id: string, word: string, given: object, wrong: string | undefined): Promise<Incident> {
    // What is wrong by itself needs no worker to say so.
    if (wrong !== undefined) throw new SluiceError('ControlRefused', wrong);
    const workflowId = incidentId(id);
    const told = (): Promise<Incident> =>
      askRun(
        this.#client,
        workflowId,
        (run) => run.executeUpdate<Incident, [object]>(word, { args: [given] }),
        LISTED_BY,
      );
    try {
      return await told();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'NotRunning') throw error;
      const { state, endedAt = '' } = await this.get(id);
      throw new SluiceError('ControlRefused', `The incident ${workflowId} is ${state} since ${endedAt}.`);
    }
  }
}

/** The id of an incident, as it is or without its `incident/`. @throws SluiceError `IncidentUnknown` where it is none */
export function incidentId(given: string): string {
  const id = given.startsWith('incident/') ? given : `incident/${given}`;
  if (/^incident\/[a-z][a-z0-9-]*\/[a-z-]+(\/[^/]+)?$/.test(id)) return id;
  throw unknown(given);
}

function unknown(given: string): SluiceError {
  return new SluiceError(
    'IncidentUnknown',
    `There is no incident "${given}", or Temporal has forgotten it: "${LISTED_BY} --all" lists those that there are.`,
  );
}

/** What it says of itself in its memo. One that no worker has taken up yet has said nothing. */
function incidentOf({ memo }: Pick<WorkflowExecutionInfo, 'memo'>): Incident | undefined {
  return memo?.['incident'] as Incident | undefined;
}
