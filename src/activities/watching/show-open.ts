import { Context } from '@temporalio/activity';
import { sentenceOf } from '../../definition/errors.ts';
import type { Incident } from '../../definition/incidents.ts';
import { IndexedIncidents } from '../../stages/accounting/open-incidents.ts';
import type { StageContext } from '../../stages/deps.ts';
import { aborted } from '../aborted.ts';
import { openIncidents } from './temporal-world.ts';

/** No look takes longer for the dashboards. */
const SHOWN_WITHIN_MS = 5_000;

/**
 * Has the dashboards show open incidents as they stand. What is no change that anybody is told of (seen once more, acknowledged) no incident has
 * indexed itself, so that whoever looks does. Fails nothing: a later look tries again.
 */
export function showingOpen(index: (incidents: readonly Incident[], context: StageContext) => Promise<unknown>) {
  const indexed = new IndexedIncidents(index);
  let failed = false;
  return async (context: StageContext): Promise<void> => {
    const { client, log } = Context.current();
    const over = AbortSignal.any([context.signal, AbortSignal.timeout(SHOWN_WITHIN_MS)]);
    const showing = async (): Promise<void> => indexed.are(await openIncidents(client), { ...context, signal: over });
    try {
      await Promise.race([showing(), aborted(over)]);
      if (failed) log.info('the dashboards show again how open incidents stand');
      failed = false;
    } catch (error) {
      if (!failed && !context.signal.aborted)
        log.warn('the dashboards do not show how open incidents stand', { error: sentenceOf(error) });
      failed = true;
    }
  };
}
