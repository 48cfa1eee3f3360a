import type { SlackMessage } from '../../connectors/slack.ts';
import type { Message, MessageItem } from './message.ts';
import { oneLine, shortened } from './wording.ts';

type Block = Readonly<Record<string, unknown>>;

/**
 * Slack's own bounds (docs.slack.dev/reference/block-kit/blocks); a message beyond one of them is refused as a whole. `whole` is on no page of theirs: above
 * some 11,000 to 13,000 characters of all blocks they answer `msg_blocks_too_long` (slackapi/bolt-js#2509, #2867).
 */
export const slackLimits = {
  blocks: 50,
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  contextElements: 10,
  /** Slack cuts `text` above it. */
  text: 4_000,
  whole: 10_000,
} as const;

/** Header, lead and notes beside those of the items. */
const BLOCKS_AROUND = 5;
const BLOCKS_AN_ITEM = 5;
const MOST_ITEMS = Math.floor((slackLimits.blocks - BLOCKS_AROUND) / BLOCKS_AN_ITEM);

/** How much is said of each problem. */
interface Detail {
  /** Characters of its sentence, and of the one that names all of them. */
  readonly sentence: number;
  readonly facts: number;
  /** Characters of a fact. */
  readonly fact: number;
  readonly todo: number;
}

/** From all to what is needed: the first that makes a message which Slack takes is the one. */
const details: readonly Detail[] = [
  { sentence: slackLimits.section, facts: slackLimits.fields, fact: slackLimits.field, todo: 4 },
  { sentence: 800, facts: slackLimits.fields, fact: 200, todo: 4 },
  { sentence: 600, facts: 4, fact: 100, todo: 1 },
  { sentence: 400, facts: 0, fact: 0, todo: 1 },
];

/** The message as Slack's blocks. What does not fit is cut, left out or counted, in this order; all are named in the first line as far as that goes. */
export function slackMessage(message: Message): SlackMessage {
  const { lead, severity } = message;
  const mark = severity === undefined ? '🟢' : severity === 'critical' ? '🔴' : '🟠';
  return { text: fitting(`${mark} ${lead}`, slackLimits.text), blocks: fittingBlocks(message, mark) };
}

function fittingBlocks(message: Message, mark: string): Block[] {
  const [least, ...more] = details.toReversed();
  if (!least) throw new RangeError('there is no detail');
  for (const detail of more.toReversed()) {
    const blocks = blocksOf(message, mark, MOST_ITEMS, detail);
    if (isShort(blocks)) return blocks;
  }
  for (let items = MOST_ITEMS; items > 1; items -= 1) {
    const blocks = blocksOf(message, mark, items, least);
    if (isShort(blocks)) return blocks;
  }
  return blocksOf(message, mark, 1, least);
}

const isShort = (blocks: readonly Block[]): boolean => JSON.stringify(blocks).length <= slackLimits.whole;

function blocksOf({ heading, lead, items, instead }: Message, mark: string, most: number, detail: Detail): Block[] {
  const alone = items.length === 1;
  const shown = items.slice(0, most);
  const left = items.length - shown.length;
  // Slack takes no empty text.
  const [first = lead] = alone
    ? items.map(({ sentence }) => sentence).filter((sentence) => sentence.trim() !== '')
    : [];
  return [
    { type: 'header', text: plain(shortened(`${mark} ${oneLine(heading)}`, slackLimits.header)) },
    { type: 'section', text: mrkdwn(fitting(first, detail.sentence)) },
    ...shown.flatMap((item) => itemBlocks(item, alone, detail)),
    ...(left > 0 ? [context(`… and ${left} more: \`sluice incidents list\``)] : []),
    ...(instead === undefined ? [] : [context(fitting(instead, slackLimits.field))]),
  ];
}

function itemBlocks(item: MessageItem, alone: boolean, detail: Detail): Block[] {
  const { title, sentence, facts, links, todo } = item;
  const fields = facts.slice(0, detail.facts).map(({ name, value }) => {
    const label = fitting(name, 100);
    const most = Math.min(detail.fact, slackLimits.field - label.length - 3);
    return mrkdwn(`*${label}*\n${fitting(value === '' ? '–' : value, most)}`);
  });
  const places = links
    .map(({ text, url }) => `<${escapedUrl(url)}|${escapedMrkdwn(text)}>`)
    .filter((link) => link.length < 1_500);
  const commands = todo
    .slice(0, detail.todo)
    .map(({ what, command }) => `${escapedMrkdwn(what)}: \`${fitting(command.replaceAll('`', "'"), 600)}\``);
  const heading = `*${fitting(title.replaceAll('*', '∗'), 300)}*\n${fitting(sentence, Math.min(detail.sentence, slackLimits.section - 400))}`;
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
