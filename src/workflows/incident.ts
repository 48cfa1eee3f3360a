import {
  allHandlersFinished,
  condition,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { alertPolicy } from '../definition/deliveries.ts';
import type { AlertedPipeline, Incident } from '../definition/incidents.ts';
import { taskQueues } from '../definition/names.ts';
import { attributes } from './attributes.ts';
import { continueOnWatch } from './continue-on-watch.ts';
import { failure } from './failure.ts';
import { isHistoryFull } from './full-history.ts';
import {
  meansAnother,
  takenClearing,
  takenObservation,
  wrongAcknowledgement,
  wrongAlerts,
  wrongClearing,
  wrongClosing,
  wrongObservation,
  wrongSilencing,
} from './incident-checks.ts';
import { incidentDetails } from './incident-details.ts';
import {
  acknowledgeSignal,
  acknowledgeUpdate,
  clearedSignal,
  closeSignal,
  closeUpdate,
  incidentQuery,
  observedSignal,
  silenceSignal,
  silenceUpdate,
  type IncidentInput,
} from './incident-messages.ts';
import { IncidentBook } from './incident-state.ts';
import { HEARTBEAT_TIMEOUT } from './stage-activities.ts';
import { requireAlertedPipeline } from './started-by-hand.ts';
import { goesAlong } from './versioning.ts';

const { passOn } = proxyActivities<Activities>({
  taskQueue: taskQueues.watch,
  startToCloseTimeout: '1m',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  summary: 'tell the notifier',
  // Tried for ever: it asks Temporal alone.
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

goesAlong(incident);

/**
 * One problem, from the first time that it is seen until it has recovered or a person closes it. However often it is observed, it is one incident: what
 * is told of it is that it has opened, that it lasts, and that it is over. What is seen while it ends is the next incident's.
 */
export async function incident(input: IncidentInput): Promise<Incident> {
  requireAlertedPipeline('an incident', input);
  const book = new IncidentBook(workflowInfo().workflowId, input.carried);
  let pipeline: AlertedPipeline = input.pipeline;
  listen(book, (alerts) => {
    const wrong = alerts ? wrongAlerts(alerts) : undefined;
    if (wrong !== undefined) log.warn(`alerts: ${wrong} Those before stay.`);
    else if (alerts) pipeline = { ...pipeline, alerts };
  });
  for (const seen of input.next ?? []) book.observe(seen, Date.now());
  if (!book.opened && !(await condition(() => book.opened, '1 minute'))) {
    throw failure({
      code: 'DefinitionInvalid',
      message: 'Nothing was observed: an incident is started by its first observation, with the signal "observed".',
    });
  }
  let shown: Incident | undefined;
  for (;;) {
    if (book.incident !== shown) show((shown = book.incident));
    const [transition] = book.outgoing;
    if (transition) {
      await passOn({ pipeline, transition });
      book.handedOn(transition.id);
      continue;
    }
    if (book.ended) break;
    if (isHistoryFull(input.maxHistory)) {
      return continueOnWatch<typeof incident>({ ...limitOf(input), pipeline, carried: book.record });
    }
    const told = pipeline;
    const policy = alertPolicy(pipeline.alerts);
    const due = book.dueAt(policy);
    const changed = (): boolean => book.incident !== shown || book.outgoing.length > 0 || pipeline !== told;
    if (due === undefined) await condition(changed);
    else await condition(changed, Math.max(1, due - Date.now()));
    book.tick(policy, Date.now());
  }
  await condition(allHandlersFinished);
  // What came since belongs to the next one. Whatever comes from here on starts it.
  const { next } = book.record;
  if (next.length > 0) return continueOnWatch<typeof incident>({ ...limitOf(input), pipeline, next });
  return book.incident;
}

const limitOf = ({ maxHistory }: IncidentInput): Pick<IncidentInput, 'maxHistory'> =>
  maxHistory === undefined ? {} : { maxHistory };

/** What the list and the Web UI have of it, without asking a worker. */
function show(now: Incident): void {
  const hour = now.hours.at(-1);
  upsertSearchAttributes([
    { key: attributes.pipeline, value: now.pipeline },
    { key: attributes.stage, value: now.rule },
    { key: attributes.outcome, value: now.state },
    ...(hour === undefined ? [] : [{ key: attributes.hour, value: new Date(hour) }]),
  ]);
  upsertMemo({ incident: now });
  setCurrentDetails(incidentDetails(now));
}

/** Everything that an incident is told, and asked. Anybody may signal by hand, and an error in here would stop it for good. */
function listen(book: IncidentBook, adopt: (alerts: AlertedPipeline['alerts'] | undefined) => void): void {
  const { workflowId } = workflowInfo();
  const heeded = (name: string, wrong: string | undefined, act: () => void): void => {
    if (wrong === undefined) act();
    else log.warn(`${name}: ${wrong} It is left aside.`);
  };
  setHandler(incidentQuery, () => book.incident, { description: 'How the incident stands.' });
  setHandler(
    observedSignal,
    (seen, alerts) =>
      heeded('observed', wrongObservation(seen, workflowId), () => {
        adopt(alerts);
        book.observe(takenObservation(seen), Date.now());
      }),
    { description: 'The problem was seen: opens the incident, or counts it there, each occurrence once.' },
  );
  setHandler(
    clearedSignal,
    (clearing) =>
      heeded('cleared', wrongClearing(clearing, workflowId), () => book.clear(takenClearing(clearing), Date.now())),
    { description: 'The problem is over.' },
  );
  const over = (): string | undefined =>
    book.opened && !book.ended ? undefined : `The incident is ${book.opened ? book.incident.state : 'not open yet'}.`;
  const words = {
    acknowledge: {
      ...{ update: acknowledgeUpdate, signal: acknowledgeSignal, wrong: wrongAcknowledgement },
      act: (given: never) => book.acknowledge(given, Date.now()),
      description: 'Somebody sees to it: {"by": "who", "note": "…"}. No more reminders, and it does not escalate.',
    },
    silence: {
      ...{ update: silenceUpdate, signal: silenceSignal },
      wrong: (given: unknown) => wrongSilencing(given, Date.now()),
      act: (given: never) => book.silence(given),
      description: 'Nobody is told of it until then: {"by": "who", "until": "2026-11-24T18:00:00Z"}.',
    },
    close: {
      ...{ update: closeUpdate, signal: closeSignal, wrong: wrongClosing },
      act: (given: never) => book.close(given, Date.now()),
      description: 'It is over by word of a person: {"by": "who", "reason": "why"}.',
    },
  } as const;
  for (const [name, { update, signal, wrong, act, description }] of Object.entries(words)) {
    const refusal = (given: unknown): string | undefined =>
      over() ?? wrong(given) ?? meansAnother(given, book.incident.openedAt);
    const follow = (given: unknown): Incident => {
      act(given as never);
      return book.incident;
    };
    setHandler(update as typeof closeUpdate, follow, {
      description: `${description} Answers with the incident.`,
      validator: (given: unknown) => {
        const sentence = refusal(given);
        if (sentence !== undefined) throw failure({ code: 'ControlRefused', message: sentence });
      },
    });
    setHandler(
      signal as typeof closeSignal,
      (given: unknown) => heeded(name, refusal(given), () => void follow(given)),
      { description: `${description} As the update, without an answer.` },
    );
  }
}
