import type { Fact, MonitorRule, Severity } from '../../definition/incidents.ts';
import type { AnomalyNumbers } from '../run-report.ts';
import type { Judging, SeriesFinding } from './judge-series.ts';
import { weekdayOf } from './usual.ts';
import { deviationsText, percent, rhythmText } from './words.ts';

/** Something odd about a run. */
export interface Verdict {
  readonly rule: MonitorRule;
  readonly subject?: string;
  readonly severity: Severity;
  /** What was found, what is usual, and how far it is off. */
  readonly sentence: string;
  readonly facts: readonly Fact[];
  readonly numbers?: AnomalyNumbers;
  /** Series that are not learnt from, with what was expected of them. */
  readonly odd: Readonly<Record<string, number>>;
}

/** What a series' finding comes to. @param also what else is not to be learnt from */
export function verdictOf(judging: Judging, finding: SeriesFinding, also: Verdict['odd'] = {}): Verdict {
  const { key, kind, expected } = finding;
  const { rule, subject } = kind;
  return {
    ...{ rule, ...(subject === undefined ? {} : { subject }) },
    severity: judging.settings(kind).severity ?? severityOf(finding),
    sentence: sentenceOf(judging, finding),
    facts: factsOf(finding),
    numbers: numbersOf(finding),
    odd: { [key]: expected, ...also },
  };
}

/** What nobody can work with is worse than what is merely odd. */
function severityOf({ kind: { rule, subject }, value, expected, bound }: SeriesFinding): Severity {
  if (bound !== undefined) return 'warning';
  const critical =
    (rule === 'rows' && subject === 'read' && value < expected / 4) ||
    (rule === 'missing' && value >= 0.9) ||
    (rule === 'rejected' && value >= 0.5);
  return critical ? 'critical' : 'warning';
}

function sentenceOf(judging: Judging, finding: SeriesFinding): string {
  const { kind, value, expected, usual, bound } = finding;
  const found = upperFirst(kind.says(kind.text(value)));
  if (bound !== undefined) {
    return `${found}; the bound that monitors.${kind.rule} sets is ${kind.text(bound)}.`;
  }
  if (!usual) return `${found}.`;
  const rhythm = rhythmText(usual.rhythm, judging.at, weekdayOf(judging.at));
  const compared = `median of ${usual.runs} runs, ±${kind.text(usual.spread)}`;
  const again = finding.again ? ', for the second run in a row' : '';
  return `${found}, usually ${kind.text(expected)}${rhythm} (${compared}): ${changeOf(finding)}${again}.`;
}

function changeOf({ kind, value, expected }: SeriesFinding): string {
  const verb = value < expected ? 'fell' : 'rose';
  const by = Math.abs(value - expected);
  if (kind.change) return `${verb} by ${kind.change(by)}`;
  if (expected === 0) return 'there were none';
  if (kind.scale === 'spread') return `${verb} by ${kind.text(by)}`;
  return value > 3 * expected
    ? `${kind.text(value / expected).replace(/ .*/, '')} times as much`
    : `${verb} by ${percent(by / expected)}`;
}

function factsOf({ kind, value, expected, usual, bound }: SeriesFinding): Fact[] {
  const { text } = kind;
  // No count, share or age is below nothing.
  const canBeLess = usual !== undefined && !kind.onlyMore && (kind.scale === 'spread' || usual.from > 0);
  const fact = (name: string, what: string): Fact => ({ name, value: what });
  return [
    fact('found', text(value)),
    ...(bound === undefined ? [] : [fact('bound', text(bound))]),
    ...(usual
      ? [
          fact('usual', `${text(expected)} ± ${text(usual.spread)}`),
          ...(usual.deviations === undefined ? [] : [fact('off by', deviationsText(usual.deviations))]),
          fact('odd', `${canBeLess ? `below ${text(usual.from)} or ` : ''}above ${text(usual.to)}`),
          fact('compared with', `${usual.runs} runs${usual.rhythm === 'none' ? '' : ' at this time'}`),
        ]
      : []),
  ];
}

function numbersOf({ value, expected, usual, bound }: SeriesFinding): AnomalyNumbers {
  const compared =
    usual === undefined
      ? {}
      : { expected, runs: usual.runs, ...(usual.deviations === undefined ? {} : { deviations: usual.deviations }) };
  return { found: value, ...compared, ...(bound === undefined ? {} : { bound }) };
}

export const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
