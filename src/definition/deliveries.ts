import type { Alerts, Route } from './alerts.ts';
import { fieldValues } from './calendar.ts';
import { durationMs } from './duration.ts';
import type { Notice, Transition } from './incidents.ts';
import { offsetReader } from './zone-offsets.ts';

export const channelKinds = ['email', 'slack', 'webhook'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** One message on one channel. */
export interface Delivery {
  /** The same for each attempt at it, and for the same transitions of the same notice on the same channel: those are one, and are sent once. */
  readonly id: string;
  readonly channel: ChannelKind;
  /** By which the definition knows the channel. */
  readonly name: string;
  /** Ids of the notice's transitions that it tells of. */
  readonly transitions: readonly string[];
  /** The channel that it stands in for, where it is a fallback. */
  readonly insteadOf?: string;
  /** What to try where this one has surely not been delivered, and will not be. */
  readonly fallback?: Delivery;
}

/** A channel of a definition. */
export type Channel = {
  [Kind in ChannelKind]: { readonly name: string; readonly kind: Kind } & NonNullable<Alerts[Kind]>;
}[ChannelKind];

/** Histories from before there were channels have none but `email`, and no policy. */
type StoredAlerts = Partial<Alerts>;

/** All channels of a definition, in the order in which one stands in for another. */
export function channelsOf(alerts: StoredAlerts): Channel[] {
  const named: readonly [string, Pick<StoredAlerts, ChannelKind>][] = [
    ...channelKinds.map((kind): [string, Pick<StoredAlerts, ChannelKind>] => [kind, { [kind]: alerts[kind] }]),
    ...Object.entries(alerts.channels ?? {}),
  ];
  return named.flatMap(([name, { email, slack, webhook }]): Channel[] => {
    if (email) return [{ name, kind: 'email', ...email }];
    if (slack) return [{ name, kind: 'slack', ...slack }];
    return webhook ? [{ name, kind: 'webhook', ...webhook }] : [];
  });
}

/** How often is told, in milliseconds; a time that is left out never comes. */
export function alertPolicy({ policy }: StoredAlerts): {
  readonly groupMs: number;
  readonly remindEveryMs?: number;
  readonly escalateAfterMs?: number;
} {
  const { group = '30s', remindEvery = '24h', escalateAfter } = policy ?? {};
  return {
    groupMs: durationMs(group),
    ...(remindEvery === 'never' ? {} : { remindEveryMs: durationMs(remindEvery) }),
    ...(escalateAfter === undefined ? {} : { escalateAfterMs: durationMs(escalateAfter) }),
  };
}

/** What the heartbeat of a delivery holds, as `resume`, from before its first byte until it has surely failed. */
export const sendingMark = { sending: true } as const;

/** Whether a delivery had begun to send, by its newest heartbeat. */
export function hasBegun(heartbeat: unknown): boolean {
  const { resume } = (heartbeat ?? {}) as { resume?: { sending?: unknown } };
  return resume?.sending === true;
}

/**
 * The messages that tell of a notice: one for each channel, with all that goes there. Every transition is in at least one of them, unless
 * the definition has no channel at all. Pure, but that it asks this machine's table of time zones where a route has one: a workflow
 * therefore calls the activity of the same name, whose answer its history keeps.
 * @param now ISO 8601
 */
export function planDeliveries(alerts: StoredAlerts, notice: Notice, now: string): readonly Delivery[] {
  const channels = channelsOf(alerts);
  const told = new Map(notice.transitions.map((transition) => [transition.id, namesFor(alerts, transition, now)]));
  const deliveryOf = (channel: Channel, transitions: readonly string[]): Delivery => ({
    id: deliveryId(notice, channel.name, transitions),
    ...{ channel: channel.kind, name: channel.name, transitions },
  });
  return channels.flatMap((channel): Delivery[] => {
    const transitions = notice.transitions.filter(({ id }) => told.get(id)?.has(channel.name)).map(({ id }) => id);
    if (transitions.length === 0) return [];
    // Who is told of all of it anyway, stands in for nobody.
    const others = channels.filter(({ name }) => transitions.some((id) => told.get(id)?.has(name) === false));
    const chain = [
      ...others.filter(({ kind }) => kind !== channel.kind),
      ...others.filter(({ kind }) => kind === channel.kind),
    ];
    const fallback = chain.reduceRight<Delivery | undefined>((next, other) => {
      const missed = transitions.filter((id) => told.get(id)?.has(other.name) === false);
      return { ...deliveryOf(other, missed), insteadOf: channel.name, ...(next ? { fallback: next } : {}) };
    }, undefined);
    return [{ ...deliveryOf(channel, transitions), ...(fallback ? { fallback } : {}) }];
  });
}

function deliveryId({ id, transitions }: Notice, name: string, told: readonly string[]): string {
  const all = told.length === transitions.length;
  return `${id}/${name}${all ? '' : `/${told.map((one) => transitions.findIndex((it) => it.id === one)).join('.')}`}`;
}

/** The channels that are told of a transition. */
function namesFor(alerts: StoredAlerts, { kind, incident, sentence }: Transition, now: string): ReadonlySet<string> {
  const all = channelsOf(alerts).map(({ name }) => name);
  const routed = (at: string, severity = incident.severity): readonly string[] =>
    alerts.routes?.find(({ when }) => fits(when ?? {}, { ...incident, severity }, at))?.to ?? all;
  const escalated = alerts.policy?.escalateTo ?? all;
  const names = ((): readonly string[] => {
    // What was seen to be critical is for those whom critical ones are routed to as well.
    if (kind === 'escalated') return sentence === undefined ? escalated : [...escalated, ...routed(now)];
    const before = incident.escalatedAt === undefined ? [] : escalated;
    // Whoever was told that it began is told that it is over, though it be another time of day, or more severe by now.
    const began = kind === 'recovered' || kind === 'closed' ? routed(incident.openedAt, incident.openedAs) : [];
    return [...routed(now), ...began, ...before];
  })();
  return new Set(names.filter((name) => all.includes(name)));
}

function fits(when: NonNullable<Route['when']>, incident: Transition['incident'], now: string): boolean {
  const { severity = incident.severity, rule = [incident.rule], hours, days, zone = 'UTC' } = when;
  if (severity !== incident.severity || !rule.includes(incident.rule)) return false;
  if (hours === undefined && days === undefined) return true;
  const local = localTime(now, zone);
  return local !== undefined && isInHours(hours, local) && isOnDays(days, local);
}

interface LocalTime {
  readonly minute: number;
  readonly weekday: number;
}

/** Undefined where this machine does not know the zone: then what a route says of its times does not fit. */
function localTime(now: string, zone: string): LocalTime | undefined {
  try {
    const instant = new Date(now).getTime();
    const local = new Date(instant + (zone === 'UTC' ? 0 : offsetReader(zone)(instant)) * 60_000);
    return { minute: local.getUTCHours() * 60 + local.getUTCMinutes(), weekday: local.getUTCDay() };
  } catch {
    return undefined;
  }
}

function isInHours(hours: string | undefined, { minute }: LocalTime): boolean {
  if (hours === undefined) return true;
  const [from = 0, to = 0] = hours.split('-').map((time) => {
    const [hour = 0, minutes = 0] = time.split(':').map(Number);
    return hour * 60 + minutes;
  });
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

function isOnDays(days: string | readonly string[] | undefined, { weekday }: LocalTime): boolean {
  if (days === undefined) return true;
  const found = fieldValues('dayOfWeek', days);
  return 'values' in found && found.values.includes(weekday);
}
