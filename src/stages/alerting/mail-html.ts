import { html, Markup } from '../../formats/markup.ts';
import type { Message, MessageItem } from './message.ts';

/**
 * Mail programs know old HTML: tables, and styles at each element, as some drop a sheet. The sheet is for those that have a dark mode; it goes
 * over what stands at the elements.
 */
const SHEET = new Markup(`
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  @media (prefers-color-scheme: dark) {
    .page, .card { background: #16181d !important; color: #e6e8eb !important; }
    .card { border-top-color: #3a3f47 !important; border-right-color: #3a3f47 !important; border-bottom-color: #3a3f47 !important; }
    .quiet { color: #a5adb8 !important; }
    .code { background: #262a31 !important; color: #e6e8eb !important; }
    a { color: #8ab4ff !important; }
  }
`);

const FONT = 'font-family:-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif';
const MONO = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';
const bars = { critical: '#c62828', warning: '#b26a00', over: '#2e7d32' } as const;

/** The HTML part of a mail. Nothing is loaded from anywhere. @param attached as for `mailText` */
export function mailHtml(message: Message, attached?: string): string {
  const { subject, heading, items, instead } = message;
  const alone = items.length === 1;
  const notes = [attached, instead].filter((note) => note !== undefined);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${subject}</title>
        <style>
          ${SHEET}
        </style>
      </head>
      <body
        class="page"
        style="margin:0;padding:0;background:#ffffff;color:#1d2127;${FONT};font-size:15px;line-height:1.5"
      >
        <table role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0">
          <tr>
            <td align="center" style="padding:16px">
              <table
                role="presentation"
                width="100%"
                cellspacing="0"
                cellpadding="0"
                border="0"
                style="max-width:640px;text-align:left"
              >
                <tr>
                  <td style="padding:0 0 12px;font-size:17px;font-weight:600;overflow-wrap:anywhere">${heading}</td>
                </tr>
                ${items.map((item) => card(item, alone))}
                ${notes.map(
                  (note) =>
                    html`<tr>
                      <td class="quiet" style="padding:8px 0 0;color:#5b6470;font-size:13px">${note}</td>
                    </tr> `,
                )}
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `;
  return page.text;
}

function card({ title, sentence, facts, links, todo, severity, over }: MessageItem, alone: boolean): Markup {
  const bar = over ? bars.over : bars[severity];
  const name = alone
    ? undefined
    : html`<tr>
        <td colspan="2" style="padding:0 0 2px;font-weight:600;overflow-wrap:anywhere">${title}</td>
      </tr> `;
  const places = links.map(
    ({ text, url }, n) => html`${n > 0 ? ' · ' : ''}<a href="${url}" style="color:#1a56c4">${text}</a>`,
  );
  return html`<tr>
    <td style="padding:0 0 12px">
      <table
        role="presentation"
        class="card"
        width="100%"
        cellspacing="0"
        cellpadding="0"
        border="0"
        style="border:1px solid #d8dde3;border-left:4px solid ${bar};background:#ffffff;color:#1d2127"
      >
        <tr>
          <td style="padding:12px 14px">
            <table width="100%" cellspacing="0" cellpadding="0" border="0" style="font-size:14px">
              ${name}
              <tr>
                <td colspan="2" style="padding:0 0 8px;font-size:15px;overflow-wrap:anywhere">${sentence}</td>
              </tr>
              ${facts.map(({ name, value }) => row(name, html`${value}`))}${todo.map(({ what, command }) =>
                row(
                  what,
                  html`<code
                    class="code"
                    style="${MONO};font-size:13px;background:#f1f3f5;color:#1d2127;padding:1px 4px;overflow-wrap:anywhere"
                    >${command}</code
                  >`,
                ),
              )}${
                links.length === 0
                  ? undefined
                  : html`<tr>
                      <td colspan="2" style="padding:8px 0 0">${places}</td>
                    </tr> `
              }
            </table>
          </td>
        </tr>
      </table>
    </td>
  </tr> `;
}

function row(name: string, value: Markup): Markup {
  return html`<tr>
    <th
      scope="row"
      class="quiet"
      width="120"
      style="padding:2px 12px 2px 0;text-align:left;vertical-align:top;font-weight:400;color:#5b6470"
    >
      ${name}
    </th>
    <td style="padding:2px 0;vertical-align:top;overflow-wrap:anywhere;word-break:break-word">${value}</td>
  </tr> `;
}
