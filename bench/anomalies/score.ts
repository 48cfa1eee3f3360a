import { monitorsSchema } from '../../src/definition/monitors.ts';
import { problemName } from '../../src/definition/names.ts';
import { judge } from '../../src/stages/watching/judge.ts';
import { HISTORY_HOURS } from '../../src/stages/watching/history.ts';
import { measuresOf, type HourMeasures } from '../../src/stages/watching/measures.ts';
import { problemKinds, ruleOf, type Problem } from './problems.ts';
import { World } from './world.ts';

/** A problem that somebody is told of: the first of its odd hours. */
export interface Alert {
  readonly hour: number;
  readonly rule: string;
  readonly subject?: string;
  readonly sentence: string;
  /** The planted problem that it names rightly; undefined where it is a false alarm. */
  readonly problem?: Problem;
}

/** What the monitors made of a history. */
export interface Score {
  readonly problems: readonly Problem[];
  readonly alerts: readonly Alert[];
  readonly runs: number;
}

/** Lets the monitors judge a made-up history hour by hour, each by what was kept of those before, as runs do. */
export function scoreHistory(seed: number, hours: number, problems: readonly Problem[] = []): Score {
  const world = new World(seed, problems);
  const monitors = monitorsSchema.parse({});
  const history: HourMeasures[] = [];
  const alerts: Alert[] = [];
  const caught = new Set<Problem>();
  let open = new Set<string>();
  let runs = 0;
  for (let hour = 0; hour < hours; hour++) {
    const run = world.hour(hour);
    if (!run) continue;
    runs += 1;
    const measures = measuresOf({ ...run, shape: 'one' });
    const { verdicts, clearings, suspect } = judge(monitors, history.slice(-HISTORY_HOURS), measures);
    for (const { rule, subject, sentence } of verdicts) {
      const id = problemName(rule, subject);
      if (open.has(id)) continue;
      open.add(id);
      const problem = problems.find((one) => {
        const named = ruleOf(one) === rule && (subject === undefined || subjectOf(one) === subject);
        return named && hour >= one.from && hour < one.to && !caught.has(one);
      });
      if (problem) caught.add(problem);
      alerts.push({
        hour,
        rule,
        ...(subject === undefined ? {} : { subject }),
        sentence,
        ...(problem ? { problem } : {}),
      });
    }
    const over = new Set(clearings.map(({ rule, subject }) => problemName(rule, subject)));
    open = new Set([...open].filter((id) => !over.has(id)));
    history.push({
      ...measures,
      suspect,
      odd: Object.assign({}, ...verdicts.map(({ odd }) => odd)) as HourMeasures['odd'],
    });
  }
  return { problems, alerts, runs };
}

function subjectOf({ kind, subject }: Problem): string | undefined {
  if (kind === 'rows') return 'read';
  if (kind === 'distinct') return 'customer';
  return kind === 'freshness' ? 'observed' : subject;
}

/** Of all scores together: by kind how many problems were planted and seen, and by rule how many alerts were false. */
export function tally(scores: readonly Score[]) {
  const problems = scores.flatMap((score) => score.problems);
  const alerts = scores.flatMap((score) => score.alerts);
  const seen = new Set(alerts.flatMap(({ problem }) => (problem ? [problem] : [])));
  const kinds = problemKinds.map((kind) => {
    const planted = problems.filter((problem) => problem.kind === kind);
    const found = planted.filter((problem) => seen.has(problem)).length;
    const [first] = planted;
    // A rule has the false alarms of all kinds that it names; the first of them has them in the table.
    const falseOnes = alerts.filter(
      ({ rule, problem }) => !problem && first && rule === ruleOf(first) && kind !== 'mix',
    ).length;
    return { kind, planted: planted.length, found, falseOnes };
  });
  const falseAlerts = alerts.filter(({ problem }) => !problem);
  const missed = problems.filter((problem) => !seen.has(problem));
  return { kinds, planted: problems.length, found: seen.size, falseAlerts, missed };
}
