import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from '@temporalio/client';

/** A namespace with the search attributes of ours. It takes a moment until every part of the server knows it. */
export async function makeNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    // 2, 3 and 6: Keyword, Int and Datetime in Temporal's API.
    const searchAttributes = {
      PipelineName: 2,
      PipelineHour: 6,
      PipelineStage: 2,
      PipelineOutcome: 2,
      PipelineRows: 3,
    };
    for (let tries = 0; ; tries += 1) {
      try {
        await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
        if (customAttributes?.['PipelineName'] !== undefined) return;
      } catch (error) {
        if (tries > 300) throw error;
      }
      await wait(300);
    }
  } finally {
    await connection.close();
  }
}

/** Makes one that nobody else has. @returns its name */
export async function newNamespace(address = ''): Promise<string> {
  const namespace = `n-${randomBytes(4).toString('hex')}`;
  await makeNamespace(address, namespace);
  return namespace;
}
