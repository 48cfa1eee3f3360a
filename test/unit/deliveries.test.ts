import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/definition/alerts.ts';
import { planDeliveries, type Delivery } from '../../src/definition/deliveries.ts';
import { incidentRules, severities, transitions, type Transition } from '../../src/definition/incidents.ts';
import { noticeOf, transition } from '../helpers/notices.ts';

const email = { to: ['a@example.org'] };
const slack = { url: '${secret:SLACK}' };
const webhook = { url: '${secret:HOOK}', key: '${secret:KEY}' };
const NOON = '2026-11-26T12:00:00Z';

const planned = (alerts: unknown, one: Transition, now = NOON): string[] =>
  planDeliveries(alertsSchema.parse(alerts), noticeOf(one), now).map(({ name }) => name);

describe('the deliveries of a notice', () => {
  it('go to every channel where there are no routes', () => {
    expect(planned({ email, slack, channels: { oncall: { webhook } } }, transition())).toEqual([
      'email',
      'slack',
      'oncall',
    ]);
    expect(planned({}, transition())).toEqual([]);
  });

  it('go by the first route that fits, and to every channel where none does', () => {
    const routes = [
      { when: { severity: 'warning' }, to: ['email'] },
      { when: { rule: ['rows', 'missing'] }, to: ['slack'] },
    ];
    const alerts = { email, slack, routes };
    expect(planned(alerts, transition({ severity: 'warning', rule: 'rows' }))).toEqual(['email']);
    expect(planned(alerts, transition({ rule: 'rows' }))).toEqual(['slack']);
    expect(planned(alerts, transition())).toEqual(['email', 'slack']);
  });

  it.each<[string, string, string[]]>([
    ['2026-11-26T21:59:00+01:00', 'is before', ['slack']],
    ['2026-11-26T22:00:00+01:00', 'begins', ['email']],
    ['2026-11-27T05:59:00+01:00', 'is past midnight', ['email']],
    ['2026-11-27T06:00:00+01:00', 'is over', ['slack']],
    ['2026-07-01T22:30:00+02:00', 'is in summer', ['email']],
  ])('go by the time of day in the zone: %s %s', (now, _, names) => {
    const when = { hours: '22:00-06:00', zone: 'Europe/Berlin' };
    expect(planned({ email, slack, routes: [{ when, to: ['email'] }, { to: ['slack'] }] }, transition(), now)).toEqual(
      names,
    );
  });

  it('go by the day of the week', () => {
    const alerts = { email, slack, routes: [{ when: { days: 'MON-FRI' }, to: ['slack'] }, { to: ['email'] }] };
    expect(planned(alerts, transition(), '2026-11-27T12:00:00Z')).toEqual(['slack']);
    expect(planned(alerts, transition(), '2026-11-28T12:00:00Z')).toEqual(['email']);
  });

  it('tell of an end whoever was told of the beginning, and whoever it was escalated to', () => {
    const routes = [{ when: { hours: '22:00-06:00' }, to: ['email'] }, { to: ['slack'] }];
    const policy = { escalateAfter: '4h', escalateTo: ['oncall'] };
    const alerts = { email, slack, channels: { oncall: { webhook } }, routes, policy };
    const began = { openedAt: '2026-11-25T23:00:00Z' };
    expect(planned(alerts, transition({ ...began, kind: 'reminder' }))).toEqual(['slack']);
    expect(planned(alerts, transition({ ...began, kind: 'escalated' }))).toEqual(['oncall']);
    expect(planned(alerts, transition({ ...began, kind: 'recovered' }))).toEqual(['email', 'slack']);
    expect(planned(alerts, transition({ ...began, kind: 'closed', escalatedAt: NOON }))).toEqual([
      'email',
      'slack',
      'oncall',
    ]);
  });

  it('tell of an end whoever was told of a beginning that was less severe, and of what became critical its own route', () => {
    const routes = [{ when: { severity: 'critical' }, to: ['slack'] }, { to: ['email'] }];
    const policy = { escalateAfter: '4h', escalateTo: ['oncall'] };
    const alerts = { email, slack, channels: { oncall: { webhook } }, routes, policy };
    const worse = { severity: 'critical', openedAs: 'warning', escalatedAt: NOON } as const;
    expect(planned(alerts, transition({ severity: 'warning' }))).toEqual(['email']);
    expect(planned(alerts, transition({ ...worse, kind: 'escalated', says: 'It has become critical.' }))).toEqual([
      'slack',
      'oncall',
    ]);
    expect(planned(alerts, transition({ ...worse, kind: 'escalated' }))).toEqual(['oncall']);
    expect(planned(alerts, transition({ ...worse, kind: 'recovered' }))).toEqual(['email', 'slack', 'oncall']);
  });

  it('are one for each channel, with all that goes there', () => {
    const routes = [{ when: { rule: ['rows'] }, to: ['slack'] }];
    const three = noticeOf(
      ...(['run-failed', 'rows', 'consumer-halted'] as const).map((rule, n) => transition({ id: `t${n}`, rule })),
    );
    expect(planDeliveries(alertsSchema.parse({ email, slack, routes }), three, NOON)).toEqual([
      { id: 'n/email/0.2', channel: 'email', name: 'email', transitions: ['t0', 't2'] },
      {
        ...{ id: 'n/slack', channel: 'slack', name: 'slack', transitions: ['t0', 't1', 't2'] },
        fallback: { id: 'n/email/1', channel: 'email', name: 'email', insteadOf: 'slack', transitions: ['t1'] },
      },
    ]);
  });

  it('fall back to a channel that was not told, another kind first', () => {
    const alerts = { slack, channels: { second: { slack }, hook: { webhook } }, routes: [{ to: ['slack'] }] };
    expect(planDeliveries(alertsSchema.parse(alerts), noticeOf(transition()), NOON)).toEqual([
      {
        ...{ id: 'n/slack', channel: 'slack', name: 'slack', transitions: ['t'] },
        fallback: {
          ...{ id: 'n/hook', channel: 'webhook', name: 'hook', insteadOf: 'slack', transitions: ['t'] },
          fallback: { id: 'n/second', channel: 'slack', name: 'second', insteadOf: 'slack', transitions: ['t'] },
        },
      },
    ]);
  });

  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata');
  const times = fc.integer({ min: 0, max: 24 * 60 - 1 }).map((m) => new Date(m * 60_000).toISOString().slice(11, 16));
  const names = ['email', 'slack', 'webhook', 'oncall'];
  const alertsArbitrary = fc
    .record({
      channels: fc.subarray(names, { minLength: 1 }),
      routes: fc.array(
        fc.record({
          when: fc.record(
            {
              severity: fc.constantFrom(...severities),
              rule: fc.subarray([...incidentRules], { minLength: 1 }),
              hours: fc.tuple(times, times).map(([from, to]) => `${from}-${to}`),
              days: fc.constantFrom('MON-FRI', 'SAT,SUN'),
              zone: zones,
            },
            { requiredKeys: [] },
          ),
          to: fc.subarray(names, { minLength: 1 }),
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ channels, routes }) => {
      const to = (wanted: readonly string[]): string[] => wanted.filter((name) => channels.includes(name));
      const kept = routes.map((route) => ({ ...route, to: to(route.to) })).filter((route) => route.to.length > 0);
      return alertsSchema.parse({
        ...(channels.includes('email') ? { email } : {}),
        ...(channels.includes('slack') ? { slack } : {}),
        ...(channels.includes('webhook') ? { webhook } : {}),
        ...(channels.includes('oncall') ? { channels: { oncall: { slack } } } : {}),
        ...(kept.length > 0 ? { routes: kept } : {}),
      });
    });
  const noticeArbitrary = fc
    .array(
      fc.record({
        kind: fc.constantFrom(...transitions),
        severity: fc.constantFrom(...severities),
        rule: fc.constantFrom(...incidentRules),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((all) => noticeOf(...all.map((one, n) => transition({ ...one, id: `t${n}` }))));
  const now = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });

  it('leave no transition untold, tell nobody anything twice, and are the same whenever they are asked for', () => {
    const chain = (delivery: Delivery): Delivery[] => [
      delivery,
      ...(delivery.fallback ? chain(delivery.fallback) : []),
    ];
    fc.assert(
      fc.property(alertsArbitrary, noticeArbitrary, now, (alerts, notice, at) => {
        const plan = planDeliveries(alerts, notice, at.toISOString());
        expect(planDeliveries(alerts, notice, at.toISOString())).toEqual(plan);
        expect(new Set(plan.flatMap((delivery) => delivery.transitions))).toEqual(
          new Set(notice.transitions.map(({ id }) => id)),
        );
        expect(new Set(plan.map(({ name }) => name)).size).toBe(plan.length);
        const byId = new Map<string, string>();
        for (const { id, name, transitions: told } of plan.flatMap(chain)) {
          expect(told.length).toBeGreaterThan(0);
          const what = JSON.stringify([name, told]);
          expect(byId.get(id) ?? what).toBe(what);
          byId.set(id, what);
        }
        for (const delivery of plan) {
          const direct = new Map(plan.map((one) => [one.name, one.transitions]));
          for (const { name, transitions: told } of chain(delivery).slice(1)) {
            expect(told.filter((one) => direct.get(name)?.includes(one))).toEqual([]);
          }
        }
      }),
    );
  });
});
