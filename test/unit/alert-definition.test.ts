import { describe, expect, it } from 'vitest';
import { checkDefinition } from '../../src/definition/check-definition.ts';
import { alertPolicy } from '../../src/definition/deliveries.ts';

const email = { to: ['a@example.org'] };
const slack = { url: '${secret:SLACK}' };

function problems(alerts: unknown): string[] {
  const checked = checkDefinition({
    ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'], alerts },
    columns: { id: { name: 'id', required: true } },
  });
  return 'findings' in checked ? checked.findings.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
}

describe('the alerts of a definition', () => {
  it.each<[string, unknown]>([
    ['mails alone, as ever', { email }],
    ['nothing', {}],
    ['all kinds', { email, slack, webhook: { url: '${secret:HOOK}', key: '${secret:HOOK_KEY}' } }],
    [
      'routes to channels of its own',
      {
        ...{ email, channels: { oncall: { slack } } },
        routes: [
          { when: { severity: 'critical', hours: '22:00-06:00', zone: 'Europe/Berlin' }, to: ['oncall', 'email'] },
          { when: { rule: ['rows', 'missing'], days: 'MON-FRI' }, to: ['email'] },
          { to: ['oncall'] },
        ],
        policy: { group: '1m', remindEvery: 'never', escalateAfter: '4h', escalateTo: ['oncall'] },
      },
    ],
  ])('may be %s', (_, alerts) => expect(problems(alerts)).toEqual([]));

  it.each<[unknown, string]>([
    [
      { slack: { url: 'https://hooks.slack.com/services/T/B/x' } },
      'alerts.slack.url: must be a reference like ${secret:NAME}',
    ],
    [{ email, routes: [{ to: ['emaill'] }] }, 'alerts.routes.0.to.0: "emaill" is no channel. Did you mean "email"?'],
    [{ email, routes: [{ to: ['pager'] }] }, 'alerts.routes.0.to.0: "pager" is no channel. There are email.'],
    [{ routes: [{ to: ['email'] }] }, 'alerts.routes.0.to.0: "email" is no channel: there is no channel; define'],
    [{ email, routes: [{ to: ['email', 'email'] }] }, 'alerts.routes.0.to.1: "email" stands here twice'],
    [{ email, routes: [{ to: ['email'] }, { to: ['email'] }] }, 'alerts.routes.1: is never reached'],
    [{ channels: { email: { slack } } }, 'alerts.channels.email: "email" is how alerts.email is called'],
    [{ channels: { x: { slack, email } } }, 'alerts.channels.x: needs one of email, slack and webhook, and one alone'],
    [{ channels: { x: {} } }, 'alerts.channels.x: needs one of email, slack and webhook, and one alone'],
    [{ email, routes: [{ when: { rule: ['row'] }, to: ['email'] }] }, 'Did you mean "rows"?'],
    [{ email, routes: [{ when: { hours: '8-18' }, to: ['email'] }] }, 'must be times like 08:00-18:00'],
    [{ email, routes: [{ when: { hours: '08:00-08:00' }, to: ['email'] }] }, 'ends when it begins'],
    [
      { email, routes: [{ when: { days: 'MON-FRY' }, to: ['email'] }] },
      'alerts.routes.0.when.days: "FRY" is no number',
    ],
    [
      { email, routes: [{ when: { hours: '08:00-09:00', zone: 'Berlin' }, to: ['email'] }] },
      '"Berlin" is no time zone',
    ],
    [
      { email, routes: [{ when: { zone: 'Europe/Berlin' }, to: ['email'] }] },
      'is that of hours and days, and there are none',
    ],
    [{ email, policy: { escalateTo: ['email'] } }, 'alerts.policy.escalateTo: has no meaning without escalateAfter'],
    [{ policy: { escalateAfter: '4h' } }, 'alerts.policy.escalateAfter: has nobody to tell'],
    [
      { email, policy: { escalateAfter: '4h', escalateTo: ['slack'] } },
      'alerts.policy.escalateTo.0: "slack" is no channel',
    ],
    [{ email, policy: { group: '2h' } }, 'alerts.policy.group: "2h" is more than 1h'],
    [
      { email, policy: { remindEvery: 'seldom' } },
      'alerts.policy.remindEvery: must be a number with a unit, like 24h, or never',
    ],
    [{ email, policy: { remindEvery: '5s' } }, 'alerts.policy.remindEvery: "5s" is less than 1m'],
    [{ email, policy: { remindEvery: '367d' } }, 'alerts.policy.remindEvery: "367d" is more than 366d: say never'],
    [
      { email, policy: { escalateAfter: '9999999999999d' } },
      'alerts.policy.escalateAfter: "9999999999999d" is more than 366d',
    ],
    [{ mail: email }, 'alerts.mail: "mail" is not known here. Did you mean "email"?'],
  ])('may not be %j', (alerts, sentence) => expect(problems(alerts).join('\n')).toContain(sentence));

  it('have a policy where nothing is said, and in histories from before there was one', () => {
    expect(alertPolicy({})).toEqual({ groupMs: 30_000, remindEveryMs: 86_400_000 });
  });
});
