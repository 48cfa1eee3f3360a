import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../src/activities/index.ts';

const { importSource } = proxyActivities<Activities>({ startToCloseTimeout: '1m' });

/** The pipeline after a careless change: it imports before it prepares. No history of the real one may replay here. */
export async function pipeline(): Promise<unknown> {
  return importSource(undefined as never);
}
