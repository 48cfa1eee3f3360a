import type { Message, MessageItem } from './message.ts';
import { oneLine } from './wording.ts';

/** The plain part of a mail. @param attached what is said of the page of the run, where there is one to say something of */
export function mailText(message: Message, attached?: string): string {
  const { lead, items, instead } = message;
  const alone = items.length === 1;
  return [
    lead,
    ...items.map((item) => itemText(item, alone)),
    ...(attached === undefined ? [] : [attached]),
    ...(instead === undefined ? [] : [instead]),
  ]
    .join('\n\n')
    .concat('\n');
}

function itemText({ title, sentence, facts, todo, links }: MessageItem, alone: boolean): string {
  const rows = [
    ...facts.map(({ name, value }) => [name, value] as const),
    ...todo.map(({ what, command }) => [what, command] as const),
    ...links.map(({ text, url }) => [text, url] as const),
  ];
  const width = Math.min(24, Math.max(...rows.map(([name]) => name.length)));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return [
    ...(alone ? [] : [oneLine(title), `  ${sentence}`]),
    ...table.map((line) => (alone ? line : `  ${line}`)),
  ].join('\n');
}
