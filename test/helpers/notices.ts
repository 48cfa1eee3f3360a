import type { Incident, Notice, Transition } from '../../src/definition/incidents.ts';

const NOON = '2026-11-24T03:07:00Z';

/** A transition of an incident of pipeline `p`; what is said of the incident goes over what is usual. */
export function transition(
  changes: Partial<Incident> & { kind?: Transition['kind']; id?: string; at?: string; says?: string } = {},
): Transition {
  const { kind = 'opened', id = 't', at = NOON, says, ...incident } = changes;
  return {
    ...{ id, kind, at },
    ...(says === undefined ? {} : { sentence: says }),
    incident: {
      ...{ pipeline: 'p', rule: 'run-failed', id: 'incident/p/run-failed', severity: 'critical', state: 'open' },
      ...{ openedAt: NOON, lastSeenAt: NOON, occurrences: 1, hours: [], sentence: 'It is broken.', facts: [] },
      ...incident,
    },
  };
}

export const noticeOf = (...all: Transition[]): Notice => ({ id: 'n', pipeline: 'p', transitions: all });
