import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  type RetryState,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureTold } from '../../src/workflows/stage-times.ts';

describe('an activity that came to nothing', () => {
  const failed = (cause: Error, state: RetryState = 'MAXIMUM_ATTEMPTS_REACHED'): unknown =>
    new ActivityFailure('Activity task failed', 'clean', '1', state, 'worker', cause);

  it('failed by a code, or as nobody answered', () => {
    expect(failureTold(failed(ApplicationFailure.create({ type: 'StoreUnavailable' })))).toEqual({
      failed: 'StoreUnavailable',
    });
    expect(failureTold(failed(new TimeoutFailure('', undefined, 'HEARTBEAT')))).toEqual({ failed: 'NoAnswer' });
  });

  it('did not fail where it was told to stop, unless it says why', () => {
    expect(failureTold(failed(new CancelledFailure('cancelled')))).toEqual({});
    expect(failureTold(new CancelledFailure('cancelled'))).toEqual({});
    expect(failureTold(failed(new TimeoutFailure('', undefined, 'HEARTBEAT'), 'CANCEL_REQUESTED'))).toEqual({});
    const gone = ApplicationFailure.create({ type: 'SourceGone' });
    expect(failureTold(failed(gone, 'CANCEL_REQUESTED'))).toEqual({ failed: 'SourceGone' });
  });
});
