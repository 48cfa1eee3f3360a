import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

// What docs.slack.dev says of messages: reference/block-kit/composition-objects/text-object, …/blocks/{header,section,context,divider}-block, and
// messaging/sending-messages-using-incoming-webhooks. Nothing else is taken, so that a misspelt member is found.
const plainText = (most: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(most), emoji: z.boolean().optional() });
const mrkdwn = (most: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(most), verbatim: z.boolean().optional() });
const anyText = (most: number) => z.union([plainText(most), mrkdwn(most)]);

const block = z.union([
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({ type: z.literal('divider') }),
  z.strictObject({ type: z.literal('context'), elements: z.array(anyText(3_000)).min(1).max(10) }),
  z
    .strictObject({
      type: z.literal('section'),
      text: anyText(3_000).optional(),
      fields: z.array(anyText(2_000)).min(1).max(10).optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined, 'needs text or fields'),
]);

const payload = z.strictObject({
  // What notifications and screen readers have of a message with blocks.
  text: z.string().min(1).max(4_000),
  blocks: z.array(block).min(1).max(50),
  unfurl_links: z.boolean().optional(),
  unfurl_media: z.boolean().optional(),
});

/** Of all blocks together, which no page says: slackapi/bolt-js#2509 has it from Slack as `msg_blocks_too_long`, and #2867 saw 11,341 characters refused. */
const MOST_OF_BLOCKS = 11_000;

export type SlackPayload = z.infer<typeof payload>;

/** Why Slack would not take this body; undefined where it would. */
export function slackRefusal(body: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'no JSON';
  }
  const { success, data, error } = payload.safeParse(json);
  if (!success) return z.prettifyError(error);
  const size = JSON.stringify(data.blocks).length;
  return size > MOST_OF_BLOCKS ? `blocks of ${size} characters` : undefined;
}

/** Slack's incoming webhook on loopback: it checks what is posted as Slack does, and keeps what it takes. */
export class SlackServer {
  readonly url: string;
  /** What was taken, in order. */
  readonly taken: SlackPayload[] = [];
  /** What was wrong with what was not taken. Empty where all is well. */
  readonly refused: string[] = [];
  /** So many requests are answered by 429 first, and those that come before their time again. */
  tooMany = 0;
  readonly retryAfterSeconds = 1;
  /** Somebody has taken the webhook away. */
  revoked = false;
  /** Requests that came while Slack had asked to be left alone. */
  tooEarly = 0;
  readonly #server: Server;
  #quietUntil = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/secretOfSlack`;
  }

  static async open(): Promise<SlackServer> {
    let slack: SlackServer | undefined;
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const { status, answer, headers } = slack?.answerTo(request, body) ?? { status: 500, answer: 'rollup_error' };
        response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (slack = new SlackServer(server));
  }

  /** Everything that a message shows, as one text. */
  static textOf({ text, blocks }: SlackPayload): string {
    const parts = blocks.flatMap((one) => {
      if (one.type === 'divider') return [];
      if (one.type === 'header') return [one.text.text];
      if (one.type === 'context') return one.elements.map((element) => element.text);
      return [...(one.text ? [one.text.text] : []), ...(one.fields ?? []).map((field) => field.text)];
    });
    return [text, ...parts].join('\n');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  answerTo(
    { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
    body: string,
  ): { status: number; answer: string; headers?: Record<string, string> } {
    const no = (status: number, answer: string, why: string) => {
      this.refused.push(why);
      return { status, answer };
    };
    if (url !== new URL(this.url).pathname) return no(404, 'no_service', `asked for ${url}`);
    if (method !== 'POST') return no(400, 'invalid_payload', `asked by ${method}`);
    if (this.revoked) return { status: 404, answer: 'no_service' };
    const type = headers['content-type'] ?? '';
    if (!/^application\/json(; ?charset=utf-8)?$/i.test(type)) return no(400, 'invalid_payload', `sent as ${type}`);
    if (Date.now() < this.#quietUntil) this.tooEarly += 1;
    if (this.tooMany > 0) {
      this.tooMany -= 1;
      this.#quietUntil = Date.now() + this.retryAfterSeconds * 1_000;
      return { status: 429, answer: 'rate_limited', headers: { 'retry-after': String(this.retryAfterSeconds) } };
    }
    const refused = slackRefusal(body);
    if (refused !== undefined) return no(400, 'invalid_blocks', refused);
    this.taken.push(JSON.parse(body) as SlackPayload);
    return { status: 200, answer: 'ok' };
  }
}
