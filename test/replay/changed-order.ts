import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../src/activities/index.ts';

const { importSource } = proxyActivities<Activities>({ startToCloseTimeout: '1m' });

/** Every workflow after a careless change: it does first what it does later, or not at all. No history of a real one may replay here. */
export default async function changed(): Promise<unknown> {
  return importSource(undefined as never);
}
