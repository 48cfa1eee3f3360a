import type { RunReport } from '../../stages/run-report.ts';
import { element } from './dom.ts';
import { counted, number } from './format.ts';
import { ruleWords } from './rule-words.ts';

/** What was found about a run beside its rows and times. */
type Found = Pick<RunReport, 'anomalies' | 'watched' | 'servers'>;

/** What the monitors found odd, with the numbers; undefined where they did not look. */
export function oddOf({ anomalies = [], watched }: Found): HTMLElement | undefined {
  if (watched === undefined && anomalies.length === 0) return undefined;
  const items = anomalies.map(({ rule, subject, severity, sentence, muted, facts = [] }) =>
    element(
      'li',
      {},
      element(
        'p',
        {},
        element('span', { class: `severity ${severity}` }, severity === 'critical' ? '▲ critical' : '△ warning'),
        muted ? ' (muted) ' : ' ',
        element('b', {}, `${ruleWords(rule)}${subject === undefined ? '' : `: ${subject}`}`),
      ),
      element('p', {}, sentence),
      ...(facts.length === 0
        ? []
        : [element('p', { class: 'note' }, facts.map(({ name, value }) => `${name}: ${value}`).join(' · '))]),
    ),
  );
  return element(
    'div',
    {},
    items.length === 0
      ? element('p', { class: 'holds' }, '✓ Nothing is odd.')
      : element('ul', { class: 'findings' }, ...items),
    ...(watched === undefined ? [] : [element('p', { class: 'note' }, watchedWords(watched))]),
  );
}

function watchedWords({ judged, learning, runs }: NonNullable<Found['watched']>): string {
  const still = learning === 0 ? '' : `; of ${number(learning)} not enough is known yet`;
  return `${number(judged)} series judged by ${counted(runs, 'earlier run')}${still}.`;
}

/** What servers warned of while the run was on its way, whoever caused it; undefined where there is nothing. */
export function serversOf({ servers = [] }: Found): HTMLElement | undefined {
  if (servers.length === 0) return undefined;
  const items = servers.flatMap(({ server, lines }) =>
    lines.map(({ at, level, text }) =>
      element(
        'li',
        {},
        element(
          'span',
          { class: level === 'error' ? 'broken' : 'severity warning' },
          level === 'error' ? '✗ error' : '! warn',
        ),
        ` ${server}, ${at.slice(11, 23)} UTC: `,
        element('span', { class: 'raw' }, text),
      ),
    ),
  );
  const left = servers.filter((one) => one.left > 0).map((one) => `${number(one.left)} of ${one.server}`);
  return element(
    'div',
    {},
    element('ul', { class: 'findings' }, ...items),
    ...(left.length === 0 ? [] : [element('p', { class: 'note' }, `Left out: ${left.join(', ')}.`)]),
  );
}
