import { userInfo } from 'node:os';
import type { Incident } from '../../definition/incidents.ts';
import type { Incidents } from '../incidents.ts';
import { writtenName } from './pipelines.ts';
import { boldOut, count, styled } from './screen.ts';
import { withClient } from './with-client.ts';

interface Flags {
  readonly json?: boolean;
}

export interface ListFlags extends Flags {
  readonly pipeline?: string;
  readonly all: boolean;
  readonly limit: number;
}

interface WordFlags extends Flags {
  readonly by?: string;
}

export interface AckFlags extends WordFlags {
  readonly note?: string;
}

export interface SilenceFlags extends WordFlags {
  readonly until?: string;
  /** Milliseconds. */
  readonly for?: number;
}

export interface CloseFlags extends WordFlags {
  readonly reason: string;
}

/** `sluice incidents list`. @returns 1 where one is open */
export async function list({ pipeline, all, limit, json }: ListFlags): Promise<number> {
  const name = pipeline === undefined ? {} : { pipeline: await writtenName(pipeline) };
  const found = await withIncidents((incidents) => incidents.list({ ...name, all, limit }));
  if (json) process.stdout.write(`${JSON.stringify({ incidents: found })}\n`);
  else if (found.length === 0) process.stdout.write(`No incident ${all ? 'is known' : 'is open'}.\n`);
  else process.stdout.write(`${found.flatMap(listLines).join('\n')}\n`);
  return found.some(({ endedAt }) => endedAt === undefined) ? 1 : 0;
}

/** `sluice incidents show`. */
export async function show(id: string, { json }: Flags): Promise<number> {
  print(json, await withIncidents((incidents) => incidents.get(id)));
  return 0;
}

/** `sluice incidents ack`. */
export async function acknowledge(id: string, { by = whoever(), note, json }: AckFlags): Promise<number> {
  const given = { by, ...(note === undefined ? {} : { note }) };
  print(json, await withIncidents((incidents) => incidents.acknowledge(id, given)));
  return 0;
}

/** `sluice incidents silence`. */
export async function silence(id: string, { by = whoever(), until, for: ms = 0, json }: SilenceFlags): Promise<number> {
  const given = { by, until: until ?? new Date(Date.now() + ms).toISOString() };
  print(json, await withIncidents((incidents) => incidents.silence(id, given)));
  return 0;
}

/** `sluice incidents close`. */
export async function close(id: string, { by = whoever(), reason, json }: CloseFlags): Promise<number> {
  print(json, await withIncidents((incidents) => incidents.close(id, { by, reason })));
  return 0;
}

const withIncidents = <T>(work: (incidents: Incidents) => Promise<T>): Promise<T> =>
  withClient(({ incidents }) => work(incidents));

/** Where the system knows no name, as for a user of a container, its number. */
function whoever(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

function print(json: boolean | undefined, incident: Incident): void {
  process.stdout.write(`${json ? JSON.stringify(incident) : incidentLines(incident).join('\n')}\n`);
}

/** An incident in the list: how it stands and what it is. */
export function listLines(incident: Incident): string[] {
  return [`${boldOut(incident.id)}  ${standingOf(incident)}`, `  ${incident.sentence}`];
}

/** `critical, open since 2026-11-24T03:00:00Z, seen 11 times`. */
function standingOf({ severity, state, openedAt, endedAt, occurrences, silencedUntil }: Incident): string {
  const since = endedAt === undefined ? `since ${second(openedAt)}` : `${second(openedAt)} to ${second(endedAt)}`;
  const silent = silencedUntil !== undefined && endedAt === undefined && Date.parse(silencedUntil) > Date.now();
  const words = [
    severity === 'critical' && endedAt === undefined ? styled('red', severity, process.stdout) : severity,
    `${state} ${since}`,
    occurrences === 1 ? 'seen once' : `seen ${count(occurrences)} times`,
    ...(silent ? [`silenced until ${second(silencedUntil)}`] : []),
  ];
  return words.join(', ');
}

/** All that is known of an incident. */
export function incidentLines(incident: Incident): string[] {
  const { sentence, lastSeenAt, hours, facts, acknowledged, escalatedAt, workflowId, runId } = incident;
  const rows: (readonly [string, string])[] = [
    ['last seen', second(lastSeenAt)],
    ...(hours.length === 0 ? [] : [['hours', hoursText(hours)] as const]),
    ...(escalatedAt === undefined ? [] : [['escalated', second(escalatedAt)] as const]),
    ...(acknowledged ? [['acknowledged', ackText(acknowledged)] as const] : []),
    ...(workflowId === undefined
      ? []
      : [['workflow', `${workflowId}${runId === undefined ? '' : ` (${runId})`}`] as const]),
    ...facts.map(({ name, value }) => [name, value] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${boldOut(incident.id)}  ${standingOf(incident)}`,
    `  ${sentence}`,
    ...rows.map(([name, value]) => `  ${styled('dim', name.padEnd(width), process.stdout)}  ${value}`),
  ];
}

const NAMED_HOURS = 6;

function hoursText(hours: Incident['hours']): string {
  const named = hours.slice(-NAMED_HOURS).join(', ');
  return hours.length > NAMED_HOURS ? `… ${named} (${count(hours.length)})` : named;
}

const ackText = ({ by, at, note }: NonNullable<Incident['acknowledged']>): string =>
  `by ${by}, ${second(at)}${note === undefined ? '' : `: ${note}`}`;

const second = (at: string): string => at.replace(/\.\d+Z$/, 'Z');
