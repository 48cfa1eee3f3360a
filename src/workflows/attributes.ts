import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What a run says of itself in the Web UI's list. A server must have these registered: `stack/` and compose do it. */
export const attributes = {
  pipeline: defineSearchAttributeKey('PipelineName', SearchAttributeType.KEYWORD),
  hour: defineSearchAttributeKey('PipelineHour', SearchAttributeType.DATETIME),
  stage: defineSearchAttributeKey('PipelineStage', SearchAttributeType.KEYWORD),
  outcome: defineSearchAttributeKey('PipelineOutcome', SearchAttributeType.KEYWORD),
  rows: defineSearchAttributeKey('PipelineRows', SearchAttributeType.INT),
} as const;
