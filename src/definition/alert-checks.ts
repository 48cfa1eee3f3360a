import type { Route } from './alerts.ts';
import { LONGEST_WAIT_MS } from './alert-waits.ts';
import { fieldValues } from './calendar.ts';
import { channelKinds, channelsOf } from './deliveries.ts';
import { didYouMean } from './did-you-mean.ts';
import { durationMs } from './duration.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { zoneProblem } from './zone-checks.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (...path: (string | number)[]): (string | number)[] => ['alerts', ...path];

/** What the schema cannot see of who is told: channels that there are not, times that cannot be, routes that nothing comes to. */
export function alertChecks({ alerts }: Pipeline): Finding[] {
  const names = channelsOf(alerts).map(({ name }) => name);
  return [
    ...Object.keys(alerts.channels ?? {}).flatMap((name): Finding[] =>
      channelKinds.some((kind) => kind === name)
        ? [
            {
              path: at('channels', name),
              atKey: true,
              message: `"${name}" is how alerts.${name} is called; choose another`,
            },
          ]
        : [],
    ),
    ...(alerts.routes ?? []).flatMap((route, n) => routeFindings(route, n, names)),
    ...unreached(alerts.routes ?? []),
    ...policyFindings(alerts, names),
  ];
}

function routeFindings({ to, when }: Route, n: number, names: readonly string[]): Finding[] {
  return [...unknownIn(at('routes', n, 'to'), to, names), ...timeFindings(when ?? {}, n)];
}

function timeFindings({ hours, days, zone }: NonNullable<Route['when']>, n: number): Finding[] {
  const found: Finding[] = [];
  const add = (member: string, message: string): unknown =>
    found.push({ path: at('routes', n, 'when', member), message });
  const [from, to] = hours?.split('-') ?? [];
  if (hours !== undefined && from === to)
    add('hours', `"${hours}" ends when it begins: leave it out for the whole day`);
  const values = days === undefined ? { values: [] } : fieldValues('dayOfWeek', days);
  if ('problem' in values) add('days', values.problem);
  const problem = zone === undefined ? undefined : zoneProblem(zone);
  if (problem !== undefined) add('zone', problem);
  else if (zone !== undefined && hours === undefined && days === undefined) {
    add('zone', 'is that of hours and days, and there are none');
  }
  return found;
}

function unreached(routes: readonly Route[]): Finding[] {
  const last = routes.findIndex(({ when }) => Object.values(when ?? {}).every((value) => value === undefined));
  if (last < 0 || last === routes.length - 1) return [];
  const message = `is never reached: alerts.routes[${last}] has no \`when\` and takes all; put it last`;
  return [{ path: at('routes', last + 1), message }];
}

function policyFindings({ policy }: Pipeline['alerts'], names: readonly string[]): Finding[] {
  const { group, remindEvery, escalateAfter, escalateTo } = policy;
  const found: Finding[] = [];
  const add = (member: string, message: string): unknown => found.push({ path: at('policy', member), message });
  if (durationMs(group) > HOUR)
    add('group', `"${group}" is more than 1h: nobody would be told of a problem for so long`);
  if (remindEvery !== 'never' && durationMs(remindEvery) < MINUTE)
    add('remindEvery', `"${remindEvery}" is less than 1m`);
  if (escalateAfter !== undefined && durationMs(escalateAfter) < MINUTE) {
    add('escalateAfter', `"${escalateAfter}" is less than 1m`);
  }
  if (remindEvery !== 'never' && durationMs(remindEvery) > LONGEST_WAIT_MS)
    add('remindEvery', `"${remindEvery}" is more than 366d: say never`);
  if (escalateAfter !== undefined && durationMs(escalateAfter) > LONGEST_WAIT_MS)
    add('escalateAfter', `"${escalateAfter}" is more than 366d: leave it out, and nothing escalates`);
  if (escalateTo && escalateAfter === undefined) {
    add('escalateTo', 'has no meaning without escalateAfter: say when');
  }
  if (escalateAfter !== undefined && names.length === 0) add('escalateAfter', `has nobody to tell: ${NO_CHANNEL}`);
  return [...found, ...unknownIn(at('policy', 'escalateTo'), escalateTo ?? [], names)];
}

const NO_CHANNEL = 'there is no channel; define alerts.email, alerts.slack, alerts.webhook or one in alerts.channels';

function unknownIn(path: readonly (string | number)[], to: readonly string[], names: readonly string[]): Finding[] {
  return to.flatMap((name, n): Finding[] => {
    if (to.indexOf(name) < n) return [{ path: [...path, n], message: `"${name}" stands here twice` }];
    if (names.includes(name)) return [];
    const known =
      names.length === 0 ? `: ${NO_CHANNEL}` : `.${didYouMean(name, names) || ` There are ${names.join(', ')}.`}`;
    return [{ path: [...path, n], message: `"${name}" is no channel${known}` }];
  });
}
