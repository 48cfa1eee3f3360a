import { countText } from '../../definition/amounts.ts';
import { problemTitle } from '../../definition/incident-clauses.ts';
import type { Fact, Incident, Notice, Severity, Transition, TransitionKind } from '../../definition/incidents.ts';
import { commandsFor, linksFor, type Addresses, type Link, type Todo } from './pointers.ts';
import { oneLine, shortened, timeText, timeSpan } from './wording.ts';

/** What one message says, in whatever form a channel has. All of it is text as it was found: nothing is escaped yet. */
export interface Message {
  readonly pipeline: string;
  /** One line. */
  readonly subject: string;
  /** What it is about, in a few words. */
  readonly heading: string;
  /** What is wrong, or is over, in a sentence or two. */
  readonly lead: string;
  readonly items: readonly MessageItem[];
  /** The worst of those that last; undefined where all of them are over. */
  readonly severity?: Severity;
  /** Why it comes by this channel, where it was meant for another. */
  readonly instead?: string;
}

/** One transition of an incident. */
export interface MessageItem {
  /** The transition's id. */
  readonly transition: string;
  /** When that was. */
  readonly at: string;
  readonly kind: TransitionKind;
  readonly over: boolean;
  readonly severity: Severity;
  readonly title: string;
  readonly sentence: string;
  readonly facts: readonly Fact[];
  readonly links: readonly Link[];
  readonly todo: readonly Todo[];
  readonly incident: Incident;
}

const MOST_HOURS = 6;
const upperFirst = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const words: Readonly<Record<TransitionKind, string>> = {
  opened: '',
  reminder: 'Still open',
  escalated: 'Escalated',
  recovered: 'Recovered',
  closed: 'Closed',
};

/**
 * The message that tells of some transitions of a notice.
 * @param told their ids; those of others are left out
 */
export function messageOf(notice: Notice, told: readonly string[], addresses: Addresses, instead?: string): Message {
  const transitions = notice.transitions.filter(({ id }) => told.includes(id));
  // The worst first: it is what somebody sees of many.
  const items = transitions
    .map((transition) => itemOf(transition, addresses))
    .toSorted((a, b) => weightOf(b) - weightOf(a));
  const lasting = items.filter(({ over }) => !over);
  const severity = lasting.some((item) => item.severity === 'critical') ? 'critical' : lasting[0]?.severity;
  return {
    pipeline: notice.pipeline,
    subject: shortened(oneLine(`Sluice: ${allOf(notice.pipeline, items)}`), 160),
    heading: headingOf(notice.pipeline, items),
    lead: leadOf(notice.pipeline, items),
    items,
    ...(severity === undefined ? {} : { severity }),
    ...(instead === undefined ? {} : { instead }),
  };
}

/** `recovered` and `closed`: nothing is to be done any more. */
export const isOver = (kind: TransitionKind): boolean => kind === 'recovered' || kind === 'closed';

const weightOf = ({ over, severity }: MessageItem): number => (over ? 0 : severity === 'critical' ? 2 : 1);

function itemOf(transition: Transition, addresses: Addresses): MessageItem {
  const { kind, incident, at } = transition;
  const over = isOver(kind);
  return {
    ...{ transition: transition.id, kind, at, over, incident },
    severity: incident.severity,
    title: `${words[kind] === '' ? '' : `${words[kind]}: `}${problemTitle(incident)}`,
    sentence: sentenceFor(transition),
    facts: factsOf(incident, over, at),
    links: linksFor(incident, addresses),
    todo: over ? [] : commandsFor(incident),
  };
}

function sentenceFor({ kind, incident, at, sentence }: Transition): string {
  const lasted = timeSpan(incident.openedAt, incident.endedAt ?? at);
  switch (kind) {
    case 'opened':
      return incident.sentence;
    case 'reminder':
      return `It has lasted for ${lasted}. ${incident.sentence}`;
    case 'escalated':
      return `${sentence ?? `Nobody has acknowledged it for ${lasted}.`} ${incident.sentence}`;
    case 'recovered':
      return `It is over after ${lasted}. ${sentence ?? `It was: ${incident.sentence}`}`;
    case 'closed':
      return `It was closed after ${lasted}. ${sentence ?? `It was: ${incident.sentence}`}`;
  }
}

function factsOf(incident: Incident, over: boolean, at: string): Fact[] {
  const { hours, occurrences, openedAt, lastSeenAt, endedAt, acknowledged } = incident;
  const shown = hours.slice(-MOST_HOURS).map((hour) => hour.slice(0, 13));
  const more = hours.length - shown.length;
  const note = acknowledged?.note === undefined ? '' : `: ${acknowledged.note}`;
  return [
    { name: 'Severity', value: incident.severity },
    ...(shown.length === 0
      ? []
      : [
          {
            name: hours.length === 1 ? 'Hour' : 'Hours',
            value: `${shown.join(', ')}${more > 0 ? ` and ${countText(more)} before` : ''}`,
          },
        ]),
    { name: 'Since', value: `${timeText(openedAt)}` },
    ...(over ? [{ name: 'Until', value: timeText(endedAt ?? at) }] : []),
    {
      name: 'Seen',
      value: occurrences === 1 ? 'once' : `${countText(occurrences)} times, last ${timeText(lastSeenAt)}`,
    },
    ...incident.facts,
    ...(acknowledged
      ? [{ name: 'Acknowledged', value: `by ${acknowledged.by}, ${timeText(acknowledged.at)}${note}` }]
      : []),
    { name: 'Incident', value: incident.id },
  ].map(({ name, value }) => ({ name: upperFirst(oneLine(name)), value: oneLine(value) }));
}

function headingOf(pipeline: string, items: readonly MessageItem[]): string {
  const [first, ...more] = items;
  return first !== undefined && more.length === 0 ? first.title : `${pipeline}: ${countsOf(items)}`;
}

/** Names all of them. */
function allOf(pipeline: string, items: readonly MessageItem[]): string {
  const heading = headingOf(pipeline, items);
  if (items.length < 2) return heading;
  return `${heading}: ${items.map(({ title }) => title.replace(`${pipeline}: `, '')).join('; ')}`;
}

function leadOf(pipeline: string, items: readonly MessageItem[]): string {
  const [first, ...more] = items;
  const sentence = first !== undefined && more.length === 0 ? ` ${first.sentence}` : '';
  return `${allOf(pipeline, items)}.${sentence}`;
}

/** `3 problems, 1 over` */
function countsOf(items: readonly MessageItem[]): string {
  const over = items.filter((item) => item.over).length;
  const lasting = items.length - over;
  return [
    ...(lasting > 0 ? [`${lasting} ${lasting === 1 ? 'problem' : 'problems'}`] : []),
    ...(over > 0 ? [`${over} over`] : []),
  ].join(', ');
}
