import { readFile } from 'node:fs/promises';
import { SluiceError, sentenceOf } from './errors.ts';
import { parseDefinition } from './parse.ts';
import type { Pipeline } from './pipeline.ts';
import type { Problem } from './problem.ts';

/** `pipelines/x.yaml:12:3  columns.ZIP.type: must be one of …`, a line for each. */
export function describeProblems(file: string, problems: readonly Problem[]): string {
  return problems
    .map(({ line, column, path, message }) => `${file}:${line}:${column}  ${path === '' ? '' : `${path}: `}${message}`)
    .join('\n');
}

/**
 * Reads a definition from a file.
 * @throws SluiceError `DefinitionInvalid`, every problem on a line of its own
 */
export async function loadDefinition(file: string): Promise<Pipeline> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new SluiceError('DefinitionInvalid', `The definition ${file} cannot be read: ${sentenceOf(error)}.`, {
      cause: error,
    });
  }
  const parsed = parseDefinition(text);
  if ('pipeline' in parsed) return parsed.pipeline;
  throw new SluiceError('DefinitionInvalid', describeProblems(file, parsed.problems), {
    facts: { problems: parsed.problems },
  });
}
