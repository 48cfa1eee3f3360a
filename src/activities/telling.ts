import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { AlertedPipeline, Clearing, Incident, Observation, Transition } from '../definition/incidents.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { StageContext } from '../stages/deps.ts';
import { aborted } from './aborted.ts';
import { attended } from './attended.ts';

const nameAttribute = defineSearchAttributeKey('PipelineName', SearchAttributeType.KEYWORD);

/** What was found wrong, and what is so no more. */
export interface Told {
  /** Without `alerts` where they are not known: then those that an incident knows stay. */
  readonly pipeline: Pick<AlertedPipeline, 'name'> & Partial<AlertedPipeline>;
  readonly observations: readonly Observation[];
  readonly clearings: readonly Clearing[];
}

export interface PassedOn {
  readonly pipeline: AlertedPipeline;
  readonly transition: Transition;
}

/** What waits for the next change of an incident does not wait longer for the dashboards. */
const SHOWN_WITHIN_MS = 5_000;

/**
 * How incidents are told of what happens, and the notifier of them. Each may be done again: what has been heard before is known by its id.
 * @param show has the dashboards show an incident as it stands
 */
export function tellingActivities(
  show: (incident: Incident, context: StageContext) => Promise<unknown> = async () => {},
) {
  return {
    /**
     * Opens the incident of each observation, or counts it there; ends those that a clearing is about. Clearings go first: what is observed in the
     * same breath stays open.
     */
    tellOf: (told: Told): Promise<void> => attended(() => tellIncidents(Context.current().client, told)),

    /** Tells the notifier of a change of an incident, and then the dashboards, as far as that can be had. */
    passOn: ({ pipeline, transition }: PassedOn): Promise<void> =>
      attended(async (context) => {
        await orSaysWhy(pipeline, () => toNotifier(Context.current().client, pipeline, 'transition', transition));
        const over = AbortSignal.any([context.signal, AbortSignal.timeout(SHOWN_WITHIN_MS)]);
        const shown = show(transition.incident, { ...context, signal: over });
        await Promise.race([shown, aborted(over)]).catch((error: unknown) => {
          const { id } = transition.incident;
          Context.current().log.warn(
            `the dashboards do not show how ${id} stands: while it is open the watchdog's next look brings it, and at any time "sluice dashboards fill"`,
            { incident: id, error: sentenceOf(error) },
          );
        });
      }),
  };
}

/** What the activity does. @throws SluiceError `Unexpected` where Temporal takes no word of it */
export async function tellIncidents(client: Client, { pipeline, observations, clearings }: Told): Promise<void> {
  await orSaysWhy(pipeline, async () => {
    for (const clearing of clearings) await clear(client, clearing);
    for (const seen of observations) await observe(client, pipeline, seen);
    if (observations.length === 0) return;
    const followed = observations.map((seen) => ({ id: idOf(seen), at: seen.at }));
    // Before this ends: whoever clears the rule next finds all that was open by then.
    await toNotifier(client, pipeline, 'follow', followed);
  });
}

const idOf = ({ pipeline, rule, subject }: Observation | Clearing): string => ids.incident(pipeline, rule, subject);

async function observe(client: Client, pipeline: Told['pipeline'], seen: Observation): Promise<void> {
  const { rule, subject } = seen;
  await client.workflow.signalWithStart('incident', {
    ...{ workflowId: idOf(seen), taskQueue: taskQueues.watch, args: [startedWith(pipeline)] },
    ...{ signal: 'observed', signalArgs: [seen, pipeline.alerts] },
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: [{ key: nameAttribute, value: seen.pipeline }],
    // Temporal refuses a start with more than 400 bytes of it.
    staticSummary: `${seen.pipeline}: ${rule}${subject === undefined ? '' : ` ${subject}`}`.slice(0, 100),
  });
}

/** The id of a problem without a subject says which incident is meant; for all of a rule, the notifier knows those that are open. */
async function clear(client: Client, clearing: Clearing): Promise<void> {
  const [workflowId, signal] =
    clearing.subject === undefined ? [ids.notifier(clearing.pipeline), 'clear'] : [idOf(clearing), 'cleared'];
  try {
    await client.workflow.getHandle(workflowId).signal(signal, clearing);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    if (clearing.subject === undefined) await clearWithoutNotifier(client, clearing);
  }
}

/** Nothing is open; or somebody has ended the notifier by hand, and what is open stands in Temporal's list. */
async function clearWithoutNotifier(client: Client, clearing: Clearing): Promise<void> {
  const own = idOf(clearing);
  const query = `WorkflowType = "incident" AND ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${own}"`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (workflowId !== own && !workflowId.startsWith(`${own}/`)) continue;
    try {
      await client.workflow.getHandle(workflowId).signal('cleared', clearing);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

async function toNotifier(
  client: Client,
  pipeline: Told['pipeline'],
  signal: 'follow' | 'transition',
  about: unknown,
): Promise<void> {
  await client.workflow.signalWithStart('notifier', {
    ...{ workflowId: ids.notifier(pipeline.name), taskQueue: taskQueues.watch, args: [startedWith(pipeline)] },
    ...{ signal, signalArgs: [about, pipeline.alerts] },
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: [{ key: nameAttribute, value: pipeline.name }],
    staticSummary: `Tells whom ${pipeline.name} says of its incidents`,
  });
}

/** Where nothing is known yet of whom to tell, the next one who does says so. */
const startedWith = ({ name, alerts }: Told['pipeline']): object => ({ pipeline: { name, alerts: alerts ?? {} } });

async function orSaysWhy(pipeline: Told['pipeline'], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new SluiceError(
      'Unexpected',
      `Temporal takes no word of ${pipeline.name}'s incidents: ${sentenceOf(error)}.`,
    );
  }
}
