import { createRequire } from 'node:module';
import { Ajv, type ErrorObject } from 'ajv';
import { parse } from 'vega';
import { compileChart } from '../compile.ts';
import type { Json, JsonObject } from '../panel.ts';
import { requestsOf, withAnswers } from '../requests.ts';
import { findingsOf, pathText, type Finding } from './finding.ts';
import type { DecodedVisualization } from './schemas.ts';
import { SPEC } from './validate-spec.ts';
import { schemaOfFive } from './vega-lite-five.ts';

const everything = { from: 'now-24h', to: 'now', filters: {} };

let checks: ((spec: JsonObject) => ErrorObject[]) | undefined;

/** Vega-Lite’s own schema, as far as 5 and 6 have it in common, is read once, and only where something is checked. */
function schemaErrors(spec: JsonObject): ErrorObject[] {
  if (checks === undefined) {
    const schema = createRequire(import.meta.url)('vega-lite/vega-lite-schema.json') as JsonObject;
    // Its code is run a few times only, so none of ajv’s time goes into making it fast: a second instead of nine.
    const quick = { inlineRefs: false, code: { optimize: false }, validateSchema: false };
    const check = new Ajv({ allErrors: true, strict: false, validateFormats: false, ...quick }).compile(
      schemaOfFive(schema),
    );
    checks = (value) => (check(value) ? [] : (check.errors ?? []));
  }
  return checks(spec);
}

/**
 * Whether a spec draws: after its requests are answered it fits the schemas of Vega-Lite 5 and 6, compiles with 6, which is all that is
 * installed, and Vega can read what comes out.
 */
export function checkChart(object: DecodedVisualization): Finding[] {
  const { all, add } = findingsOf(object);
  const { spec } = object.attributes.visState.params;
  let answered: JsonObject;
  try {
    answered = emptyChart(spec);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Said by checkSpec already, and in more words; this is for what it may not know of.
    return [...all, { object: `${object.type} ${object.id}`, where: SPEC, what: `cannot be asked: ${error.message}` }];
  }
  const wrong = deepest(schemaErrors(answered));
  if (wrong !== undefined) {
    const path = wrong.instancePath.split('/').slice(1).map(unescaped);
    add(pathText([SPEC, ...path]), `does not fit the schema of Vega-Lite, it ${said(wrong)}`);
    return all;
  }
  try {
    parse(compileChart(answered, { mode: 'light' }), undefined, { ast: true });
  } catch (error) {
    add(SPEC, `does not compile: ${error instanceof Error ? error.message : String(error)}`);
  }
  return all;
}

/** The spec with an answer for each request that has no rows. */
export function emptyChart(spec: JsonObject): JsonObject {
  const requests = requestsOf(spec, everything);
  const answers = requests.map(({ path }): Json => {
    let data: Json = spec;
    for (const key of path) data = (data as JsonObject)[key] as Json;
    const { format } = data as { format?: { property?: string } };
    const keys = (format?.property ?? '').split('.');
    return keys.reduceRight<Json>((inner, key) => ({ [key]: inner }), []);
  });
  return withAnswers(spec, requests, answers);
}

/** Of the errors of all alternatives the one that lies deepest: what was meant was nearly it. */
function deepest(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const depth = ({ instancePath }: ErrorObject): number => instancePath.split('/').length;
  const most = Math.max(...errors.map(depth));
  const candidates = errors.filter((error) => depth(error) === most);
  return candidates.find(({ keyword }) => keyword === 'enum') ?? candidates[0];
}

function said({ keyword, message, params }: ErrorObject): string {
  if (keyword === 'enum') {
    const { allowedValues } = params as { allowedValues: readonly unknown[] };
    return `has to be one of ${allowedValues.slice(0, 12).join(', ')}${allowedValues.length > 12 ? ', …' : ''}`;
  }
  if (keyword === 'additionalProperties') {
    return `must not have "${(params as { additionalProperty: string }).additionalProperty}"`;
  }
  return message ?? keyword;
}

const unescaped = (part: string): string | number =>
  /^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~');
