import type { ScheduleOptions } from '@temporalio/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calendarFields } from '../../src/definition/calendar.ts';
import { cronCalendar } from '../../src/definition/cron.ts';
import { ids } from '../../src/definition/names.ts';
import { calendarValues } from '../../src/definition/schedule.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';
import { Schedules } from '../../src/client/schedules/schedules.ts';
import { definition } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('schedules', () => {
  let lab: WorkflowLab;
  let schedules: Schedules;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    schedules = new Schedules(lab.temporal.client);
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const scheduled = (schedule: PipelineInput['schedule'], more: Partial<PipelineInput> = {}): Pipeline =>
    definition({ schedule: { paused: true, ...schedule }, ...more });
  const handleOf = ({ name }: Pipeline) => lab.temporal.client.schedule.getHandle(ids.schedule(name));

  it('are made of a definition, and the same definition again changes nothing', async () => {
    for (const schedule of [
      {},
      { every: '6h', offset: '5m', jitter: '20m', catchUp: '3h', startAt: '2026-01-01T00:00:00+01:00' },
      {
        calendars: [{ hour: '6-18/2', minute: 5, dayOfWeek: 'MON-FRI', comment: 'office hours' }],
        timezone: 'Europe/Berlin',
      },
      { cron: ['0 */6 * * *', '@monthly', '30 5 1,15 JAN,jul 7'], overlap: 'bufferAll', pauseOnFailure: true },
      {
        skip: [{ dayOfWeek: 'SUN' }, { month: 12, dayOfMonth: '24-26' }],
        endAt: '2030-01-01T00:00:00Z',
        overlap: 'skip',
      },
      { calendars: [{ year: [2026, '2028-2030'], month: ['feb', 'NOVEMBER'], dayOfMonth: '*/10', hour: '*' }] },
    ] satisfies PipelineInput['schedule'][]) {
      const pipeline = scheduled(schedule);
      expect(await schedules.apply(pipeline)).toMatchObject({ outcome: 'created' });
      expect({ schedule, ...(await schedules.plan(pipeline)) }).toMatchObject({
        schedules: [
          { change: 'none', differences: [] },
          { change: 'none', differences: [] },
        ],
      });
      expect(await schedules.apply(pipeline)).toMatchObject({ outcome: 'unchanged' });
      expect(await schedules.definition(pipeline.name)).toEqual(pipeline);
      await handleOf(pipeline).delete();
    }
  });

  it('read cron texts as the server does', async () => {
    const item = (min: number, max: number, names: readonly string[]) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: 1, max: max + 3 }).map((step) => `*/${step}`),
        fc.integer({ min, max }).map(String),
        fc.constantFrom(...names, String(min)),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.option(fc.integer({ min: 1, max })))
          .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}${step === null ? '' : `/${step}`}`),
        fc.tuple(fc.integer({ min, max }), fc.integer({ min: 1, max })).map(([from, step]) => `${from}/${step}`),
      );
    const field = (min: number, max: number, names: readonly string[] = []) =>
      fc.array(item(min, max, names), { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
    const cron = fc
      .tuple(
        field(0, 59),
        field(0, 23),
        field(1, 31),
        field(1, 12, ['jan', 'Febru', 'DEC']),
        field(0, 7, ['su', 'MON', 'Thursday']),
      )
      // The server (1.29) loses the Sunday of these, against its own documentation; ours has it.
      .filter(([, , , , days]) => !days.split(',').some((part) => /^(1-7(\/1)?|1\/1)$/.test(part)))
      .map((fields) => fields.join(' '));
    const texts = fc.sample(cron, 150);
    const { name } = definition();
    const handle = await lab.temporal.client.schedule.create({
      scheduleId: name,
      spec: { cronExpressions: texts },
      action: { type: 'startWorkflow', workflowType: 'launch', taskQueue: 'nowhere' },
      state: { paused: true },
    } satisfies ScheduleOptions);
    const { raw } = await handle.describe();
    await handle.delete();
    const server = raw.schedule?.spec?.structuredCalendar ?? [];
    expect(server).toHaveLength(texts.length);
    for (const [at, text] of texts.entries()) {
      const parsed = cronCalendar(text);
      const ours = 'fields' in parsed ? calendarValues(parsed.fields) : undefined;
      for (const fieldName of calendarFields) {
        const values = new Set<number>();
        for (const { start, end, step } of server[at]?.[fieldName] ?? [])
          for (let n = start ?? 0; n <= Math.max(start ?? 0, end ?? 0); n += step || 1) values.add(n);
        expect({ text, [fieldName]: ours?.[fieldName] }).toEqual({
          text,
          [fieldName]: [...values].toSorted((a, b) => a - b),
        });
      }
    }
  });
});
