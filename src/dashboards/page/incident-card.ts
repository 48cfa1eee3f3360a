import type { Incident } from '../../definition/incidents.ts';
import { timeAgo } from './ages.ts';
import { button, element } from './dom.ts';
import { instant, number } from './format.ts';
import { acts, type Act } from './incident-acts.ts';
import { ruleWords } from './rule-words.ts';
import { hourKey, hourWords, link, state } from './words.ts';

const HOURS = 6;
const texts = { acknowledge: 'Acknowledge', silence: 'Silence', close: 'Close' } as const;

/** What who looks may do: act; or a sentence that says why not. */
export type Allowed = ((act: Act) => void) | string;

/** An incident: what is wrong, since when, who sees to it, and what may be done about it. Sentences may hold what stood in the data: they are texts. */
export function incidentCard(incident: Incident, allowed: Allowed): HTMLElement {
  const { pipeline, rule, subject, severity, sentence, endedAt } = incident;
  const title = `${ruleWords(rule)}${subject === undefined ? '' : `: ${subject}`}`;
  return element(
    'article',
    { class: `card incident ${endedAt === undefined ? severity : 'over'}`, 'aria-label': `${title}, of ${pipeline}` },
    element('h2', {}, title),
    element(
      'p',
      { class: 'standing' },
      element('span', { class: `severity ${severity}` }, severityWords(incident)),
      ' · ',
      state(incident.state),
      ' · ',
      link({ view: 'runs', pipeline }, pipeline),
    ),
    element('p', { class: 'said' }, sentence),
    facts(incident),
    ...(endedAt === undefined ? [actions(title, incident, allowed)] : []),
  );
}

const severityWords = ({ severity, escalatedAt, endedAt }: Incident): string =>
  `${severity === 'critical' ? '▲ critical' : '△ warning'}${escalatedAt !== undefined && endedAt === undefined ? ', escalated' : ''}`;

function facts(incident: Incident): HTMLElement {
  const { openedAt, lastSeenAt, endedAt, occurrences, acknowledged, escalatedAt, facts: said } = incident;
  const rows: (readonly [string, ...(Node | string)[]])[] = [
    ['Since', instant(openedAt), ' (', timeAgo(openedAt), ')'],
    [
      'Seen',
      occurrences === 1 ? 'once' : `${number(occurrences)} times, last `,
      ...(occurrences === 1 ? [] : [timeAgo(lastSeenAt)]),
    ],
    ...hoursOf(incident),
    ...(acknowledged ? [['Acknowledged', acknowledgedWords(acknowledged)] as const] : []),
    ...(escalatedAt === undefined ? [] : [['Escalated', instant(escalatedAt)] as const]),
    ...(isSilent(incident) ? [['Silenced', `until ${instant(incident.silencedUntil ?? '')}`] as const] : []),
    ...(endedAt === undefined
      ? []
      : [
          [
            incident.state === 'closed' ? 'Closed' : 'Recovered',
            instant(endedAt),
            ' (',
            timeAgo(endedAt),
            ')',
          ] as const,
        ]),
    ...said.map(({ name, value }) => [name, value] as const),
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...rows.flatMap(([name, ...value]) => [element('dt', {}, name), element('dd', {}, ...value)]),
  );
}

/** The newest hours that it was seen in, each with the report of its newest run. */
function hoursOf({ pipeline, hours }: Incident): (readonly [string, ...(Node | string)[]])[] {
  if (hours.length === 0) return [];
  const named = hours.slice(-HOURS).toReversed();
  const more = hours.length > HOURS ? [` and ${number(hours.length - HOURS)} before`] : [];
  const links = named.flatMap((hour, at) => [
    ...(at === 0 ? [] : [', ']),
    link({ view: 'run', pipeline, hour: hourKey(hour) }, hourWords(hour)),
  ]);
  return [[hours.length === 1 ? 'Hour' : 'Hours', ...links, ...more]];
}

const acknowledgedWords = ({ by, at, note }: NonNullable<Incident['acknowledged']>): string =>
  `by ${by}, ${instant(at)}${note === undefined ? '' : `: ${note}`}`;

const isSilent = ({ silencedUntil, endedAt }: Incident): boolean =>
  silencedUntil !== undefined && endedAt === undefined && Date.parse(silencedUntil) > Date.now();

function actions(title: string, { pipeline, state: standing }: Incident, allowed: Allowed): HTMLElement {
  if (typeof allowed === 'string') return element('p', { class: 'note' }, allowed);
  const offered = acts.filter((act) => act !== 'acknowledge' || standing === 'open');
  return element(
    'div',
    { class: 'actions' },
    ...offered.map((act) =>
      button(texts[act], () => allowed(act), {
        'data-act': act,
        'aria-label': `${texts[act]}: ${title}, of ${pipeline}`,
      }),
    ),
  );
}
