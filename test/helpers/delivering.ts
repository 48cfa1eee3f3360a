import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../src/activities/index.ts';

type Input = Parameters<Activities['deliver']>[0];

/** A workflow that delivers one message, and tries it as often as that makes sense. */
export async function delivering(
  input: Input,
  patience: '3s' | '30s' = '3s',
): Promise<Awaited<ReturnType<Activities['deliver']>>> {
  const { deliver } = proxyActivities<Pick<Activities, 'deliver'>>({
    startToCloseTimeout: patience,
    heartbeatTimeout: '30s',
    retry: { maximumAttempts: 3, initialInterval: '10ms' },
  });
  return deliver(input);
}
