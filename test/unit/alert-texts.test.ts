import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incidentRules, severities, transitions, type Transition } from '../../src/definition/incidents.ts';
import { alertMail } from '../../src/stages/alerting/alert-mail.ts';
import { mailHtml } from '../../src/stages/alerting/mail-html.ts';
import { mailText } from '../../src/stages/alerting/mail-text.ts';
import { messageOf, type Message } from '../../src/stages/alerting/message.ts';
import { slackMessage } from '../../src/stages/alerting/slack-message.ts';
import { webhookBody } from '../../src/stages/alerting/webhook-body.ts';
import { noticeOf, transition } from '../helpers/notices.ts';
import { slackRefusal } from '../helpers/slack-server.ts';

const addresses = { namespace: 'default', temporalUi: 'http://ui:8233', apiUrl: 'https://sluice.example.org/' };
const messageFor = (...all: Transition[]): Message =>
  messageOf(
    noticeOf(...all),
    all.map(({ id }) => id),
    addresses,
  );

const failed = transition({
  ...{
    subject: 'SourceNotFound',
    hours: ['2026-11-24T03:00:00Z'],
    workflowId: 'pipeline/p/2026-11-24T03:00:00Z',
    runId: 'r1',
  },
  ...{ sentence: 'https://example.org/x.csv answers 404.', facts: [{ name: 'Stage', value: 'import' }] },
});

describe('the message of one problem', () => {
  it('says first what is wrong, then the facts, what to do and where to look', () => {
    expect(messageFor(failed).subject).toBe('Sluice: p: a run failed (SourceNotFound)');
    expect(mailText(messageFor(failed), 'Attached is the run.')).toBe(`\
p: a run failed (SourceNotFound). https://example.org/x.csv answers 404.

Severity          critical
Hour              2026-11-24T03
Since             2026-11-24 03:07 UTC
Seen              once
Stage             import
Incident          incident/p/run-failed
What happened     sluice run report 2026-11-24T03 --pipeline p
I see to it       sluice incidents ack incident/p/run-failed
Not now           sluice incidents silence incident/p/run-failed --for 8h
Run and its data  https://sluice.example.org/dashboard?view=run&pipeline=p&hour=2026-11-24T03%3A00%3A00Z&run=r1
Temporal Web UI   http://ui:8233/namespaces/default/workflows/pipeline%2Fp%2F2026-11-24T03%3A00%3A00Z/r1

Attached is the run.
`);
  });

  it.each<[NonNullable<Parameters<typeof transition>[0]>, string]>([
    [
      { kind: 'reminder', at: '2026-11-25T04:10:00Z' },
      'Still open: p: a run failed. It has lasted for 1 d 1 h. It is broken.',
    ],
    [
      { kind: 'escalated', at: '2026-11-24T07:07:00Z' },
      'Escalated: p: a run failed. Nobody has acknowledged it for 4 h. It is broken.',
    ],
    [
      { kind: 'recovered', endedAt: '2026-11-24T06:19:00Z', says: 'The run of 06 went through.' },
      'Recovered: p: a run failed. It is over after 3 h 12 min. The run of 06 went through.',
    ],
    [
      { kind: 'closed', endedAt: '2026-11-24T03:07:20Z' },
      'Closed: p: a run failed. It was closed after 20 s. It was: It is broken.',
    ],
  ])('tells how long it lasts, or lasted: %j', (changes, lead) => {
    const message = messageFor(transition(changes));
    expect(message.lead).toBe(lead);
    expect(message.items[0]?.todo.length === 0).toBe(changes.endedAt !== undefined);
  });

  it('names the newest hours, how often it was seen and who has acknowledged it', () => {
    const hours = Array.from({ length: 9 }, (_, n) => `2026-11-24T0${n}:00:00Z`);
    const acknowledged = { by: 'ann', at: '2026-11-24T05:00:00Z', note: 'on it' };
    expect(messageFor(transition({ hours, occurrences: 12, acknowledged })).items[0]?.facts).toEqual(
      expect.arrayContaining([
        {
          name: 'Hours',
          value:
            '2026-11-24T03, 2026-11-24T04, 2026-11-24T05, 2026-11-24T06, 2026-11-24T07, 2026-11-24T08 and 3 before',
        },
        { name: 'Seen', value: '12 times, last 2026-11-24 03:07 UTC' },
        { name: 'Acknowledged', value: 'by ann, 2026-11-24 05:00 UTC: on it' },
      ]),
    );
  });

  it('leads to the servers where one of them is away', () => {
    const todo = (subject: string) => messageFor(transition({ subject })).items[0]?.todo.map(({ command }) => command);
    expect(todo('KafkaUnavailable')).toContain('sluice check');
    expect(todo('SourceUnavailable')).not.toContain('sluice check');
  });

  it('has no links where nobody said where those pages are, or said something else', () => {
    for (const given of [{}, { temporalUi: 'nonsense://', apiUrl: 'https://user:pass@sluice.example.org' }]) {
      expect(messageOf(noticeOf(failed), ['t'], { namespace: 'default', ...given }).items[0]?.links).toEqual([]);
    }
  });
});

describe('the message of several', () => {
  const over = { kind: 'recovered', endedAt: '2026-11-24T04:00:00Z' } as const;
  const five = (['run-failed', 'consumer-stuck', 'worker-gone', 'index-stale', 'lag'] as const).map((rule, n) =>
    transition({ id: `t${n}`, rule, ...(n === 4 ? over : {}) }),
  );

  it('counts them in the first line, and names each', () => {
    const message = messageFor(...five);
    expect(message.lead).toBe(
      'p: 4 problems, 1 over: a run failed; a consumer does not move; no worker answers; the index does not grow; Recovered: consumers are unusually far behind.',
    );
    expect(message.subject).toMatch(
      /^Sluice: p: 4 problems, 1 over: a run failed; a consumer does not move; no worker answers; /,
    );
    expect(message.subject.length).toBeLessThanOrEqual(160);
    for (const text of [mailText(message), mailHtml(message)]) {
      for (const { title } of message.items) expect(text).toContain(title);
    }
  });

  it('has the worst of them first, and last what is over', () => {
    const titles = messageFor(
      transition({ id: 't0', rule: 'lag', ...over }),
      transition({ id: 't1', rule: 'deadline-near', severity: 'warning' }),
      transition({ id: 't2' }),
    ).items.map(({ title }) => title);
    expect(titles).toEqual([
      'p: a run failed',
      'p: a run is near its deadline',
      'Recovered: p: consumers are unusually far behind',
    ]);
  });

  it('leaves out what is for others', () => {
    const message = messageOf(noticeOf(...five), ['t1'], addresses);
    expect(message.subject).toBe('Sluice: p: a consumer does not move');
    expect(JSON.parse(webhookBody(message))).toMatchObject({ incidents: [{ id: 't1', transition: 'opened' }] });
  });
});

describe('threads', () => {
  const mail = (...all: Transition[]) => alertMail(messageFor(...all), ['a@example.org'], 'k');

  it('are one for an incident, from its opening to its end, and another for the next', () => {
    const end = transition({ kind: 'recovered', id: 't2', endedAt: '2026-11-24T04:00:00Z' });
    expect(mail(end).references).toEqual(mail(transition()).references);
    expect(mail(end).inReplyTo).toBe(mail(end).references?.[0]);
    expect(mail(transition()).inReplyTo).toBeUndefined();
    expect(mail(transition({ openedAt: '2026-11-25T00:00:00Z' })).references).not.toEqual(
      mail(transition()).references,
    );
  });
});

// --- What somebody else wrote ---

const nasty = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=1>',
    '<!here> <@U1|x> @channel',
    '&amp;'.repeat(2_000),
  ),
  fc.constantFrom(
    'a\r\nBcc: victim@example.org',
    '\u202Egnp.exe',
    '```',
    '*bold*',
    '<https://evil|click>',
    '😀'.repeat(3_000),
  ),
);
const anyTransition = fc.record({
  kind: fc.constantFrom(...transitions),
  rule: fc.constantFrom(...incidentRules),
  severity: fc.constantFrom(...severities),
  sentence: nasty,
  subject: nasty,
  facts: fc.array(fc.record({ name: nasty, value: nasty }), { maxLength: 14 }),
  workflowId: nasty,
  hours: fc.constant(['2026-11-24T03:00:00Z']),
});
const anyMessage = fc
  .array(anyTransition, { minLength: 1, maxLength: 20 })
  .map((all) => messageFor(...all.map((one, n) => transition({ ...one, ...{ id: `t${n}` } }))));

interface Text {
  readonly type: string;
  readonly text: string;
  readonly verbatim?: boolean;
}
interface Block {
  readonly type: string;
  readonly text?: Text;
  readonly fields?: readonly Text[];
  readonly elements?: readonly Text[];
}

describe('whatever is told', () => {
  it('keeps within the limits of Slack, and mentions nobody', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { text, blocks } = slackMessage(message) as unknown as { text: string; blocks: readonly Block[] };
        expect(slackRefusal(JSON.stringify({ text, blocks }))).toBeUndefined();
        for (const block of blocks) {
          for (const one of [block.text, ...(block.fields ?? []), ...(block.elements ?? [])]) {
            if (one === undefined) continue;
            if (one.type !== 'mrkdwn') continue;
            expect(one.verbatim).toBe(true);
            // Nothing but our own links stands in brackets, and no entity is cut.
            for (const [bracket] of one.text.matchAll(/<[^>]*>?/g))
              expect(bracket).toMatch(/^<https?:\/\/[^|>\s]+\|[^>]+>$/);
            expect(one.text.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
          }
        }
      }),
      { numRuns: 60, examples: [[messageFor(transition({ sentence: '' }))]] },
    );
  });

  it('names on Slack each of many problems, with what to do first, before it leaves any out', () => {
    const sentence = 'Kafka at kafka-0.example.org:9092 failed on offsets of a topic: connect ECONNREFUSED. '.repeat(4);
    const facts = ['Stage', 'Stages', 'Tries', 'Topic', 'Epoch'].map((name) => ({ name, value: 'x'.repeat(90) }));
    const many = incidentRules.slice(0, 9).map((rule, n) => transition({ id: `t${n}`, rule, sentence, facts }));
    for (const count of [1, 5, 9]) {
      const message = messageFor(...many.slice(0, count));
      const whole = JSON.stringify(slackMessage(message));
      expect(slackRefusal(whole)).toBeUndefined();
      expect(whole).not.toContain(' more: ');
      for (const { title, todo } of message.items) {
        expect(whole).toContain(title);
        expect(whole).toContain(todo[0]?.command);
      }
      expect(whole.includes('xxx')).toBe(count < 9);
    }
  });

  it('stands in a mail as text, and in no other field of its head', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const page = mailHtml(message, message.items[0]?.sentence);
        expect(page).not.toMatch(/<(script|img)/i);
        expect(page.match(/<a /g) ?? []).toHaveLength(message.items.flatMap(({ links }) => links).length);
        const { subject, headers = {} } = alertMail(message, ['a@example.org'], 'k');
        for (const line of [subject, ...Object.values(headers)]) expect(line).not.toMatch(/[\r\n\u202E]/);
        expect(mailText(message).split('\n')[0]).toMatch(/^([\w ]+: )*p: /);
      }),
      { numRuns: 60 },
    );
  });
});
