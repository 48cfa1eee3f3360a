import { TestWorkflowEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { requireSearchAttributes } from '../../src/connectors/temporal.ts';
import { noTemporal, program } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a namespace without our search attributes', () => {
  it('is refused with the command that registers them, which mends it', async () => {
    const temporal = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: program ?? '' } },
    });
    try {
      const { operatorService } = temporal.nativeConnection;
      await expect(requireSearchAttributes(operatorService, 'default')).rejects.toThrow(
        /temporal operator search-attribute create --namespace default --name PipelineName --type Keyword/,
      );
      await expect(requireSearchAttributes(operatorService, 'nowhere')).rejects.toThrow(
        /^Temporal has no namespace nowhere: .* temporal operator namespace create --namespace nowhere$/,
      );
      // 2, 3 and 6: Keyword, Int and Datetime in Temporal's API.
      await operatorService.addSearchAttributes({
        namespace: 'default',
        searchAttributes: { PipelineName: 2, PipelineHour: 6, PipelineStage: 2, PipelineOutcome: 2, PipelineRows: 3 },
      });
      await expect(requireSearchAttributes(operatorService, 'default')).resolves.toBeUndefined();
    } finally {
      await temporal.teardown();
    }
  });
});
