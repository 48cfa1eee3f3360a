import type { LogicalHour } from '../definition/hour.ts';
import type { Clearing, Incident, Observation, Transition, TransitionKind } from '../definition/incidents.ts';
import type { Acknowledgement, Closing, IncidentRecord, Silencing } from './incident-messages.ts';

/**
 * So many occurrences are remembered. One that comes again behind that many others is counted twice; nobody is told twice for it, as what is told are
 * the incident's changes and not its occurrences.
 */
export const REMEMBERED = 300;
/** So many hours are shown, the newest. */
const SHOWN_HOURS = 50;
/** So many hours are kept as not done. */
const KEPT_HOURS = 300;
/** So many observations wait for the next incident. */
const WAITING = 100;
/** So many hours a sentence names. */
const NAMED_HOURS = 5;

/** When anybody is told again of what lasts, in milliseconds; never, where it is left out. */
export interface IncidentPolicy {
  readonly remindEveryMs?: number;
  readonly escalateAfterMs?: number;
}

/** One incident: what it has seen, how it stands, what is to be told of it. Pure; times are given to it, in milliseconds. */
export class IncidentBook {
  readonly #id: string;
  #record: IncidentRecord | undefined;

  /** @param id of the workflow */
  constructor(id: string, carried?: IncidentRecord) {
    this.#id = id;
    this.#record = carried;
  }

  /** @throws RangeError before the first observation */
  get record(): IncidentRecord {
    if (!this.#record) throw new RangeError('nothing has been observed yet');
    return this.#record;
  }

  get incident(): Incident {
    return this.record.incident;
  }

  get opened(): boolean {
    return this.#record !== undefined;
  }

  get ended(): boolean {
    return this.#record?.incident.endedAt !== undefined;
  }

  /** What is to be handed on, in order. */
  get outgoing(): readonly Transition[] {
    return this.#record?.outgoing ?? [];
  }

  /** Opens it, or counts what it has not counted yet. What comes after its end belongs to the next one. */
  observe(seen: Observation, now: number): void {
    const before = this.#record;
    if (!before) return this.#open(seen, now);
    if (before.incident.endedAt !== undefined) {
      const known =
        (before.seen.includes(seen.occurrence) && seen.at <= before.incident.lastSeenAt) || before.next.some(is(seen));
      if (!known) this.#set({ next: [...before.next, seen].slice(-WAITING) });
      return;
    }
    const { incident } = before;
    // Told once more it changes nothing; judged anew, by another run of its hour, it is the same one, and may have become worse.
    const counted = before.seen.includes(seen.occurrence);
    if (counted && seen.at <= incident.lastSeenAt) return;
    const newer = seen.at >= incident.lastSeenAt;
    const rises = seen.severity === 'critical' && incident.severity === 'warning';
    const { workflowId: _workflow, runId: _run, ...known } = incident;
    this.#set({
      incident: {
        ...known,
        ...(rises ? critical(incident) : {}),
        lastSeenAt: newer ? seen.at : incident.lastSeenAt,
        occurrences: incident.occurrences + (counted ? 0 : 1),
        hours: withHour(incident.hours, seen.hour, SHOWN_HOURS),
        ...(newer ? { sentence: seen.sentence, facts: seen.facts } : {}),
        ...runOf(newer ? seen : incident),
      },
      seen: counted ? before.seen : [...before.seen, seen.occurrence].slice(-REMEMBERED),
      failed: withHour(before.failed, seen.hour, KEPT_HOURS),
      ...newestHour(before.newestHour, seen.hour),
    });
    if (rises) this.#escalate(now, 'It has become critical.');
  }

  /**
   * Ends it, where what was seen is over: not by word of an hour that is older than the newest that it was seen in, and not by word that is
   * older than what was seen.
   */
  clear(clearing: Clearing, now: number): void {
    const before = this.#record;
    if (!before) return;
    if (before.incident.endedAt !== undefined) {
      // It is about what waits for the next incident, too.
      const left = before.next.filter((seen) => !covers(clearing, seen));
      return this.#set({ next: left });
    }
    const { hour } = clearing;
    const late = clearing.at <= before.incident.lastSeenAt;
    const failed = hour === undefined ? [] : before.failed.filter((other) => other !== hour);
    // That an hour is done is so however late its word comes; not of the newest one, which may be what was seen last.
    if (!late || (hour !== undefined && hour !== before.newestHour)) this.#set({ failed });
    if (late) return;
    if (hour !== undefined && before.newestHour !== undefined && hour < before.newestHour) return;
    this.#end('recovered', clearing.at, clearing.sentence, now);
  }

  acknowledge({ by, note }: Acknowledgement, now: number): void {
    const acknowledged = { by, at: isoOf(now), ...(note === undefined ? {} : { note }) };
    this.#change({ state: 'acknowledged', acknowledged });
  }

  silence({ until }: Silencing): void {
    this.#change({ silencedUntil: isoOf(Date.parse(until)) });
  }

  close({ by, reason }: Closing, now: number): void {
    this.#end('closed', isoOf(now), `Closed by ${by}: ${reason.replace(/\.$/, '')}.`, now);
  }

  /** When {@link tick} has something to do next; undefined where it never has. */
  dueAt(policy: IncidentPolicy): number | undefined {
    const times = [this.#remindAt(policy), this.#escalateAt(policy)].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Reminds and escalates, where it is time to. Nobody is reminded of what is silenced before the silence ends. */
  tick(policy: IncidentPolicy, now: number): void {
    const escalateAt = this.#escalateAt(policy);
    if (escalateAt !== undefined && now >= escalateAt) {
      this.#change(critical(this.incident));
      return this.#escalate(now);
    }
    const remindAt = this.#remindAt(policy);
    if (remindAt === undefined || now < remindAt) return;
    const reminders = this.record.reminders + 1;
    this.#set({ reminders, missed: false });
    this.#tell('reminder', isoOf(now), now, undefined, reminders);
  }

  /** What has been handed on is not handed on again. */
  handedOn(id: string): void {
    this.#set({ outgoing: this.outgoing.filter((transition) => transition.id !== id) });
  }

  #open(seen: Observation, now: number): void {
    const { pipeline, rule, subject, severity, at, sentence, facts, hour } = seen;
    this.#record = {
      incident: {
        id: this.#id,
        ...{ pipeline, rule, ...(subject === undefined ? {} : { subject }) },
        ...{ severity, state: 'open', openedAt: at, lastSeenAt: at, occurrences: 1 },
        hours: hour === undefined ? [] : [hour],
        ...{ sentence, facts, ...runOf(seen) },
      },
      seen: [seen.occurrence],
      failed: hour === undefined ? [] : [hour],
      ...(hour === undefined ? {} : { newestHour: hour }),
      ...{ reminders: 0, toldAt: now, outgoing: [], next: [] },
    };
    this.#tell('opened', at, now);
  }

  #escalate(now: number, sentence?: string): void {
    this.#change({ escalatedAt: this.incident.escalatedAt ?? isoOf(now) });
    this.#tell('escalated', isoOf(now), now, sentence);
  }

  #end(kind: 'recovered' | 'closed', at: string, sentence: string, now: number): void {
    this.#change({ state: kind, endedAt: at });
    const { failed } = this.record;
    // How long it lasted, and how often it was seen, the incident itself says.
    const left =
      (this.incident.rule === 'run-failed' || this.incident.rule === 'run-missed') && failed.length > 0
        ? ` Not done yet: ${namesOf(failed)}; run ${failed.length === 1 ? 'it' : 'them'} again, or "sluice backfill" does.`
        : '';
    this.#tell(kind, at, now, `${sentence}${left}`);
  }

  #tell(kind: TransitionKind, at: string, now: number, sentence?: string, n?: number): void {
    const { incident, outgoing } = this.record;
    const id = `${this.#id}/${incident.openedAt}/${kind}${n === undefined ? '' : `/${n}`}`;
    const transition = { id, kind, at, incident, ...(sentence === undefined ? {} : { sentence }) };
    this.#set({
      outgoing: [...outgoing, transition],
      toldAt: now,
      ...(now < this.#silentUntil ? { missed: true } : {}),
    });
  }

  #remindAt({ remindEveryMs }: IncidentPolicy): number | undefined {
    if (!this.#waitsForSomebody) return undefined;
    if (this.record.missed === true) return this.#silentUntil;
    if (remindEveryMs === undefined) return undefined;
    return Math.max(this.record.toldAt + remindEveryMs, this.#silentUntil);
  }

  #escalateAt({ escalateAfterMs }: IncidentPolicy): number | undefined {
    if (!this.#waitsForSomebody || escalateAfterMs === undefined || this.incident.escalatedAt !== undefined)
      return undefined;
    return Math.max(Date.parse(this.incident.openedAt) + escalateAfterMs, this.#silentUntil);
  }

  get #waitsForSomebody(): boolean {
    return this.#record?.incident.state === 'open';
  }

  get #silentUntil(): number {
    return Date.parse(this.incident.silencedUntil ?? '1970-01-01T00:00:00Z');
  }

  #change(change: Partial<Incident>): void {
    this.#set({ incident: { ...this.incident, ...change } });
  }

  #set(change: Partial<IncidentRecord>): void {
    this.#record = { ...this.record, ...change };
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Known already, in this form or a newer one. */
const is =
  (one: Observation) =>
  ({ occurrence, at }: Observation): boolean =>
    occurrence === one.occurrence && at >= one.at;

const critical = ({ severity, openedAs = severity }: Incident): Partial<Incident> =>
  openedAs === 'critical' ? { severity: 'critical' } : { severity: 'critical', openedAs };

const runOf = ({
  workflowId,
  runId,
}: Pick<Incident, 'workflowId' | 'runId'>): Pick<Incident, 'workflowId' | 'runId'> => ({
  ...(workflowId === undefined ? {} : { workflowId }),
  ...(runId === undefined ? {} : { runId }),
});

/** Sorted, each once, the newest. */
function withHour(hours: readonly LogicalHour[], hour: LogicalHour | undefined, most: number): LogicalHour[] {
  return [...new Set([...hours, ...(hour === undefined ? [] : [hour])])].toSorted().slice(-most);
}

function newestHour(one: LogicalHour | undefined, other: LogicalHour | undefined): { newestHour?: LogicalHour } {
  const newest = [one, other]
    .filter((hour) => hour !== undefined)
    .toSorted()
    .at(-1);
  return newest === undefined ? {} : { newestHour: newest };
}

/** Whether a clearing that comes after an observation says that it is over. */
function covers(clearing: Clearing, seen: Observation): boolean {
  if (clearing.at <= seen.at) return false;
  return clearing.hour === undefined || seen.hour === undefined || seen.hour <= clearing.hour;
}

function namesOf(hours: readonly LogicalHour[]): string {
  const named = hours.slice(0, NAMED_HOURS).join(', ');
  return hours.length > NAMED_HOURS ? `${named} and ${hours.length - NAMED_HOURS} more` : named;
}
