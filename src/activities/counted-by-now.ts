import type { Client } from '@temporalio/client';
import type { Delivery } from '../definition/deliveries.ts';
import type { Incident, Notice, Transition } from '../definition/incidents.ts';
import { inGroups } from '../stages/in-groups.ts';

/** No message waits longer to be exact. */
const ASKED_WITHIN_MS = 5_000;

/**
 * A notice of which each incident that lasts says how often, when last and in which hours it has been seen by now: that is no change of it, so nobody
 * has told whoever made the notice. All else stays as it was, and so does an incident of which Temporal says nothing.
 */
export async function countedByNow(
  client: Client,
  { notice, delivery }: { readonly notice: Notice; readonly delivery: Pick<Delivery, 'transitions'> },
): Promise<Notice> {
  const counted = (transition: Transition): Promise<Transition> =>
    transition.incident.endedAt === undefined && delivery.transitions.includes(transition.id)
      ? countedIn(client, transition).catch(() => transition)
      : Promise.resolve(transition);
  const transitions = await client.withDeadline(Date.now() + ASKED_WITHIN_MS, () =>
    inGroups(notice.transitions, counted),
  );
  return { ...notice, transitions };
}

/** By its memo, so that no worker is asked. */
async function countedIn(client: Client, transition: Transition): Promise<Transition> {
  const { incident } = transition;
  const { memo } = await client.workflow.getHandle(incident.id).describe();
  const now = memo?.['incident'] as Incident | undefined;
  // Another of the same problem may be open by now.
  if (now?.openedAt !== incident.openedAt || now.occurrences <= incident.occurrences) return transition;
  const { occurrences, lastSeenAt, hours } = now;
  return { ...transition, incident: { ...incident, occurrences, lastSeenAt, hours } };
}
