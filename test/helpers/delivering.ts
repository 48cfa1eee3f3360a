import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../src/activities/index.ts';
import { mayHaveCome } from '../../src/workflows/may-have-come.ts';

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

/** One that tries once, and says whether what failed may have come. */
export async function deliveringOnce(input: Input): Promise<{ mayHaveCome: boolean }> {
  const { deliver } = proxyActivities<Pick<Activities, 'deliver'>>({
    startToCloseTimeout: '6h',
    scheduleToCloseTimeout: '3s',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s' },
  });
  try {
    await deliver(input);
    throw new Error('It was delivered.');
  } catch (error) {
    return { mayHaveCome: mayHaveCome(error) };
  }
}
