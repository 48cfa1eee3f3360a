import { html, type Markup } from '../../formats/markup.ts';
import type { Anomaly } from '../../stages/run-report.ts';
import { ruleWords } from '../page/rule-words.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { clipped, count, section, table } from './tables.ts';

const MOST = 50;

/** What the monitors found odd, with the numbers; or that they found nothing. Nothing where they did not look. */
export function anomaliesSection({ anomalies = [], watched }: ReportOnPage): Markup | undefined {
  if (watched === undefined && anomalies.length === 0) return undefined;
  const columns = ['what', 'how bad', 'found', 'usual', 'off by', 'in a sentence'].map((title) => ({ title }));
  return section(
    'odd',
    'What is odd',
    anomalies.length === 0
      ? html`<p class="good">✓ Nothing is odd.</p>`
      : table('What is otherwise than in the runs before', columns, anomalies.slice(0, MOST).map(row)),
    watched === undefined ? '' : html`<p class="quiet">${watchedWords(watched)}</p>`,
  );
}

function row({ rule, subject, severity, sentence, muted, facts = [] }: Anomaly): (Markup | string)[] {
  const fact = (name: string): string => clipped(facts.find((one) => one.name === name)?.value ?? '–', 200);
  const bad =
    severity === 'critical' ? html`<span class="bad">▲ critical</span>` : html`<span class="warn">△ warning</span>`;
  return [
    `${ruleWords(rule)}${subject === undefined ? '' : `: ${clipped(subject, 200)}`}`,
    muted ? html`${bad} (muted)` : bad,
    ...['found', 'usual', 'off by'].map(fact),
    clipped(sentence),
  ];
}

/** What it rests on: `56 series judged by 672 earlier runs; of 3 not enough is known yet.` */
function watchedWords({ judged, learning, runs }: NonNullable<ReportOnPage['watched']>): string {
  const still = learning === 0 ? '' : `; of ${count(learning)} not enough is known yet`;
  return `${count(judged)} series judged by ${count(runs)} earlier runs${still}.`;
}
