import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, ChildWorkflowFailure, TerminatedFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/client/failure-of.ts';

const failed = (cause: Error): WorkflowFailedError => new WorkflowFailedError('failed', cause, 'NON_RETRYABLE_FAILURE');

describe('the failure of a run', () => {
  it('is that of its stage, however deep', () => {
    const stage = ApplicationFailure.nonRetryable('Not there.', 'SourceNotFound');
    const child = new ChildWorkflowFailure('default', { workflowId: 'w', runId: 'r' }, 'pipeline', 'TIMEOUT', stage);
    expect(failureOf(failed(child))).toMatchObject({ code: 'SourceNotFound', message: 'Not there.' });
  });

  it.each(['Somebody had to', 'Somebody had to.'])(
    'is one sentence with one end where it was terminated: %s',
    (why) => {
      expect(failureOf(failed(new TerminatedFailure(why)))).toMatchObject({
        code: 'Cancelled',
        message: 'The run ended without a result: Somebody had to.',
      });
    },
  );
});
