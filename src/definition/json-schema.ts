import { z } from 'zod';
import { pipelineSchema } from './pipeline.ts';

/** The JSON Schema of a definition as people write it, for editors. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(pipelineSchema, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'A Sluice pipeline' };
}
