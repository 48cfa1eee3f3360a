import { LONGEST_WAIT_MS } from '../definition/alert-waits.ts';
import { durationMs } from '../definition/duration.ts';
import { SluiceError } from '../definition/errors.ts';
import { toLogicalHour } from '../definition/hour.ts';
import {
  incidentRules,
  severities,
  transitions,
  type Clearing,
  type Fact,
  type Observation,
} from '../definition/incidents.ts';
import { isObject } from '../definition/is-object.ts';
import { ids } from '../definition/names.ts';

/** What people write who start a workflow, signal it or update it by hand. Each answers with the sentence that says what is wrong; undefined where nothing is. */

const DAY_MS = 86_400_000;
/** What is silenced for longer is forgotten. */
const LONGEST_SILENCE_DAYS = 366;
const MOST_TEXT = 500;
const MOST_SENTENCE = 2_000;
const MOST_FACTS = 30;

type Given = Readonly<Record<string, unknown>>;

const membersOf = (given: unknown): Given => (typeof given === 'object' && given !== null ? (given as Given) : {});

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isInstant = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) && !Number.isNaN(Date.parse(value));
const isHour = (value: unknown): boolean => {
  try {
    return typeof value === 'string' && toLogicalHour(value) === value;
  } catch (error) {
    if (error instanceof SluiceError) return false;
    throw error;
  }
};
const isLeftOutOr = (value: unknown, check: (value: unknown) => boolean): boolean =>
  value === undefined || value === null || check(value);
const isFact = (fact: unknown): fact is Fact =>
  isText(membersOf(fact)['name']) && typeof membersOf(fact)['value'] === 'string';

/** @param id of the incident that it is told to */
export function wrongObservation(given: unknown, id: string): string | undefined {
  const seen = membersOf(given);
  const wrong = [
    ...problemMembers(seen),
    ...(severities.some((one) => one === seen['severity']) ? [] : ['severity']),
    ...(isText(seen['sentence']) ? [] : ['sentence']),
    ...(Array.isArray(seen['facts']) && seen['facts'].every(isFact) ? [] : ['facts']),
    ...(isText(seen['occurrence']) ? [] : ['occurrence']),
    ...timeMembers(seen),
    ...['workflowId', 'runId'].filter((name) => !isLeftOutOr(seen[name], isText)),
  ];
  if (wrong.length > 0) return `An observation needs ${wrong.join(', ')}, which ${areMissing(wrong)} or wrong.`;
  const { pipeline, rule, subject } = given as Observation;
  const own = ids.incident(pipeline, rule, subject);
  return own === id ? undefined : `This is ${id}, and the observation belongs to ${own}.`;
}

/** As it is kept: times in one form, so that they compare as texts do, and nothing longer than anybody reads. */
export function takenObservation(seen: Observation): Observation {
  const { subject, hour, workflowId, runId, facts, ...rest } = seen;
  return {
    ...rest,
    sentence: clipped(seen.sentence, MOST_SENTENCE),
    facts: facts.slice(0, MOST_FACTS).map(({ name, value }) => ({ name, value: clipped(value, MOST_TEXT) })),
    at: instantOf(seen.at),
    ...definedOf({ subject, hour, workflowId, runId }),
  };
}

export function takenClearing({ subject, hour, ...rest }: Clearing): Clearing {
  return { ...rest, at: instantOf(rest.at), ...definedOf({ subject, hour }) };
}

const instantOf = (at: string): string => new Date(at).toISOString();
const clipped = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const definedOf = <T extends object>(members: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;

/** @param id of the incident that it is told to; left out where it is told to whoever knows them all */
export function wrongClearing(given: unknown, id?: string): string | undefined {
  const cleared = membersOf(given);
  const wrong = [
    ...problemMembers(cleared),
    ...(isText(cleared['sentence']) ? [] : ['sentence']),
    ...timeMembers(cleared),
  ];
  if (wrong.length > 0) return `A clearing needs ${wrong.join(', ')}, which ${areMissing(wrong)} or wrong.`;
  return id === undefined || isAbout(given as Clearing, id) ? undefined : `The clearing is not about ${id}.`;
}

/** @param pipeline whose transitions are heeded */
export function wrongTransition(given: unknown, pipeline: string): string | undefined {
  const { id, kind, at, incident } = membersOf(given);
  const told = membersOf(incident);
  const wrong = [
    ...(isText(id) ? [] : ['id']),
    ...(transitions.some((one) => one === kind) ? [] : ['kind']),
    ...(isInstant(at) ? [] : ['at']),
    ...(isText(told['id']) && told['pipeline'] === pipeline ? problemMembers(told) : ['incident']),
    ...['openedAt', 'lastSeenAt'].filter((name) => !isInstant(told[name])),
  ];
  if (wrong.length === 0) return undefined;
  return `A transition of an incident of ${pipeline} needs ${wrong.join(', ')}, which ${areMissing(wrong)} or wrong.`;
}

export function wrongFollowed(given: unknown, pipeline: string): string | undefined {
  const prefix = ids.incident(pipeline, '');
  const fits = (one: unknown): boolean => {
    const { id, at } = membersOf(one);
    return typeof id === 'string' && id.startsWith(prefix) && isInstant(at);
  };
  if (Array.isArray(given) && given.every(fits)) return undefined;
  return `What is followed is a list of {"id": "${prefix}…", "at": "2026-11-24T18:00:00Z"}.`;
}

/**
 * Of whom a pipeline's definition tells, what the workflows read. A definition that was accepted has all of it in order; an error in here would stop a
 * workflow for good.
 */
export function wrongAlerts(given: unknown): string | undefined {
  if (!isObject(given)) return 'Alerts are an object, as in a definition.';
  const { channels, routes, policy } = given as Given;
  const { group, remindEvery, escalateAfter, escalateTo } = membersOf(policy);
  const wrong = [
    ...['email', 'slack', 'webhook'].filter((name) => !isLeftOutOr((given as Given)[name], isObject)),
    ...(isLeftOutOr(channels, (all) => isObject(all) && Object.values(all).every(isObject)) ? [] : ['channels']),
    ...(isLeftOutOr(routes, (all) => Array.isArray(all) && all.every(isRoute)) ? [] : ['routes']),
    ...(isLeftOutOr(policy, isObject) ? [] : ['policy']),
    ...(group === undefined || isDuration(group) ? [] : ['policy.group']),
    ...(remindEvery === undefined || remindEvery === 'never' || isDuration(remindEvery) ? [] : ['policy.remindEvery']),
    ...(escalateAfter === undefined || isDuration(escalateAfter) ? [] : ['policy.escalateAfter']),
    ...(isLeftOutOr(escalateTo, areTexts) ? [] : ['policy.escalateTo']),
  ];
  return wrong.length === 0 ? undefined : `Alerts have ${wrong.join(', ')}, which ${areWrong(wrong)}.`;
}

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
/** What is longer is no time that anybody waits for, and no date. */
const isDuration = (value: unknown): boolean =>
  typeof value === 'string' && /^\d+(ms|s|m|h|d)$/.test(value) && durationMs(value) <= LONGEST_WAIT_MS;

function isRoute(given: unknown): boolean {
  const { to, when } = membersOf(given);
  if (!areTexts(to) || !isLeftOutOr(when, isObject)) return false;
  const { rule, hours, days, zone } = membersOf(when);
  const fits = [
    rule === undefined || areTexts(rule),
    hours === undefined || isText(hours),
    days === undefined || isText(days) || areTexts(days),
    zone === undefined || isText(zone),
  ];
  return fits.every(Boolean);
}

/** Whether a clearing is about an incident: of the same problem, or, where it names no subject, of the same rule. */
export function isAbout({ pipeline, rule, subject }: Clearing, id: string): boolean {
  const own = ids.incident(pipeline, rule, subject);
  return id === own || (subject === undefined && id.startsWith(`${own}/`));
}

export function wrongAcknowledgement(given: unknown): string | undefined {
  const { by, note, openedAt } = membersOf(given);
  return (
    wrongBy(by, 'acknowledge', '{"by": "who", "note": "what is being done"}') ??
    wrongWords('note', note, false) ??
    wrongOpening(openedAt)
  );
}

/** @param now in milliseconds */
export function wrongSilencing(given: unknown, now: number): string | undefined {
  const { by, until, openedAt } = membersOf(given);
  const form = '{"by": "who", "until": "2026-11-24T18:00:00Z"}';
  const who = wrongBy(by, 'silence', form);
  if (who !== undefined) return who;
  if (until === undefined || until === null) return `silence needs "until", an end: ${form}.`;
  if (!isInstant(until)) return `${JSON.stringify(until)} is no instant: write "until" like 2026-11-24T18:00:00Z.`;
  const ms = Date.parse(until) - now;
  if (ms <= 0) return `${until} is over already: a silence ends in the future.`;
  if (ms > LONGEST_SILENCE_DAYS * DAY_MS)
    return `${until} is more than a year away: a silence of that length is forgotten, so take a nearer end.`;
  return wrongOpening(openedAt);
}

export function wrongClosing(given: unknown): string | undefined {
  const { by, reason, openedAt } = membersOf(given);
  return (
    wrongBy(by, 'close', '{"by": "who", "reason": "why"}') ??
    wrongWords('reason', reason, true) ??
    wrongOpening(openedAt)
  );
}

/** Whether another incident of the problem is meant than the one that is open. @param own when that one opened */
export function meansAnother(given: unknown, own: string): string | undefined {
  const { openedAt } = membersOf(given);
  if (!isInstant(openedAt) || Date.parse(openedAt) === Date.parse(own)) return undefined;
  return `The incident that opened at ${openedAt} is over, and another of the same problem is open since ${own}: look at that one first.`;
}

function wrongOpening(openedAt: unknown): string | undefined {
  return isLeftOutOr(openedAt, isInstant)
    ? undefined
    : `${JSON.stringify(openedAt)} is no instant: "openedAt" is when the incident opened, as it says itself.`;
}

function wrongBy(by: unknown, word: string, form: string): string | undefined {
  if (by === undefined || by === null) return `${word} needs "by", who does it: ${form}.`;
  return wrongWords('by', by, true);
}

function wrongWords(name: string, value: unknown, needed: boolean): string | undefined {
  if (!needed && (value === undefined || value === null)) return undefined;
  if (!isText(value)) return `"${name}" must be a text that is not empty.`;
  return value.length > MOST_TEXT ? `"${name}" has ${value.length} characters; ${MOST_TEXT} are allowed.` : undefined;
}

const problemMembers = ({ pipeline, rule, subject }: Given): string[] => [
  ...(isText(pipeline) ? [] : ['pipeline']),
  ...(incidentRules.some((one) => one === rule) ? [] : ['rule']),
  ...(isLeftOutOr(subject, isText) ? [] : ['subject']),
];

const timeMembers = ({ at, hour }: Given): string[] => [
  ...(isInstant(at) ? [] : ['at']),
  ...(isLeftOutOr(hour, isHour) ? [] : ['hour']),
];

const areWrong = (members: readonly string[]): string => (members.length === 1 ? 'is wrong' : 'are wrong');
const areMissing = (members: readonly string[]): string => (members.length === 1 ? 'is missing' : 'are missing');
