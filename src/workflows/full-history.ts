import { workflowInfo } from '@temporalio/workflow';

/** Whether a workflow's history is long enough to continue as new. @param most events, where the server does not say so first; tests set it */
export function isHistoryFull(most?: number): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || (most !== undefined && historyLength > most);
}
