import { ActivityFailure, TimeoutFailure } from '@temporalio/workflow';
import { hasBegun } from '../definition/deliveries.ts';

/**
 * Whether a delivery that failed may have arrived all the same. What `deliver` throws has surely not; but Temporal may have given its last attempt
 * up while that was sending.
 */
export function mayHaveCome(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure && hasBegun(cause.lastHeartbeatDetails);
}
