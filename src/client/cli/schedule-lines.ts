import type { Json } from '../../definition/canonical-json.ts';
import type { Difference } from '../schedules/differences.ts';
import type { ScheduleListed, ScheduleView } from '../schedules/describing.ts';
import type { SchedulePlan } from '../schedules/standing.ts';
import { bold, count } from './screen.ts';

const verbs = {
  would: { create: 'would be created', update: 'would change', delete: 'would be deleted' },
  did: { create: 'created', update: 'updated', delete: 'deleted' },
} as const;
/** What a value may take of a line; `--json` has all of it. */
const VALUE_WIDTH = 60;

/** What changes, field by field. What two schedules have in common, as the definition inside them, is said once. */
export function planLines(plans: readonly SchedulePlan[], tense: 'would' | 'did'): string[] {
  const said = new Set<string>();
  return plans.flatMap(({ scheduleId, change, differences, notes }) => {
    const lines = change === 'create' ? newLines(differences) : differences.map(differenceLine);
    const fresh = change === 'create' ? lines : lines.filter((line) => !said.has(line));
    for (const line of lines) said.add(line);
    return [
      `${bold(scheduleId)} ${change === 'none' ? 'is as the definition says' : verbs[tense][change]}`,
      ...fresh,
      ...(fresh.length < lines.length ? [`  ${fresh.length > 0 ? 'and ' : ''}the same in its definition`] : []),
      ...notes.map((note) => `  ${note}`),
    ];
  });
}

/** Of a new schedule what is out of the ordinary, and always when and how it starts. */
function newLines(differences: readonly Difference[]): string[] {
  const told = ['times', 'skip', 'timezone', 'startAt', 'endAt', 'jitter', 'overlap', 'catchUp', 'pauseOnFailure'];
  const ordinary = ['[]', '0s', 'UTC', 'false'];
  return differences
    .filter(({ path, new: wanted }) => told.includes(path) && !ordinary.includes(valueText(wanted)))
    .map(({ path, new: wanted }) => `  ${path}: ${valueText(wanted)}`);
}

/** A field and how it changed, in a line. */
export function differenceLine({ path, old, new: wanted }: Difference): string {
  return `  ${path}: ${valueText(old)} → ${valueText(wanted)}`;
}

function valueText(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_WIDTH ? `${text.slice(0, VALUE_WIDTH)} …` : text;
}

/** A schedule as `describe` shows it. */
export function describedLines(view: ScheduleView): string[] {
  const { scheduleId, pipeline, starts, paused, note, counts, recent } = view;
  const line = (title: string, text: string): string => `  ${title.padEnd(12)} ${text}`;
  const zone = view.timezone === 'UTC' ? '' : ` (${view.timezone})`;
  return [
    `${bold(scheduleId)}  ${paused ? 'paused' : 'runs'}${note === undefined ? '' : `: ${note}`}`,
    line('starts', starts + (pipeline === undefined || pipeline === scheduleId ? '' : ` of ${pipeline}`)),
    line('times', (view.times.length === 0 ? 'none' : view.times.join('; ')) + zone),
    ...(view.skip.length === 0 ? [] : [line('skips', view.skip.join('; ') + zone)]),
    ...(view.startAt === undefined ? [] : [line('from', view.startAt)]),
    ...(view.endAt === undefined ? [] : [line('until', view.endAt)]),
    ...(view.jitter === '0s' ? [] : [line('jitter', `up to ${view.jitter}`)]),
    line('overlap', view.overlap + (view.pauseOnFailure ? ', pauses when an hour has failed' : '')),
    line('catches up', `what was missed up to ${view.catchUp} ago`),
    line(
      'so far',
      `${count(counts.started)} started, ${count(counts.missed)} missed, ${count(counts.skipped)} skipped for another` +
        (counts.dropped > 0 ? `, ${count(counts.dropped)} dropped as too many waited` : ''),
    ),
    ...(view.running.length === 0 ? [] : [line('running', view.running.join(', '))]),
    ...(view.waiting === 0 ? [] : [line('waiting', count(view.waiting))]),
    ...(view.next.length === 0
      ? [line('next', 'nothing')]
      : view.next.map((at, n) => line(n === 0 ? 'next' : '', localText(at, view.timezone)))),
    ...(recent.length === 0 ? [] : ['  newest starts']),
    ...recent.map(
      ({ startedAt, hour, outcome, workflowId }) => `    ${startedAt}  ${outcome.padEnd(10)} ${hour ?? workflowId}`,
    ),
  ];
}

/** All schedules as a table. */
export function listedLines(all: readonly ScheduleListed[]): string[] {
  if (all.length === 0) return ['No schedule yet: "sluice schedule apply pipelines/broadband.yaml" makes one.'];
  const rows = all.map(({ scheduleId, paused, times, timezone, next, note }) => [
    scheduleId,
    paused ? 'paused' : 'runs',
    next ?? '-',
    times.join('; ') + (timezone === 'UTC' ? '' : ` (${timezone})`),
    paused ? (note ?? '') : '',
  ]);
  const table = [['SCHEDULE', 'STATE', 'NEXT', 'TIMES', 'NOTE'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** An instant, and what clocks of the schedule's zone show then. */
function localText(instant: string, zone: string): string {
  if (zone === 'UTC') return instant;
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return `${instant} (${local.format(new Date(instant))})`;
}
