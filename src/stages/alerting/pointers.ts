import type { ErrorCode } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import { hourOfIncident, type Incident, type IncidentRule } from '../../definition/incidents.ts';
import { hasLogin, webUiOf, webUiPage } from '../../definition/web-ui.ts';

/** Where people look things up. */
export interface Addresses {
  /** Temporal's Web UI, as `webUiOf` takes it. */
  readonly temporalUi?: string;
  readonly namespace: string;
  /** The HTTP API's own address for people. */
  readonly apiUrl?: string;
}

export interface Link {
  readonly text: string;
  readonly url: string;
}

/** Something to do, and the command that does it. */
export interface Todo {
  readonly what: string;
  readonly command: string;
}

/** Links to the run and to the page of it, as far as somebody said where those are. */
export function linksFor(incident: Incident, addresses: Addresses): Link[] {
  const { pipeline, workflowId, runId } = incident;
  const ui = webUi(addresses.temporalUi);
  const hour = hourOfIncident(incident);
  const page = apiPage(
    addresses.apiUrl,
    hour === undefined ? { view: 'runs', pipeline } : { view: 'run', pipeline, hour, ...(runId ? { run: runId } : {}) },
  );
  return [
    ...(page === undefined ? [] : [{ text: hour === undefined ? 'Runs' : 'Run and its data', url: page }]),
    ...(ui === undefined || workflowId === undefined
      ? []
      : [{ text: 'Temporal Web UI', url: webUiPage(ui, addresses.namespace, workflowId, runId) }]),
  ];
}

function webUi(given: string | undefined): string | undefined {
  try {
    return webUiOf(given);
  } catch {
    return undefined;
  }
}

function apiPage(given: string | undefined, query: Readonly<Record<string, string>>): string | undefined {
  const url = given === undefined || hasLogin(given) ? null : URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  return `${url.href.replace(/\/+$/, '')}/dashboard?${new URLSearchParams(query).toString()}`;
}

const looks: Partial<Readonly<Record<IncidentRule, (incident: Incident) => Todo>>> = {
  'consumer-halted': ({ pipeline }) => ({ what: 'Consumers', command: `sluice status ${pipeline}` }),
  'consumer-stuck': ({ pipeline }) => ({ what: 'Consumers', command: `sluice status ${pipeline}` }),
  lag: ({ pipeline }) => ({ what: 'Consumers', command: `sluice status ${pipeline}` }),
  'run-missed': ({ pipeline }) => ({ what: 'Schedule', command: `sluice schedule describe ${pipeline}` }),
  'schedule-paused': ({ pipeline }) => ({ what: 'Schedule', command: `sluice schedule resume ${pipeline}` }),
  'worker-gone': () => ({ what: 'Servers', command: 'sluice check' }),
  'index-stale': () => ({ what: 'Servers', command: 'sluice check' }),
  'temporal-gone': () => ({ what: 'Servers', command: 'sluice check' }),
};

/** Errors of a run that say that a server of ours is away. */
const serversAway: readonly (string | undefined)[] = [
  'KafkaUnavailable',
  'ZooKeeperUnavailable',
  'StoreUnavailable',
  'ElasticsearchUnavailable',
  'SparkUnavailable',
] satisfies ErrorCode[];

/** What somebody who reads it can do, the first thing first. */
export function commandsFor(incident: Incident): Todo[] {
  const { pipeline, rule, subject } = incident;
  if (rule === 'test') return [];
  const hour = hourOfIncident(incident);
  const report = hour && {
    what: 'What happened',
    command: `sluice run report ${hourKey(hour)} --pipeline ${pipeline}`,
  };
  const look = looks[rule]?.(incident) ?? (report || undefined);
  const id = shellWord(incident.id);
  // Where Temporal is away there is no incident that anybody could steer.
  if (rule === 'temporal-gone') return look ? [look] : [];
  return [
    ...(look ? [look] : []),
    ...(rule === 'run-failed' && serversAway.includes(subject) ? [{ what: 'Servers', command: 'sluice check' }] : []),
    ...(incident.acknowledged ? [] : [{ what: 'I see to it', command: `sluice incidents ack ${id}` }]),
    { what: 'Not now', command: `sluice incidents silence ${id} --for 8h` },
  ];
}

/** A text as one word of a shell. */
function shellWord(text: string): string {
  return /^[\w./%:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
