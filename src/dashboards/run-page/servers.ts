import { html, type Markup } from '../../formats/markup.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { clipped, count, section, table } from './tables.ts';

const MOST = 20;

/** What servers warned of while the run was on its way, whoever caused it. */
export function serversSection({ servers = [] }: ReportOnPage): Markup | undefined {
  if (servers.length === 0) return undefined;
  const columns = [{ title: 'at (UTC)' }, { title: 'level' }, { title: 'said' }];
  return section(
    'servers',
    'What servers warned of meanwhile',
    ...servers.map(({ server, lines, left }) => {
      const shown = lines.slice(0, MOST);
      const more = left + lines.length - shown.length;
      const rows = shown.map(({ at, level, text }) => [
        at.slice(11, 23),
        level === 'error' ? html`<span class="bad">✗ error</span>` : html`<span class="warn">! warn</span>`,
        clipped(text, 400),
      ]);
      return html`${table(server, columns, rows)}${more > 0 ? html`<p class="quiet">… and ${count(more)} others.</p>` : ''}`;
    }),
  );
}
