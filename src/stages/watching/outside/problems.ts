import type { Clearing, Fact, IncidentRule, Observation, Severity } from '../../../definition/incidents.ts';
import type { OpenProblem } from './memory.ts';

/** How something stands that may be a problem. */
export type Verdict = { readonly rule: IncidentRule; readonly subject?: string } & (
  | {
      readonly standing: 'wrong';
      /** The same for as long as it is the same. */
      readonly occurrence: string;
      readonly severity: Severity;
      readonly sentence: string;
      readonly facts: readonly Fact[];
      readonly workflowId?: string;
      /** Nobody is to be told that it began. */
      readonly muted?: boolean;
    }
  /** With the sentence that says so to whom its beginning was told. */
  | { readonly standing: 'well'; readonly sentence: string }
  /** It could not be looked at: what was so, stays. */
  | { readonly standing: 'unknown'; readonly why: string }
);

/** What there is to tell of a pipeline. */
export interface News {
  readonly observations: readonly Observation[];
  readonly clearings: readonly Clearing[];
  /** What is open from now on. */
  readonly open: readonly OpenProblem[];
}

const isSame = (a: Pick<OpenProblem, 'rule' | 'subject'>, b: Pick<OpenProblem, 'rule' | 'subject'>): boolean =>
  a.rule === b.rule && a.subject === b.subject;

/**
 * Compares how things stand with what has been told: a problem is told when it begins, and when it is over. What there is no verdict on stays as
 * it was told.
 * @param now ISO 8601
 */
export function newsOf(
  pipeline: string,
  open: readonly OpenProblem[],
  verdicts: readonly Verdict[],
  now: string,
): News {
  const observations: Observation[] = [];
  const clearings: Clearing[] = [];
  let left = [...open];
  for (const verdict of verdicts) {
    const { rule, subject } = verdict;
    const key = { rule, ...(subject === undefined ? {} : { subject }) };
    const told = left.find((one) => isSame(one, verdict));
    if (verdict.standing === 'unknown') continue;
    if (verdict.standing === 'well') {
      if (!told) continue;
      clearings.push({ pipeline, ...key, at: now, sentence: verdict.sentence });
      left = left.filter((one) => one !== told);
      continue;
    }
    const { occurrence, severity, sentence, facts, workflowId, muted } = verdict;
    if (told?.occurrence === occurrence || (!told && muted)) continue;
    observations.push({
      ...{ pipeline, ...key, severity, sentence, facts, occurrence, at: now },
      ...(workflowId === undefined ? {} : { workflowId }),
    });
    left = [...left.filter((one) => one !== told), { ...key, occurrence, sentence }];
  }
  return { observations, clearings, open: left };
}
