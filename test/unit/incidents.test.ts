import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/definition/alerts.ts';
import type { Clearing, Notice, Observation, Transition, TransitionKind } from '../../src/definition/incidents.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import {
  takenObservation,
  wrongAcknowledgement,
  wrongAlerts,
  wrongClearing,
  wrongClosing,
  wrongObservation,
  wrongSilencing,
  wrongTransition,
} from '../../src/workflows/incident-checks.ts';
import { IncidentBook, REMEMBERED } from '../../src/workflows/incident-state.ts';
import { NotifierBook, settled } from '../../src/workflows/notifier-state.ts';

const start = Date.parse('2026-11-24T00:00:00Z');
const HOUR = 3_600_000;
const at = (hours: number): string => new Date(start + hours * HOUR).toISOString();
const hourAt = (n: number): string => toLogicalHour(start + n * HOUR);
const id = ids.incident('p', 'run-failed', 'SourceNotFound');

const seen = (n: number, more: Partial<Observation> = {}): Observation => ({
  ...{
    pipeline: 'p',
    rule: 'run-failed',
    subject: 'SourceNotFound',
    severity: 'warning',
    sentence: `hour ${n} failed`,
  },
  ...{ facts: [], occurrence: `o${n}`, at: at(n), hour: hourAt(n), ...more },
});
const cleared = (n: number, more: Partial<Clearing> = {}): Clearing => ({
  ...{ pipeline: 'p', rule: 'run-failed', sentence: `Hour ${n} is done.`, at: at(n + 0.5), hour: hourAt(n), ...more },
});
const kinds = (book: IncidentBook): TransitionKind[] => book.outgoing.map(({ kind }) => kind);

describe('an incident', () => {
  it('counts each occurrence once, in whatever order and however often it is told, and opens once', () => {
    const told = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(told, (order) => {
        const book = new IncidentBook(id);
        for (const n of order) book.observe(seen(n), start + n * HOUR);
        const once = new Set(order);
        expect(book.incident.occurrences).toBe(once.size);
        expect(book.incident.hours).toEqual([...once].toSorted((a, b) => a - b).map(hourAt));
        expect(book.incident.lastSeenAt).toBe(at(Math.max(...order)));
        expect(book.incident.sentence).toBe(`hour ${Math.max(...order)} failed`);
        expect(kinds(book)).toEqual(['opened']);
      }),
    );
  });

  it('goes on the same after its state has been through JSON, wherever that happens', () => {
    const step = fc.oneof(
      fc.record({ see: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ clear: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ tick: fc.integer({ min: 0, max: 60 }) }),
    );
    const policy = { remindEveryMs: 5 * HOUR, escalateAfterMs: 12 * HOUR };
    const apply = (book: IncidentBook, one: object): void => {
      if ('see' in one) book.observe(seen(one.see as number), start);
      else if (!book.opened) return;
      else if ('clear' in one) book.clear(cleared(one.clear as number), start);
      else if (!book.ended) book.tick(policy, start + (one as { tick: number }).tick * HOUR);
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const whole = new IncidentBook(id);
        let carried = new IncidentBook(id);
        for (const one of steps) {
          apply(whole, one);
          apply(carried, one);
          if (carried.opened) carried = new IncidentBook(id, JSON.parse(JSON.stringify(carried.record)) as never);
        }
        if (!whole.opened) return;
        expect(carried.record).toEqual(whole.record);
        // One end at most, one beginning, and no id twice.
        const sent = whole.outgoing.map((one) => one.id);
        expect(new Set(sent).size).toBe(sent.length);
        expect(kinds(whole).filter((kind) => kind === 'opened')).toHaveLength(1);
        expect(kinds(whole).filter((kind) => kind === 'recovered').length).toBe(whole.ended ? 1 : 0);
      }),
    );
  });

  it('remembers the newest occurrences, and no more', () => {
    const book = new IncidentBook(id);
    for (let n = 0; n < REMEMBERED + 50; n += 1) book.observe(seen(n), start);
    expect(book.record.seen).toHaveLength(REMEMBERED);
    expect(book.incident.hours).toHaveLength(50);
    book.observe(seen(REMEMBERED + 49), start);
    expect(book.incident.occurrences).toBe(REMEMBERED + 50);
    expect(kinds(book)).toEqual(['opened']);
  });

  it('recovers with the newest hour that it was seen in; an older one ends nothing, and is named no more', () => {
    const book = new IncidentBook(id);
    for (const n of [1, 2, 3, 5]) book.observe(seen(n), start + n * HOUR);
    book.clear(cleared(2, { at: at(6) }), start);
    expect(book.ended).toBe(false);
    book.clear(cleared(6, { at: at(6.5) }), start);
    expect(book.incident).toMatchObject({ state: 'recovered', endedAt: at(6.5) });
    expect(book.outgoing.at(-1)?.sentence).toBe(
      'Hour 6 is done. Not done yet: 2026-11-24T01:00:00Z, ' +
        '2026-11-24T03:00:00Z, 2026-11-24T05:00:00Z; run them again, or "sluice backfill" does.',
    );
  });

  it('is not ended by word that is older than what was seen, or of the same moment', () => {
    const book = new IncidentBook(id);
    book.observe(seen(1), start);
    book.clear(cleared(1, { at: at(1) }), start);
    expect(book.ended).toBe(false);
  });

  it('reminds while nobody has acknowledged it, not while it is silenced, and once when the silence ends', () => {
    const policy = { remindEveryMs: 24 * HOUR };
    const book = new IncidentBook(id);
    const told = (): number => kinds(book).filter((kind) => kind === 'reminder').length;
    book.observe(seen(0), start);
    for (let n = 1; n <= 10; n += 1) {
      book.observe(seen(n), start + n * HOUR);
      book.tick(policy, start + n * HOUR);
    }
    expect([told(), book.dueAt(policy)]).toEqual([0, start + 24 * HOUR]);
    book.tick(policy, start + 24 * HOUR);
    expect(told()).toBe(1);
    book.silence({ by: 'eva', until: at(60) });
    expect(book.dueAt(policy)).toBe(start + 60 * HOUR);
    book.tick(policy, start + 50 * HOUR);
    expect(told()).toBe(1);
    book.tick(policy, start + 60 * HOUR);
    expect(told()).toBe(2);
    book.acknowledge({ by: 'eva', note: 'on it' }, start + 61 * HOUR);
    expect(book.dueAt(policy)).toBeUndefined();
    expect(book.incident).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'eva', note: 'on it' } });
  });

  it('reminds at the end of a silence of what nobody was told meanwhile', () => {
    const policy = {};
    const book = new IncidentBook(id);
    book.observe(seen(0), start);
    book.silence({ by: 'eva', until: at(5) });
    expect(book.dueAt(policy)).toBeUndefined();
    book.observe(seen(1, { severity: 'critical' }), start + HOUR);
    expect(book.dueAt(policy)).toBe(start + 5 * HOUR);
    book.tick(policy, start + 4 * HOUR);
    expect(kinds(book)).toEqual(['opened', 'escalated']);
    book.tick(policy, start + 5 * HOUR);
    expect(kinds(book)).toEqual(['opened', 'escalated', 'reminder']);
    expect(book.dueAt(policy)).toBeUndefined();
  });

  it('is told anew of what another run sees of the same hour: counted once, and worse where it is worse', () => {
    const book = new IncidentBook(id);
    book.observe(seen(1), start);
    const again = seen(1, { at: at(3), severity: 'critical', sentence: 'It is worse.' });
    book.observe(again, start + 3 * HOUR);
    book.observe(again, start + 3 * HOUR);
    book.observe(seen(1, { at: at(2), sentence: 'It comes late.' }), start + 3 * HOUR);
    expect(book.incident).toMatchObject({
      ...{ occurrences: 1, lastSeenAt: at(3), severity: 'critical', openedAs: 'warning', sentence: 'It is worse.' },
    });
    expect(kinds(book)).toEqual(['opened', 'escalated']);
    book.clear(cleared(1, { at: at(4) }), start + 4 * HOUR);
    book.observe(again, start);
    expect(book.record.next).toEqual([]);
    book.observe(seen(1, { at: at(5) }), start);
    book.observe(seen(1, { at: at(5) }), start);
    book.observe(seen(1, { at: at(6), severity: 'critical' }), start);
    expect(book.record.next.map((one) => one.at)).toEqual([at(5), at(6)]);
  });

  it('names an hour no more that was mended, though its word comes late', () => {
    const book = new IncidentBook(id);
    for (const n of [1, 2, 3]) book.observe(seen(n), start + n * HOUR);
    book.clear(cleared(1, { at: at(2.5) }), start);
    // It may have failed again since.
    book.clear(cleared(3, { at: at(2.5) }), start);
    expect([book.ended, book.record.failed]).toEqual([false, [hourAt(2), hourAt(3)]]);
  });

  it('escalates once, by time or by what is seen', () => {
    const policy = { escalateAfterMs: 4 * HOUR };
    const late = new IncidentBook(id);
    late.observe(seen(0), start);
    late.tick(policy, start + 4 * HOUR);
    late.tick(policy, start + 9 * HOUR);
    late.observe(seen(1, { severity: 'critical' }), start + 9 * HOUR);
    expect(kinds(late)).toEqual(['opened', 'escalated']);
    expect(late.incident).toMatchObject({ severity: 'critical', escalatedAt: at(4) });
    const worse = new IncidentBook(id);
    worse.observe(seen(0), start);
    worse.observe(seen(1, { severity: 'critical' }), start + HOUR);
    worse.observe(seen(2), start + 2 * HOUR);
    worse.tick(policy, start + 4 * HOUR);
    expect(kinds(worse)).toEqual(['opened', 'escalated']);
    expect(worse.incident.severity).toBe('critical');
  });

  it('keeps what is seen after its end for the next one, unless that is over as well', () => {
    const book = new IncidentBook(id);
    book.observe(seen(1), start);
    book.close({ by: 'eva', reason: 'known' }, start + 2 * HOUR);
    expect(book.outgoing.at(-1)).toMatchObject({
      kind: 'closed',
      sentence: 'Closed by eva: known. Not done yet: 2026-11-24T01:00:00Z; run it again, or "sluice backfill" does.',
    });
    book.observe(seen(1), start);
    book.observe(seen(3), start);
    book.observe(seen(3), start);
    expect(book.record.next.map(({ occurrence }) => occurrence)).toEqual(['o3']);
    book.clear(cleared(3, { at: at(4) }), start);
    expect(book.record.next).toEqual([]);
  });
});

describe('what people send to an incident', () => {
  it.each([
    [
      wrongObservation({}, id),
      'An observation needs pipeline, rule, severity, sentence, facts, occurrence, at, which are missing or wrong.',
    ],
    [wrongObservation(undefined, id), expect.stringContaining('An observation needs')],
    [wrongObservation({ ...seen(1), hour: 'noon' }, id), 'An observation needs hour, which is missing or wrong.'],
    [
      wrongObservation(seen(1, { subject: 'Other' }), id),
      `This is ${id}, and the observation belongs to incident/p/run-failed/Other.`,
    ],
    [wrongObservation(seen(1), id), undefined],
    [wrongClearing({ ...cleared(1), rule: 'lag' }, id), `The clearing is not about ${id}.`],
    [wrongClearing(cleared(1), id), undefined],
    [wrongAcknowledgement({}), 'acknowledge needs "by", who does it: {"by": "who", "note": "what is being done"}.'],
    [wrongAcknowledgement({ by: 'eva', note: 7 }), '"note" must be a text that is not empty.'],
    [wrongAcknowledgement({ by: 'eva' }), undefined],
    [
      wrongSilencing({ by: 'eva' }, start),
      'silence needs "until", an end: {"by": "who", "until": "2026-11-24T18:00:00Z"}.',
    ],
    [
      wrongSilencing({ by: 'eva', until: 'tomorrow' }, start),
      '"tomorrow" is no instant: write "until" like 2026-11-24T18:00:00Z.',
    ],
    [wrongSilencing({ by: 'eva', until: at(-1) }, start), `${at(-1)} is over already: a silence ends in the future.`],
    [wrongSilencing({ by: 'eva', until: at(9_000) }, start), expect.stringContaining('more than a year away')],
    [wrongSilencing({ by: 'eva', until: at(1) }, start), undefined],
    [wrongClosing({ by: 'eva' }), '"reason" must be a text that is not empty.'],
    [wrongClosing({ by: 'eva', reason: 'x'.repeat(501) }), '"reason" has 501 characters; 500 are allowed.'],
    [
      wrongTransition({ id: 'x' }, 'p'),
      expect.stringContaining('A transition of an incident of p needs kind, at, incident'),
    ],
  ])('%# is judged in a sentence', (sentence, wanted) => {
    expect(sentence).toEqual(wanted);
  });

  it.each<[unknown, string | undefined]>([
    [{}, undefined],
    [alertsSchema.parse({}), undefined],
    [
      alertsSchema.parse({
        ...{ email: { to: ['a@example.org'] }, channels: { oncall: { slack: { url: '${secret:S}' } } } },
        routes: [{ when: { rule: ['lag'], hours: '08:00-18:00', days: ['MON'], zone: 'UTC' }, to: ['oncall'] }],
        policy: { group: '1m', remindEvery: 'never', escalateAfter: '366d', escalateTo: ['email'] },
      }),
      undefined,
    ],
    [7, 'Alerts are an object, as in a definition.'],
    [[], 'Alerts are an object, as in a definition.'],
    [{ policy: { group: 'soon' } }, 'Alerts have policy.group, which is wrong.'],
    [{ policy: { group: '999999999999d', remindEvery: null } }, expect.stringContaining('group, policy.remindEvery')],
    [
      { policy: { escalateAfter: 4, escalateTo: 'email' } },
      expect.stringContaining('escalateAfter, policy.escalateTo'),
    ],
    [
      { email: 'a@example.org', channels: { x: 'y' }, policy: 'x' },
      'Alerts have email, channels, policy, which are wrong.',
    ],
    [{ routes: {} }, 'Alerts have routes, which is wrong.'],
    [{ routes: [{ to: 'email' }] }, 'Alerts have routes, which is wrong.'],
    [{ routes: [{ to: ['email'], when: { hours: 8 } }] }, 'Alerts have routes, which is wrong.'],
  ])('names whom to tell as %j: %s', (given, sentence) => expect(wrongAlerts(given)).toEqual(sentence));

  it('is kept in one form, and no longer than anybody reads', () => {
    const taken = takenObservation({
      ...seen(1, { at: '2026-11-24T02:00:00+01:00', sentence: 'x'.repeat(5_000) }),
      subject: null as never,
    });
    expect(taken).toMatchObject({ at: '2026-11-24T01:00:00.000Z' });
    expect(taken.sentence).toHaveLength(2_000);
    expect('subject' in taken).toBe(false);
  });
});

function transition(n: number, kind: TransitionKind, more: Partial<Transition['incident']> = {}): Transition {
  const book = new IncidentBook(ids.incident('p', 'run-failed', `S${n}`));
  book.observe(seen(n, { subject: `S${n}` }), start);
  const incident = { ...book.incident, ...more };
  return { id: `${incident.id}/${kind}`, kind, at: at(n), incident };
}

describe('a notifier', () => {
  const window = 30_000;

  it('makes one notice of what comes within a window, each once', () => {
    const book = new NotifierBook('p', start);
    const all = [0, 1, 2, 3, 4].map((n) => transition(n, 'opened'));
    all.forEach((one, n) => book.hear(one, window, start + n * 5_000));
    for (const one of all) book.hear(one, window, start + 25_000);
    expect(book.record.windowEndsAt).toBe(start + window);
    const notice = book.takeNotice(start + window) as Notice;
    expect(notice.transitions.map((one) => one.id)).toEqual(all.map((one) => one.id));
    expect(notice.id).toBe(all[0]?.id);
    for (const one of all) book.hear(one, window, start + 60_000);
    expect([book.takeNotice(start + 90_000), book.record.windowEndsAt]).toEqual([undefined, undefined]);
  });

  it('tells an incident as it stands, and does not remind of what is over', () => {
    const opened = transition(1, 'opened');
    const escalated = transition(1, 'escalated', { severity: 'critical', escalatedAt: at(1) });
    const other = [transition(2, 'reminder'), transition(2, 'recovered', { endedAt: at(3) })];
    const { told } = settled([opened, escalated, ...other], start);
    expect(told.map(({ kind, incident }) => [kind, incident.severity])).toEqual([
      ['opened', 'critical'],
      ['recovered', 'warning'],
    ]);
  });

  it('reminds once in a message, and not of what it tells otherwise', () => {
    const reminders = [1, 1, 2].map((n, which) => ({ ...transition(n, 'reminder'), id: `r${which}` }));
    const { told } = settled([...reminders, transition(2, 'opened')], start);
    expect(told.map(({ id: which, kind }) => [which.slice(-6), kind])).toEqual([
      ['r1', 'reminder'],
      ['opened', 'opened'],
    ]);
  });

  it('tells both of one that came and went', () => {
    const { told } = settled([transition(1, 'opened'), transition(1, 'recovered', { endedAt: at(1) })], start);
    expect(told.map(({ kind }) => kind)).toEqual(['opened', 'recovered']);
  });

  it('tells nobody of what is silenced, and keeps that it was so', () => {
    const book = new NotifierBook('p', start);
    book.hear(transition(1, 'escalated', { silencedUntil: at(5) }), window, start);
    expect(book.takeNotice(start + window)).toBeUndefined();
    expect(book.outbox.messages).toMatchObject([{ state: 'silenced' }]);
    book.hear(transition(2, 'escalated', { silencedUntil: at(-5) }), window, start);
    expect(book.takeNotice(start + window)?.transitions).toHaveLength(1);
  });

  it('follows what is open until it has ended, and longer where it was seen again since', () => {
    const book = new NotifierBook('p', start);
    const [one, two] = [transition(1, 'opened'), transition(2, 'opened')];
    const followed = (): string[] => book.outbox.open.map((open) => open.slice(-2)).toSorted();
    book.follow([{ id: one.incident.id, at: at(1) }], start);
    book.hear(two, window, start);
    expect(followed()).toEqual(['S1', 'S2']);
    expect(book.clearedBy(cleared(9))).toHaveLength(2);
    expect(book.clearedBy(cleared(9, { rule: 'lag' }))).toEqual([]);
    book.follow([{ id: two.incident.id, at: at(4) }], start);
    book.hear(transition(1, 'recovered', { endedAt: at(3) }), window, start);
    book.hear(transition(2, 'recovered', { endedAt: at(3) }), window, start);
    expect(followed()).toEqual(['S2']);
    expect(book.idle).toBe(false);
  });

  it('keeps what is on its way however much comes behind it', () => {
    const book = new NotifierBook('p', start);
    book.pending({ id: 'first', channel: 'email', name: 'email', transitions: [] }, start);
    for (let n = 0; n < 300; n += 1) {
      book.hear(transition(n, 'reminder'), window, start + n * HOUR);
      const notice = book.takeNotice(start + n * HOUR + window) as Notice;
      book.planned(notice, [], start + n * HOUR + window);
      book.unfollow(notice.transitions[0]?.incident.id ?? '');
    }
    expect(book.outbox.messages).toHaveLength(100);
    expect(book.outbox.messages[0]).toMatchObject({ id: 'first', state: 'pending' });
    book.came('first', { state: 'sent' }, start);
    expect(book.idle).toBe(true);
  });
});
