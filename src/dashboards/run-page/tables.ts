import { countText } from '../../definition/amounts.ts';
import { html, type Markup } from '../../formats/markup.ts';

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
}

/** A table whose first cells name their rows; it scrolls by itself where the screen is narrower. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (Markup | string | undefined)[])[],
): Markup {
  const kind = (at: number): string => (columns[at]?.numeric ? 'n' : 't');
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(({ title }, at) => html`<th scope="col" class="${kind(at)}">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell, at) =>
                at === 0
                  ? html`<th scope="row" class="${kind(at)}">${cell}</th>`
                  : html`<td class="${kind(at)}">${cell}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Terms with what is to say of them; those without are left out. */
export function terms(pairs: readonly (readonly [string, Markup | string | undefined])[]): Markup {
  const known = pairs.filter(([, what]) => what !== undefined);
  return html`<dl>
    ${known.map(
      ([term, what]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${what}</dd>
        </div>`,
    )}
  </dl>`;
}

/** Sentences, at most so many, and how many are left out. */
export function list(sentences: readonly string[], most = 50): Markup {
  const more = sentences.length - most;
  return html`<ul>
    ${sentences.slice(0, most).map((sentence) => html`<li>${clipped(sentence)}</li>`)}${
      more > 0 ? html`<li>… and ${count(more)} more</li>` : ''
    }
  </ul>`;
}

export const section = (id: string, title: string, ...content: readonly (Markup | string)[]): Markup =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`;

/** A number with its thousands marked. */
export const count = countText;

/** No sentence fills the page, whatever a source called its columns. */
export const clipped = (text: string, most = 2_000): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** An instant for people: `2026-11-24 03:00:12 UTC`. */
export const instant = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
