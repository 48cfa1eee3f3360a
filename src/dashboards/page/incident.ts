/** An incident as `GET /incidents` lists it; docs/api.md. */
export interface Incident {
  readonly id: string;
  readonly pipeline: string;
  readonly rule: string;
  readonly subject?: string;
  readonly severity: 'warning' | 'critical';
  readonly state: 'open' | 'acknowledged' | 'recovered' | 'closed';
  readonly openedAt: string;
  readonly lastSeenAt: string;
  readonly endedAt?: string;
  readonly occurrences: number;
  readonly hours: readonly string[];
  readonly sentence: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly workflowId?: string;
  readonly runId?: string;
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly note?: string };
  readonly escalatedAt?: string;
  readonly silencedUntil?: string;
}

/** The same problem may have had several, one after the other. */
export const keyOf = ({ id, openedAt }: Incident): string => `${id} ${openedAt}`;
