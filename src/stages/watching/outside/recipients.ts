import { channelsOf, planDeliveries } from '../../../definition/deliveries.ts';
import type { AlertedPipeline, IncidentRule, Severity } from '../../../definition/incidents.ts';
import { ids } from '../../../definition/names.ts';

/**
 * Whom a pipeline would tell of a problem now: addresses, and references to those that are secret.
 * @param now ISO 8601
 */
export function recipientsOf(
  { name, alerts }: AlertedPipeline,
  { rule, severity }: { readonly rule: IncidentRule; readonly severity: Severity },
  now: string,
): string[] {
  const incident = {
    ...{ id: ids.incident(name, rule), pipeline: name, rule, severity, state: 'open' as const },
    ...{ openedAt: now, lastSeenAt: now, occurrences: 1, hours: [], sentence: '', facts: [] },
  };
  const notice = { id: 'n', pipeline: name, transitions: [{ id: 't', kind: 'opened' as const, at: now, incident }] };
  const told = new Set(planDeliveries(alerts, notice, now).map((delivery) => delivery.name));
  return channelsOf(alerts)
    .filter((channel) => told.has(channel.name))
    .flatMap((channel) =>
      channel.kind === 'email' ? channel.to.map((to) => `email ${to}`) : [`${channel.kind} ${channel.url}`],
    );
}

/**
 * Who speaks for several pipelines of one problem, so that whoever gets the alerts of all of them gets as few messages as there can be, and at least one: those with
 * most recipients first, then each that reaches somebody whom nobody before it does. Where nobody is told at all, the first one.
 */
export function speakersFor<P extends { readonly name: string; readonly recipients: readonly string[] }>(
  pipelines: readonly P[],
): P[] {
  const order = pipelines.toSorted(
    (a, b) => b.recipients.length - a.recipients.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const reached = new Set<string>();
  const speakers = order.filter(({ recipients }) => {
    if (recipients.every((one) => reached.has(one))) return false;
    for (const one of recipients) reached.add(one);
    return true;
  });
  return speakers.length === 0 ? order.slice(0, 1) : speakers;
}
