import type { TraceLink } from '../../definition/trace-links.ts';
import { element } from './dom.ts';

/** A trace with a link to its page, where the server says where that is. */
export function traceOf(trace: string, { page, problem }: TraceLink = {}): (Node | string)[] {
  if (page !== undefined && /^https?:\/\//i.test(page)) return [element('a', { href: page, rel: 'noreferrer' }, trace)];
  return problem === undefined ? [trace] : [trace, ` (${problem})`];
}
