import type { z } from 'zod';
import { crossCheck } from './cross-checks.ts';
import { didYouMean } from './did-you-mean.ts';
import { SluiceError } from './errors.ts';
import { pipelineSchema, type Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { sectionAt } from './sections.ts';

/** Checks a definition as data, and fills its defaults in. @returns the definition, or all that is wrong with it */
export function checkDefinition(data: unknown): { readonly pipeline: Pipeline } | { readonly findings: Finding[] } {
  const result = pipelineSchema.safeParse(data, { reportInput: true });
  const findings = result.success ? crossCheck(result.data) : result.error.issues.flatMap(findingsOf);
  return result.success && findings.length === 0 ? { pipeline: result.data } : { findings };
}

/**
 * A definition as it came in from anywhere: the Web UI, the `temporal` CLI, a program.
 * @throws SluiceError `DefinitionInvalid`, which names every problem
 */
export function acceptDefinition(data: unknown): Pipeline {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    const message = 'The input holds no definition: "pipeline" must be an object with name, source and columns.';
    throw new SluiceError('DefinitionInvalid', message);
  }
  const checked = checkDefinition(data);
  if ('pipeline' in checked) return checked.pipeline;
  const all = checked.findings.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new SluiceError('DefinitionInvalid', `The definition is not valid: ${all}`);
}

function findingsOf(issue: z.core.$ZodIssue): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const known = sectionAt(path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      atKey: true,
      message: `"${key}" is not known here.${didYouMean(key, known)}`,
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that got furthest is the one that was meant.
    const branches = issue.errors.map((errors) =>
      errors.flatMap((inner) => findingsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue)),
    );
    const best = branches.toSorted((a, b) => a.length - b.length)[0] ?? [];
    if (best.length > 0 && best.every((finding) => finding.path.length > path.length)) return best;
    return [{ path, message: 'has none of the forms that are allowed here' }];
  }
  if (issue.code === 'invalid_value' && issue.values.every((value) => typeof value === 'string')) {
    const given = 'input' in issue && typeof issue.input === 'string' ? didYouMean(issue.input, issue.values) : '';
    // A schema's own sentence says more than ours.
    const own = issue.message.startsWith('Invalid ') ? undefined : issue.message;
    return [{ path, message: own ?? `must be one of ${issue.values.join(', ')}.${given}` }];
  }
  return [{ path, message: issue.message }];
}
