import { html, Markup } from '../../formats/markup.ts';
import { duration } from '../metric-text.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { anomaliesSection } from './anomalies.ts';
import { rejectedSection, rowsSection } from './rows.ts';
import {
  errorSection,
  identitySection,
  notesSection,
  qualitySection,
  sourceSection,
  stagesSection,
} from './sections.ts';
import { serversSection } from './servers.ts';
import { sparkSection } from './spark.ts';
import { STYLE } from './style.ts';
import { clipped, instant, section } from './tables.ts';
import { timingSection } from './timing.ts';

/** A panel as it stands on the page. SVGs come from our own renderer, and stand as they are. */
export type Figure =
  | { readonly title: string; readonly question: string; readonly svg: string; readonly broad: boolean }
  | { readonly title: string; readonly question: string; readonly text: string; readonly of: string }
  | { readonly title: string; readonly question: string; readonly failed: string };

/** What the run's data looks like, and the titles of what is left out: as too large, or as it took too long. */
export interface DrawnPanels {
  readonly figures: readonly Figure[];
  readonly leftOut?: readonly string[];
  readonly tooSlow?: readonly string[];
}

/** That, or a sentence that says why it is not to be seen. */
export type Panels = DrawnPanels | { readonly missing: string };

export interface PageParts {
  readonly report: ReportOnPage;
  /** When the page was made. */
  readonly madeAt: Date;
  /** The run's page in Temporal's Web UI, where it is known. */
  readonly webUi?: string;
  /** Where traces are looked at: `SLUICE_TRACE_URL`. */
  readonly traceUrl?: string;
  /** The stages as an SVG. */
  readonly chart?: string;
  /** Left out where nobody looked for them. */
  readonly panels?: Panels;
}

/** Nothing is loaded and nothing is run: the page is all there is. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A run as one HTML page that needs nothing else: no server, no script, no font, no other file. Whatever stands in a report is text in it. */
export function runPage({ report, madeAt, webUi, traceUrl, chart, panels }: PageParts): string {
  const { pipeline, hour } = report;
  const title = `${pipeline}, ${hour.slice(0, 10)} ${hour.slice(11, 16)} UTC: ${outcomeWords(report)}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${pipeline}, ${hour.slice(0, 10)} ${hour.slice(11, 16)} UTC</h1>
          <p><span class="outcome ${outcomeClass(report)}">${outcomeWords(report)}</span> ${times(report, madeAt)}</p>
        </header>
        <main>
          ${errorSection(report)} ${rowsSection(report)} ${rejectedSection(report)} ${qualitySection(report)}
          ${anomaliesSection(report)} ${stagesSection(report, chart)} ${timingSection(report)} ${sparkSection(report)}
          ${notesSection(report)} ${serversSection(report)} ${panels === undefined ? '' : panelsSection(panels, report)}
          ${sourceSection(report)} ${identitySection(report, webUi, traceUrl)}
        </main>
        <footer>
          <p>
            Made by Sluice on ${instant(madeAt.toISOString())} from the report of run
            ${report.runId}.${report.outcome === undefined ? ' The run was on its way: this is how it stood.' : ''}
          </p>
        </footer>
      </body>
    </html> `;
  return page.text;
}

function outcomeWords({ outcome, error }: ReportOnPage): string {
  if (outcome === 'failed') return `failed${error === undefined ? '' : ` in ${error.stage}`}`;
  if (outcome === undefined) return error?.code === 'DeadlineNear' ? 'late' : 'running';
  return outcome;
}

function outcomeClass({ outcome }: ReportOnPage): string {
  if (outcome === 'completed' || outcome === 'unchanged') return 'good';
  return outcome === undefined ? 'warn' : 'bad';
}

function times({ startedAt, endedAt, stages }: ReportOnPage, madeAt: Date): Markup {
  const begin = startedAt ?? stages[0]?.startedAt;
  if (begin === undefined) return html``;
  const took = duration(
    Math.max(0, (endedAt === undefined ? madeAt.getTime() : Date.parse(endedAt)) - Date.parse(begin)),
  );
  const sameDay = endedAt !== undefined && endedAt.slice(0, 10) === begin.slice(0, 10);
  const from = sameDay ? instant(begin).replace(' UTC', '') : instant(begin);
  return endedAt === undefined
    ? html`for ${took}, since ${instant(begin)}`
    : html`in ${took}, from ${from} to ${sameDay ? `${endedAt.slice(11, 19)} UTC` : instant(endedAt)}`;
}

function panelsSection(panels: Panels, { pipeline, hour }: ReportOnPage): Markup {
  if ('missing' in panels) return section('data', 'The data of this hour', html`<p>${panels.missing}</p>`);
  const tiles = panels.figures.filter((figure) => 'text' in figure);
  const charts = panels.figures.filter((figure) => 'svg' in figure || 'failed' in figure);
  const { leftOut = [], tooSlow = [] } = panels;
  const whole = html`<code>sluice report ${hour.slice(0, 13)} --html --pipeline ${pipeline}</code> makes it whole.`;
  return section(
    'data',
    'The data of this hour',
    tiles.length === 0
      ? ''
      : html`<div class="tiles">
          ${tiles.map(
            ({ title, question, text, of }) =>
              html`<div class="tile" title="${question}">
                <h3 class="quiet">${title}</h3>
                <b>${text}</b><span class="quiet">${of}</span>
              </div>`,
          )}
        </div>`,
    html`<div class="panels">
      ${charts.map(
        (chart) =>
          html`<figure class="${'svg' in chart && chart.broad ? 'broad' : ''}">
            <figcaption>
              <h3>${chart.title}</h3>
              <span class="quiet">${chart.question}</span>
            </figcaption>
            ${'svg' in chart ? new Markup(chart.svg) : html`<p>${clipped(chart.failed)}</p>`}
          </figure>`,
      )}
    </div>`,
    leftOut.length === 0
      ? ''
      : html`<p>Left out, as the page would be too large with them: ${leftOut.join(', ')}. ${whole}</p>`,
    tooSlow.length === 0
      ? ''
      : html`<p>Left out, as Elasticsearch took too long for them: ${tooSlow.join(', ')}. ${whole}</p>`,
  );
}
