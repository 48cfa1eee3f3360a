import { KibanaConnector, type ImportAnswer } from '../../connectors/kibana.ts';
import { readSettings } from '../../connectors/settings.ts';
import { ids, nameOf, ndjson, type SavedObject } from '../../dashboards/kibana/saved-object.ts';
import { soundlyBuilt, type DashboardFlags } from './dashboards.ts';
import { Screen, styled } from './screen.ts';

export interface ApplyFlags extends DashboardFlags {
  /** Seconds. */
  readonly wait: number;
}

/** What became of an object. */
interface Imported {
  readonly type: string;
  readonly id: string;
  /** Unwritten: nothing is wrong with it, and Kibana wrote none of them because of another. */
  readonly outcome: 'created' | 'replaced' | 'refused' | 'unwritten';
  /** Why it was refused or not written, or under which other id it stands. */
  readonly note?: string;
}

/** `sluice dashboards apply`. @returns 1 where Kibana did not take all of it */
export async function apply({ pipeline, wait, json }: ApplyFlags): Promise<number> {
  const { dashboards, objects } = await soundlyBuilt(pipeline);
  const kibana = new KibanaConnector(readSettings(process.env).kibana);
  const screen = new Screen();
  let said: string | undefined;
  await kibana.ready(wait * 1000, (sentence) => {
    if (sentence !== said) screen.say(`${sentence} It is waited for.`);
    said = sentence;
  });
  const answer = await kibana.import(ndjson(objects));
  const imported = objects.map((object) => outcomeOf(object, answer));
  const taken = answer.success && imported.every(({ outcome }) => outcome === 'created' || outcome === 'replaced');
  const links = taken ? dashboards.map((dashboard) => kibana.link(standingId(ids.dashboard(dashboard), answer))) : [];
  if (json) process.stdout.write(`${JSON.stringify({ success: taken, objects: imported, links })}\n`);
  else {
    process.stdout.write(`${imported.map(importedLine).join('\n')}\n`);
    process.stdout.write(taken ? `${links.join('\n')}\n` : `${notTaken(answer)}\n`);
  }
  return taken ? 0 : 1;
}

/**
 * With one of these Kibana writes no object at all, and still names the others as successes. A `conflict` is none of them: where it may write
 * over what is there, it comes of the writing itself, which goes on with the others.
 * Source: create_saved_objects.ts, check_conflicts.ts and check_origin_conflicts.ts of Kibana 9.
 */
const stopsAll: ReadonlySet<string> = new Set(['missing_references', 'ambiguous_conflict']);

const wroteNothing = ({ errors }: ImportAnswer): boolean => errors.some(({ error }) => stopsAll.has(error.type));

const notTaken = (answer: ImportAnswer): string =>
  wroteNothing(answer)
    ? 'Kibana wrote nothing: what stood there before stands as it was.'
    : 'Kibana did not take all of it; what it took stands there.';

function outcomeOf({ type, id }: SavedObject, answer: ImportAnswer): Imported {
  const { successResults, errors, success } = answer;
  const same = (one: { type: string; id: string }): boolean => one.type === type && one.id === id;
  const failed = errors.find(same);
  if (failed) return { type, id, outcome: 'refused', note: reasonOf(failed.error) };
  if (wroteNothing(answer)) return { type, id, outcome: 'unwritten', note: 'others were refused' };
  const result = successResults.find(same);
  if (result === undefined) {
    return { type, id, outcome: 'refused', note: success ? 'Kibana does not say what became of it' : 'others failed' };
  }
  const elsewhere = result.destinationId;
  return {
    ...{ type, id, outcome: result.overwrite === true ? 'replaced' : 'created' },
    ...(elsewhere === undefined ? {} : { note: `as ${elsewhere}, since another space of this Kibana has its id` }),
  };
}

function reasonOf({ type, message, references = [] }: ImportAnswer['errors'][number]['error']): string {
  switch (type) {
    case 'missing_references':
      return `what it refers to is not there: ${references.map(nameOf).join(', ') || 'Kibana does not say what'}`;
    case 'unsupported_type':
      return 'this Kibana knows no such objects, or the key may not write them';
    case 'conflict':
    case 'ambiguous_conflict':
      return 'another object of this Kibana stands in its way, maybe in another space: remove that one, or use its space';
    default:
      return message ?? `Kibana calls it ${type}`;
  }
}

const standingId = (id: string, { successResults }: ImportAnswer): string =>
  successResults.find((one) => one.type === 'dashboard' && one.id === id)?.destinationId ?? id;

function importedLine({ type, id, outcome, note }: Imported): string {
  const word = outcome.padEnd(9);
  const taken = outcome === 'created' || outcome === 'replaced';
  const colored = taken ? word : styled('red', word, process.stdout);
  return `${colored} ${type.padEnd(14)} ${id}${note === undefined ? '' : `: ${note}`}`;
}
