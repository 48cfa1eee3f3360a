import type { Json, JsonObject } from '../panel.ts';

/** Channels, configurations and resolutions that have `time` in Vega-Lite 6: what is animated over. */
const animated = [
  ...['AreaConfig', 'BarConfig', 'Encoding', 'FacetedEncoding', 'LegendResolveMap', 'LineConfig', 'MarkConfig'],
  ...['MarkDef', 'OverlayMarkDef', 'RectConfig', 'ScaleInvalidDataConfig', 'ScaleResolveMap', 'SharedEncoding'],
  'TickConfig',
];

type Definitions = { readonly [name: string]: JsonObject };

/**
 * The schema of Vega-Lite 5.21, which Kibana draws with before it has Vega-Lite 6: that of 6 without what 6 alone has. It takes nothing that
 * 6 does not, so what fits it fits both.
 * @param six of Vega-Lite 6
 * Source: the schemas of 5.21.0 and of 6; `test/integration/kibana-objects.test.ts` holds that this is all in which they differ.
 */
export function schemaOfFive(six: JsonObject): JsonObject {
  const definitions = six['definitions'] as Definitions;
  const changed = Object.fromEntries([
    ...animated.map((name) => [name, withoutProperties(definitions[name], 'time')] as const),
    ['ScaleConfig', withoutProperties(definitions['ScaleConfig'], 'animationDuration', 'framesPerSecond')] as const,
    ['SingleDefUnitChannel', withoutValue(definitions['SingleDefUnitChannel'], 'time')] as const,
    ['SphereGenerator', withEmptySphere(definitions['SphereGenerator'])] as const,
    ['Format', { anyOf: [{ type: 'string' }, { $ref: '#/definitions/Dict' }] }] as const,
  ]);
  return { ...six, definitions: { ...definitions, ...changed } };
}

/** @throws RangeError where Vega-Lite has it no more: then this file has to change */
function withoutProperties(definition: JsonObject | undefined, ...names: readonly string[]): JsonObject {
  const properties = { ...(definition?.['properties'] as Record<string, Json> | undefined) };
  for (const name of names) {
    if (!(name in properties)) throw new RangeError(`the schema of Vega-Lite has no ${name} where it is looked for`);
    delete properties[name];
  }
  return { ...definition, properties };
}

function withoutValue(definition: JsonObject | undefined, value: string): JsonObject {
  const values = (definition?.['enum'] ?? []) as readonly string[];
  return { ...definition, enum: values.filter((one) => one !== value) };
}

/** A sphere is `true`, or an object that has no members in 5. */
function withEmptySphere(definition: JsonObject | undefined): JsonObject {
  const properties = (definition?.['properties'] ?? {}) as { readonly [name: string]: JsonObject };
  const forms = (properties['sphere']?.['anyOf'] ?? []) as readonly JsonObject[];
  const sphere = {
    anyOf: forms.map((form) => (form['type'] === 'object' ? { ...form, additionalProperties: false } : form)),
  };
  return { ...definition, properties: { ...properties, sphere } };
}
