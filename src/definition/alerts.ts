import { z } from 'zod';
import { duration } from './duration-schema.ts';
import { incidentRules, severities } from './incidents.ts';

const secret = z
  .string()
  .regex(
    /^\$\{secret:[A-Z][A-Z0-9_]{0,63}\}$/,
    'must be a reference like ${secret:NAME}: whoever has the address or the key can send, so neither stands in a definition',
  );

const email = z.strictObject({ to: z.array(z.email()).min(1).describe('Who gets the mails.') });
const slack = z.strictObject({
  url: secret.describe('The address of an incoming webhook, as `${secret:NAME}`; the worker’s configuration has it.'),
});
const webhook = z.strictObject({
  url: secret.describe('Where messages are posted to, as `${secret:NAME}`; the worker’s configuration has it.'),
  key: secret.describe('What each message is signed with (HMAC-SHA256), as `${secret:NAME}`.'),
});

const channelName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower case letters, digits and -, beginning with a letter (40 at most)');
const channel = z
  .strictObject({ email: email.optional(), slack: slack.optional(), webhook: webhook.optional() })
  .refine(
    (kinds) => Object.values(kinds).filter((kind) => kind !== undefined).length === 1,
    'needs one of email, slack and webhook, and one alone',
  );

const days = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const when = z.strictObject({
  severity: z.enum(severities).optional(),
  rule: z.array(z.enum(incidentRules)).min(1).optional().describe('What was found: docs/alerts.md has all of them.'),
  hours: z
    .string()
    .regex(
      /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
      'must be times like 08:00-18:00, or 22:00-06:00',
    )
    .optional()
    .describe('The time of day, its end not included: 08:00-18:00; 22:00-06:00 goes past midnight.'),
  days: days.optional().describe('Days of the week as in a schedule: MON-FRI, or a list.'),
  zone: z.string().min(1).optional().describe('Of hours and days: Europe/Berlin. UTC where left out.'),
});

const route = z.strictObject({
  when: when.optional().describe('All of it must fit; a route without it takes whatever is left.'),
  to: z.array(z.string()).min(1).describe('Names of channels: email, slack, webhook, and those in `channels`.'),
});

const policy = z.strictObject({
  group: duration.default('30s').describe('What comes within this time is told in one message.'),
  remindEvery: z
    .string()
    .regex(/^(\d+(ms|s|m|h|d)|never)$/, 'must be a number with a unit, like 24h, or never')
    .default('24h')
    .describe('While a problem lasts and nobody has acknowledged it.'),
  escalateAfter: duration.optional().describe('A problem that nobody has acknowledged by then is told of once more.'),
  escalateTo: z.array(z.string()).min(1).optional().describe('Channels that it is told to then; all where left out.'),
});

/** Who is told of problems, by what, and how often. */
export const alertsSchema = z.strictObject({
  email: email.optional().describe('The channel `email`.'),
  slack: slack.optional().describe('The channel `slack`.'),
  webhook: webhook.optional().describe('The channel `webhook`.'),
  channels: z
    .record(channelName, channel)
    .optional()
    .describe('More channels, by names of your own: { oncall: { slack: { url: "${secret:ONCALL}" } } }.'),
  routes: z
    .array(route)
    .min(1)
    .max(50)
    .optional()
    .describe(
      'Which channels are told what: the first that fits. What fits none, and all where left out, goes to every channel.',
    ),
  policy: policy.prefault({}).describe('How often.'),
});

export type Alerts = z.infer<typeof alertsSchema>;
export type Route = z.infer<typeof route>;
