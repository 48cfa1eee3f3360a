import type { SlackMessage } from '../../connectors/slack.ts';
import type { Message, MessageItem } from './message.ts';
import { oneLine, shortened } from './wording.ts';

type Block = Readonly<Record<string, unknown>>;

/** Slack's own bounds (docs.slack.dev/reference/block-kit/blocks); a message beyond one of them is refused as a whole. */
export const slackLimits = {
  blocks: 50,
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  contextElements: 10,
  /** Slack cuts `text` above it. */
  text: 4_000,
} as const;

/** Header, lead and notes beside those of the items. */
const BLOCKS_AROUND = 5;
const BLOCKS_AN_ITEM = 5;
const MOST_ITEMS = Math.floor((slackLimits.blocks - BLOCKS_AROUND) / BLOCKS_AN_ITEM);

/** The message as Slack's blocks. What does not fit is counted. */
export function slackMessage(message: Message): SlackMessage {
  const { heading, lead, items, severity, instead } = message;
  const alone = items.length === 1;
  const shown = items.slice(0, MOST_ITEMS);
  const left = items.length - shown.length;
  const mark = severity === undefined ? '🟢' : severity === 'critical' ? '🔴' : '🟠';
  return {
    text: fitting(`${mark} ${lead}`, slackLimits.text),
    blocks: [
      { type: 'header', text: plain(shortened(`${mark} ${oneLine(heading)}`, slackLimits.header)) },
      { type: 'section', text: mrkdwn(fitting(alone ? (items[0]?.sentence ?? lead) : lead, slackLimits.section)) },
      ...shown.flatMap((item) => itemBlocks(item, alone)),
      ...(left > 0 ? [context(`… and ${left} more: \`sluice incidents list\``)] : []),
      ...(instead === undefined ? [] : [context(fitting(instead, slackLimits.field))]),
    ],
  };
}

function itemBlocks({ title, sentence, facts, links, todo }: MessageItem, alone: boolean): Block[] {
  const fields = facts.slice(0, slackLimits.fields).map(({ name, value }) => {
    const label = fitting(name, 100);
    return mrkdwn(`*${label}*\n${fitting(value === '' ? '–' : value, slackLimits.field - label.length - 3)}`);
  });
  const places = links
    .map(({ text, url }) => `<${escapedUrl(url)}|${escapedMrkdwn(text)}>`)
    .filter((link) => link.length < 1_500);
  const commands = todo.map(
    ({ what, command }) => `${escapedMrkdwn(what)}: \`${fitting(command.replaceAll('`', "'"), 600)}\``,
  );
  const heading = `*${fitting(title.replaceAll('*', '∗'), 300)}*\n${fitting(sentence, slackLimits.section - 400)}`;
  return [
    ...(alone ? [] : [{ type: 'divider' }, { type: 'section', text: mrkdwn(heading) }]),
    ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
    ...(commands.length === 0 ? [] : [{ type: 'section', text: mrkdwn(commands.join('\n')) }]),
    ...(places.length === 0 ? [] : [context(places.join('  ·  '))]),
  ];
}

const plain = (text: string): Block => ({ type: 'plain_text', text, emoji: true });
/** `verbatim`: what looks like a link, a channel or a name in somebody's data is none. */
const mrkdwn = (text: string): Block => ({ type: 'mrkdwn', text, verbatim: true });
const context = (text: string): Block => ({ type: 'context', elements: [mrkdwn(text)] });

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** What Slack asks to escape, and nothing else. */
export function escapedMrkdwn(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => entities[character] ?? character);
}

/** Escaped, and at most so long then. No entity is cut. */
function fitting(text: string, most: number): string {
  const whole = escapedMrkdwn(text);
  if (whole.length <= most) return whole;
  let kept = '';
  for (const character of text) {
    const next = escapedMrkdwn(character);
    if (kept.length + next.length > most - 1) break;
    kept += next;
  }
  return `${kept}…`;
}

/** Inside of `<…|…>` a bar or a bracket would end it. */
function escapedUrl(url: string): string {
  return escapedMrkdwn(url.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E'));
}
