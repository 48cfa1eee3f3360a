import type { Incident } from '../../definition/incidents.ts';
import { post } from './api.ts';
import { choice, element } from './dom.ts';
import { askIn } from './form-dialog.ts';
import { instant } from './format.ts';
import { keptName, keepName } from './kept-name.ts';
import { ruleWords } from './rule-words.ts';

export const acts = ['acknowledge', 'silence', 'close'] as const;
export type Act = (typeof acts)[number];

const CUSTOM = 'custom';
const HOUR_MS = 3_600_000;
const spans = [
  [1, 'One hour'],
  [4, '4 hours'],
  [8, '8 hours'],
  [24, 'One day'],
  [168, '7 days'],
] as const;

/** Asks what an act needs, and does it. @returns what was done, in a sentence; undefined where it was left */
export function perform(act: Act, incident: Incident): Promise<string | undefined> {
  return { acknowledge, silence, close }[act](incident);
}

/** `A run failed: SourceNotFound, of broadband` */
const nameOf = ({ rule, subject, pipeline }: Incident): string =>
  `${ruleWords(rule)}${subject === undefined ? '' : `: ${subject}`}, of ${pipeline}`;

/** Says which incident was looked at: while the dialog stood open it may have ended, and the next one of its problem have opened. */
const send = ({ id, openedAt }: Incident, act: Act, body: object): Promise<unknown> =>
  post(`/incidents/${encodeURIComponent(id)}/${act}`, { ...body, openedAt });

async function acknowledge(incident: Incident): Promise<string | undefined> {
  const by = name();
  const note = text('Note', 'What is being done, if you like.', false);
  const done = await askIn({
    title: `Acknowledge “${nameOf(incident)}”?`,
    consequence: 'You see to it: nobody is reminded of it any more, and it does not escalate.',
    ...{ yes: 'Acknowledge', fields: [by.field, note.field], wrong: by.wrong },
    send: async () => {
      await send(incident, 'acknowledge', { by: by.value(), ...(note.value() === '' ? {} : { note: note.value() }) });
    },
  });
  return done ? `${nameOf(incident)}: acknowledged by ${by.value()}.` : undefined;
}

async function silence(incident: Incident): Promise<string | undefined> {
  const by = name();
  const moment = element('input', { type: 'datetime-local', step: 60, class: 'wide' });
  const custom = element('label', { class: 'field', hidden: true }, element('span', {}, 'Until (UTC)'), moment);
  let hours = '1';
  const options = [...spans.map(([span, words]) => [String(span), words] as const), [CUSTOM, 'Until …'] as const];
  const span = choice('For', options, hours, (value) => {
    hours = value;
    custom.hidden = value !== CUSTOM;
  });
  const until = (): number =>
    hours === CUSTOM ? Date.parse(`${moment.value}:00Z`) : Date.now() + Number(hours) * HOUR_MS;
  let end = 0;
  const done = await askIn({
    title: `Silence “${nameOf(incident)}”?`,
    consequence: 'Nobody is told of it until then. Where it lasts longer, whoever waits is reminded then.',
    ...{ yes: 'Silence', fields: [by.field, span, custom] },
    wrong: () => by.wrong() ?? (until() > Date.now() ? undefined : 'Give an end that is to come, day and hour.'),
    send: async () => {
      end = until();
      await send(incident, 'silence', { by: by.value(), until: new Date(end).toISOString() });
    },
  });
  return done ? `${nameOf(incident)}: nobody is told of it until ${instant(end)}.` : undefined;
}

async function close(incident: Incident): Promise<string | undefined> {
  const by = name();
  const reason = text('Reason', 'Why it is over.', true);
  const done = await askIn({
    title: `Close “${nameOf(incident)}”?`,
    consequence: 'It is over by your word, and whoever was told of it is told so. Seen again, it is a new one.',
    ...{ yes: 'Close it', fields: [by.field, reason.field] },
    wrong: () => by.wrong() ?? reason.wrong(),
    send: async () => {
      await send(incident, 'close', { by: by.value(), reason: reason.value() });
    },
  });
  return done ? `${nameOf(incident)}: closed by ${by.value()}.` : undefined;
}

interface Asked {
  readonly field: HTMLElement;
  readonly value: () => string;
  readonly wrong: () => string | undefined;
}

/** Who does it; remembered for the next time. */
function name(): Asked {
  const asked = text('Your name', 'It stands beside what you do.', true, keptName());
  return {
    ...asked,
    value: () => {
      keepName(asked.value());
      return asked.value();
    },
  };
}

function text(label: string, hint: string, required: boolean, value = ''): Asked {
  const input = element('input', {
    ...{ value, maxlength: 500, autocomplete: 'off', class: 'wide' },
    ...(required ? { required: true } : {}),
  });
  return {
    field: element('label', { class: 'field' }, element('span', {}, `${label} · ${hint}`), input),
    value: () => input.value.trim(),
    wrong: () => {
      const isMissing = required && input.value.trim() === '';
      if (isMissing) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      return isMissing ? `${label} is missing: ${hint}` : undefined;
    },
  };
}
