import { execFileSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { CommanderError } from 'commander';
import { candidates, scripts } from '../../src/client/cli/completion.ts';
import { endOf } from '../../src/client/cli/exit-codes.ts';
import { commandTree, main } from '../../src/client/cli/main.ts';
import { incidentLines, listLines } from '../../src/client/cli/incidents.ts';
import { RunView } from '../../src/client/cli/run-view.ts';
import { cut } from '../../src/client/cli/screen.ts';
import { printedServerLines } from '../../src/client/cli/server-lines.ts';
import { statusLines, type ShownRun } from '../../src/client/cli/status.ts';
import { watchdogLines } from '../../src/client/cli/watchdog.ts';
import { pendingLine, storyLines } from '../../src/client/cli/logs.ts';
import { RunEventLog, type PendingActivity, type RunEvent } from '../../src/client/run-events.ts';
import { listQuery } from '../../src/client/run-list.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import type { Incident } from '../../src/definition/incidents.ts';
import { consumerNote } from '../../src/stages/landing/consume.ts';
import type { RunProgress } from '../../src/workflows/messages.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 24, 3, 0, second)).toISOString();
const stage = (name: string, from: number, to: number, rows?: number) => ({
  ...{ stage: name, startedAt: at(from), ms: (to - from) * 1000 },
  ...(rows === undefined ? {} : { rows }),
});
const progress = (more: Partial<RunProgress>): RunProgress => ({
  ...{ pipeline: 'p', hour: '2026-11-24T03:00:00Z', stages: [] },
  ...more,
});
const brief = (events: readonly RunEvent[]): string[] =>
  events.map(({ type, ...event }) => [type, ...('stage' in event && event.stage ? [event.stage] : [])].join(' '));

describe('events of a run', () => {
  it('are told once each, in order, with rows and rate', () => {
    const log = new RunEventLog();
    const first = log.take({ progress: progress({ current: 'import' }), pending: [] }, at(1));
    expect(brief(first)).toEqual(['stage-begun import']);
    const snapshot = { progress: progress({ stages: [stage('import', 0, 2, 500)], current: 'clean' }), pending: [] };
    const second = log.take(snapshot, at(3));
    expect(brief(second)).toEqual(['stage-done import', 'stage-begun clean']);
    expect(second[0]).toMatchObject({ rows: 500, rowsPerSecond: 250, ms: 2000 });
    expect(second[1]).toMatchObject({ at: at(2) });
    expect(log.take(snapshot, at(4))).toEqual([]);
    const stages = [stage('import', 0, 2), stage('clean', 2, 3), stage('report', 3, 4)];
    expect(brief(log.end(stages, { outcome: 'completed' }, at(4)))).toEqual([
      ...['stage-done clean', 'stage-begun report', 'stage-done report', 'ended'],
    ]);
  });

  it('do not call a stage done that nothing follows: it may have failed', () => {
    const log = new RunEventLog();
    log.take({ progress: progress({ current: 'import' }), pending: [] }, at(1));
    const stages = [stage('import', 0, 2)];
    expect(log.take({ progress: progress({ stages }), pending: [] }, at(2))).toEqual([]);
    const error = { code: 'SourceNotFound', message: 'Not there.' };
    const events = log.end(stages, { outcome: 'failed', error }, at(2));
    expect(brief(events)).toEqual(['stage-failed import', 'ended']);
    expect(events[1]).toMatchObject({ outcome: 'failed', error });
  });

  it('say of a paused run which stage is through, and that it goes on', () => {
    const log = new RunEventLog();
    log.take({ progress: progress({ current: 'import' }), pending: [] }, at(1));
    log.take({ progress: progress({ current: 'import', mode: 'pausing' }), pending: [] }, at(1));
    const stages = [stage('import', 0, 2)];
    const paused = log.take({ progress: progress({ stages, mode: 'paused', waiting: 'paused' }), pending: [] }, at(2));
    expect(brief(paused)).toEqual(['stage-done import', 'paused']);
    const going = log.take({ progress: progress({ stages, current: 'clean', mode: 'running' }), pending: [] }, at(9));
    expect(brief(going)).toEqual(['stage-begun clean', 'resumed']);
  });

  it('say of each failed attempt once why it failed, and what the next one is at', () => {
    const log = new RunEventLog();
    const failure = { message: 'The source is away.', code: 'SourceUnavailable' };
    const pending: PendingActivity[] = [{ activity: 'importSource', attempt: 2, failure }];
    const look = { progress: progress({ current: 'import' }), pending };
    expect(log.take(look, at(1))[1]).toMatchObject({ type: 'attempt-failed', attempt: 1, ...failure, stage: 'import' });
    expect(log.take(look, at(2))).toEqual([]);
    const noted = log.take({ ...look, pending: [{ activity: 'importSource', attempt: 3, note: 'at it' }] }, at(3));
    expect(brief(noted)).toEqual(['attempt-failed import', 'note import']);
  });

  it('say that a worker is waited for after the second look without an answer, and that there is one', () => {
    const log = new RunEventLog();
    expect(log.take({ pending: [] }, at(1))).toEqual([]);
    expect(log.take({ pending: [] }, at(2))).toEqual([{ type: 'waiting', at: at(2), what: 'a worker' }]);
    const back = log.take({ progress: progress({ current: 'land', waiting: 'a turn' }), pending: [] }, at(3));
    expect(back.at(-1)).toEqual({ type: 'waiting', at: at(3), what: 'a turn', stage: 'land' });
  });

  it('say that Temporal is waited for, and take nothing back of what was said meanwhile', () => {
    const log = new RunEventLog();
    const pending: PendingActivity[] = [{ activity: 'publish', attempt: 1, note: 'sent 5 of 9' }];
    const look = { progress: progress({ current: 'publish' }), pending };
    log.take(look, at(1));
    const away = { pending: [], away: true };
    expect(log.take(away, at(2))).toEqual([{ type: 'waiting', at: at(2), what: 'Temporal', stage: 'publish' }]);
    expect(log.take(away, at(3))).toEqual([]);
    expect(log.take(look, at(4))).toEqual([{ type: 'waiting', at: at(4), what: undefined, stage: 'publish' }]);
  });
});

describe('the live view', () => {
  it('keeps a line a stage and shows what runs', () => {
    const view = new RunView(false);
    view.take({ type: 'stage-begun', at: at(0), stage: 'publish' });
    view.take({ type: 'note', at: at(1), stage: 'publish', notes: ['sent 5 of 9', 'sent 1 of 2'] });
    const live = view.live(Date.parse(at(3)));
    expect(live[0]).toMatch(/ publish +3\.0 s {2}sent 5 of 9$/);
    expect(live[1]).toMatch(/^ +sent 1 of 2$/);
    expect(
      view.take({ type: 'stage-done', at: at(4), stage: 'publish', ms: 4000, rows: 9000, rowsPerSecond: 2250 }),
    ).toEqual(['  publish        4.0 s  9,000 rows, 2,250/s']);
    expect(view.live(0)).toEqual([]);
    const failed = view.take({ type: 'attempt-failed', at: at(5), activity: 'x', attempt: 1, code: 'A', message: 'b' });
    expect(failed[0]).toContain('attempt 1 failed: A: b');
  });

  it('cuts lines at the width, and no colour in two', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdefg', 6)).toBe('abcde…');
    expect(cut('\u001B[31mabcdefg\u001B[39m', 6)).toBe('\u001B[31mabcde\u001B[39m…');
  });
});

describe('the list of runs', () => {
  const run: ShownRun = {
    ...{ workflowId: 'pipeline/p/2026-11-24T03:00:00Z', runId: 'r', pipeline: 'p', hour: '2026-11-24T03:00:00Z' },
    ...{ status: 'completed', outcome: 'completed', rows: 1200, startedAt: at(0), closedAt: at(9) },
  };

  it('has a line a run, two where the terminal is narrow, and schedules and consumers below', () => {
    const schedules = [{ name: 'p', paused: true, note: 'by hand' }];
    const consumers = [{ workflowId: 'consumer/p/0', stream: 'p', shard: 0 }];
    const wide = statusLines({ runs: [run], schedules, consumers }, undefined, 120);
    expect(wide[0]).toMatch(/^completed {2}p 2026-11-24T03 +2026-11-24T03:00:00Z +9\.0 s {2}1,200 rows$/);
    expect(wide).toContain('  p  paused: by hand');
    expect(wide).toContain('  p  no worker answers for it');
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((stream) => ({ workflowId: '', stream, shard: 0 }));
    expect(statusLines({ runs: [run], schedules: [], consumers: many }, undefined, 120).at(-1)).toBe(
      '  7  no worker answers for them',
    );
    const narrow = statusLines({ runs: [run], schedules: [], consumers: [] }, undefined, 50);
    expect(narrow).toHaveLength(2);
    expect(narrow[1]).toContain('1,200 rows');
  });

  it('says of a run that failed where, and of one without a worker that it waits', () => {
    const of = (more: object): string =>
      statusLines({ runs: [{ ...run, ...more }], schedules: [], consumers: [] }, 'p', 200)[0] ?? '';
    expect(of({ status: 'failed', outcome: 'failed', stage: 'import' })).toMatch(/^failed .*in import$/);
    expect(of({ status: 'running', outcome: undefined, rows: undefined, stage: undefined })).toMatch(
      /waits for a worker$/,
    );
    expect(
      of({ status: 'running', progress: progress({ current: 'land', waiting: 'a turn', mode: 'pausing' }) }),
    ).toMatch(/^pausing .*land, waits for a turn$/);
  });

  it('is asked for in Temporal’s language: new runs, which have said nothing of themselves yet, are in it', () => {
    expect(listQuery({ pipeline: 'p', outcome: 'failed', from: '2026-11-24T03:00:00Z' })).toBe(
      'WorkflowType = "pipeline" AND WorkflowId STARTS_WITH "pipeline/p/" AND ExecutionStatus IN ("Failed", "TimedOut", "Terminated") ' +
        'AND (PipelineHour >= "2026-11-24T03:00:00Z" OR PipelineHour IS NULL)',
    );
  });
});

describe('the story of a run', () => {
  it('has a heading a day and a line an entry', () => {
    const entry = (when: string, name: string) => ({ at: when, kind: 'stage' as const, name, text: 'begun' });
    const lines = storyLines(
      [entry('2026-11-24T23:59:59.000Z', 'import'), entry('2026-11-25T00:00:01.500Z', 'clean')],
      '',
    );
    expect(lines).toEqual([
      ...['2026-11-24', '23:59:59.000  stage    import         begun'],
      ...['2026-11-25', '00:00:01.500  stage    clean          begun'],
    ]);
    expect(storyLines([entry('2026-11-25T00:00:02.000Z', 'land')], '2026-11-25')).toHaveLength(1);
  });
});

describe('what is printed of logs', () => {
  it('steers no terminal', () => {
    const at = '2026-11-25T00:00:02.000Z';
    const text = 'a\u001B[2Jb\u0007\rc\n\td\u009Be\u202Ef';
    expect(storyLines([{ at, kind: 'signal', name: 'x', text, failed: false }], '2026-11-25')).toEqual([
      '00:00:02.000  signal   x              ab c def',
    ]);
    const lines = [{ server: 'kafka' as const, at, level: 'warn' as const, text }];
    expect(printedServerLines({ server: 'kafka', lines, left: 0 }).map(stripVTControlCharacters)).toEqual([
      '2026-11-25 00:00:02.000  WARN   ab c def',
    ]);
    expect(pendingLine({ activity: 'clean', attempt: 1, note: text })).not.toMatch(/\p{Cc}/u);
  });

  it('of a server is not followed', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(await main(['logs', '2026-11-24T03', '--follow', '--server', 'kafka'])).not.toBe(0);
      expect(said.mock.calls.join('')).toContain("option '--server <name>' cannot be used with option '--follow'");
    } finally {
      said.mockRestore();
    }
  });
});

describe('large numbers', () => {
  const text = (lines: readonly string[]): string => stripVTControlCharacters(lines.join('\n'));

  it('have their thousands marked on every screen', () => {
    const note = consumerNote({ manifests: 1_200, openBatches: 0, lag: 32_735 });
    expect(note).toBe('1,200 manifests, 0 open batches, lag 32,735');
    const state = { mode: 'running', stream: 'p', topic: 'p', epoch: 'e', life: 1 } as const;
    const consumers = [{ workflowId: 'consumer/p/0', stream: 'p', shard: 0, state, note }];
    expect(text(statusLines({ runs: [], schedules: [], consumers }, undefined, 200))).toContain(`running, ${note}`);
    const crowd = Array.from({ length: 1_001 }, (_, shard) => ({ workflowId: '', stream: 'p', shard, state }));
    expect(text(statusLines({ runs: [], schedules: [], consumers: crowd }, undefined, 200))).toContain('1,001 running');
    const lines = [{ server: 'kafka' as const, at: at(1), level: 'warn' as const, text: 'x' }];
    expect(text(printedServerLines({ server: 'kafka', left: 1_234, lines }))).toContain('… and 1,234 others');
    const watching = {
      ...{ lookedAt: at(1), everyMs: 60_000, pipelines: [], consumers: 1_500, queues: {}, open: [], problems: [] },
    };
    expect(text(watchdogLines({ running: true, state: watching }, Date.parse(at(2)), 200))).toContain(
      'Watches 0 schedules and 1,500 consumers',
    );
    const incident: Incident = {
      ...{ id: 'p/missing', pipeline: 'p', rule: 'missing', severity: 'warning', state: 'open', sentence: 'Odd.' },
      ...{ openedAt: at(0), lastSeenAt: at(1), occurrences: 1_234, facts: [] },
      hours: Array.from({ length: 1_100 }, () => '2026-11-24T03:00:00Z'),
    };
    expect(text(listLines(incident))).toContain('seen 1,234 times');
    expect(text(incidentLines(incident))).toContain('(1,100)');
  });
});

describe('exit codes', () => {
  it.each([
    [new SluiceError('SourceNotFound', 'x'), 1, 'SourceNotFound'],
    [new SluiceError('QualityBlocked', 'x'), 3, 'QualityBlocked'],
    [new SluiceError('Cancelled', 'x'), 130, 'Cancelled'],
    [new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"), 2, 'WronglyCalled'],
    [new TypeError('x'), 1, 'Unexpected'],
  ])('%s', (error, code, named) => {
    expect(endOf(error)).toMatchObject({ code, json: { error: { code: named } } });
  });
});

describe('days and hours', () => {
  it('are those of a calendar', () => {
    expect(toLogicalHour('2028-02-29T03')).toBe('2028-02-29T03:00:00Z');
    for (const wrong of ['2026-02-29T03', '2026-02-31T03:00:00Z', '2026-13-01T00']) {
      expect(() => toLogicalHour(wrong)).toThrow(/is not an hour/);
    }
  });
});

describe('completion', () => {
  const words = (...typed: string[]): string[] =>
    candidates(
      commandTree(() => {}),
      typed,
    ).map(({ word }) => word);

  it('knows commands, verbs, options and choices; where it knows none, files are offered', () => {
    expect(words('sta')).toEqual(['status', 'start', 'stack']);
    expect(words('run', 'r')).toEqual(['resume', 'retry', 'report']);
    expect(words('run', 'retry', '2026-11-24T03', '--from', '')).toEqual(['import', 'clean', 'publish', 'index']);
    expect(words('run', 'retry', '--from', 'clean', '--p')).toEqual(['--pipeline']);
    expect(words('run', 'x.yaml', '')).toEqual([]);
    expect(words('clean', 'x.csv', '--out', '')).toEqual([]);
    expect(words('')).not.toContain('complete');
  });

  it('loads in bash, and asks with the words as they stand, without evaluating them', () => {
    const script = `${scripts.bash}
      sluice() { printf '%s\\twhat it is\\n' "$@"; }
      complete -p sluice
      COMP_WORDS=(sluice run '$(echo evaluated)' 'a b'); COMP_CWORD=3; _sluice
      printf '<%s>' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(out).toBe(
      'complete -o bashdefault -o default -F _sluice sluice\n<complete><--><run><$(echo evaluated)><a b>',
    );
    expect(execFileSync('bash', ['-n', '-c', scripts.bash], { encoding: 'utf8' })).toBe('');
  });
});
