import { isCollection, isMap, isPair, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { checkDefinition } from './check-definition.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding, Problem } from './problem.ts';

/** Far above any definition, far below what would hurt. */
const MAX_CHARACTERS = 1_000_000;

/** A definition, or everything that is wrong with it. */
export type Parsed = { readonly pipeline: Pipeline } | { readonly problems: readonly Problem[] };

/**
 * Reads a definition's YAML. Every problem is listed at once, in the order of the file.
 * @param more looks at one in which nothing is wrong so far
 */
export function parseDefinition(text: string, more: (pipeline: Pipeline) => readonly Finding[] = () => []): Parsed {
  const whole = (message: string): Parsed => ({ problems: [{ path: '', line: 1, column: 1, message }] });
  if (text.length > MAX_CHARACTERS) return whole('The file is longer than a million characters.');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { path: '', line, column: col, message: error.message };
    });
    return { problems };
  }
  if (!isMap(document.contents))
    return whole('The file holds no definition: it must be a mapping with name, source and columns.');
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return whole(error instanceof Error ? error.message : String(error));
  }
  const checked = checkDefinition(data);
  const findings = 'pipeline' in checked ? more(checked.pipeline) : checked.findings;
  if ('pipeline' in checked && findings.length === 0) return checked;
  const problems = findings.map((finding): Problem => ({
    ...placeOf(document, lines, finding),
    message: finding.message,
    path: finding.path.join('.'),
  }));
  return { problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** Where a path stands in the file; the nearest thing above it where it is missing. */
function placeOf(document: Document, lines: LineCounter, { path, atKey }: Finding): { line: number; column: number } {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const offset = offsetAt(
      document,
      path.slice(0, depth),
      (depth === path.length && atKey === true) || depth < path.length,
    );
    if (offset === undefined) continue;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }
  return { line: 1, column: 1 };
}

function offsetAt(document: Document, path: readonly (string | number)[], key: boolean): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) return undefined;
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last),
    );
    const node = (key ? pair?.key : (pair?.value ?? pair?.key)) as Node | null | undefined;
    return node?.range?.[0];
  }
  return (parent.get(Number(last), true) as Node | undefined)?.range?.[0];
}
