import { element } from './dom.ts';

/** Where a trace is looked at, or why nobody knows; docs/traces.md. */
export interface TraceLink {
  readonly page?: string;
  readonly problem?: string;
}

/** A trace with a link to its page, where the server says where that is. */
export function traceOf(trace: string, { page, problem }: TraceLink = {}): (Node | string)[] {
  if (page !== undefined && /^https?:\/\//i.test(page)) return [element('a', { href: page, rel: 'noreferrer' }, trace)];
  return problem === undefined ? [trace] : [trace, ` (${problem})`];
}
