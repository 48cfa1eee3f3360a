import { z } from 'zod';
import type { Json, JsonObject } from '../panel.ts';
import { typeVersions, type ObjectType } from './saved-object.ts';

// What each type may hold, and nothing else: Kibana's schema of a dashboard forbids what it does not know, and what others ignore is a
// mistake of ours. Source: Kibana's content management schemas v1, and its sample data.

/** A string that holds JSON of a form. What comes out is what it holds. */
function jsonOf<T extends z.ZodType>(form: T) {
  return z
    .string()
    .transform((text, ctx): unknown => {
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        ctx.addIssue({ code: 'custom', message: `is no JSON (${(error as Error).message})`, params: { json: true } });
        return z.NEVER;
      }
    })
    .pipe(form);
}

const anyObject = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
const anyJson = z.custom<Json>((value) => value !== undefined);
const text = z.string().min(1);
const whole = z.int();
const query = z.strictObject({ query: z.string(), language: z.enum(['kuery', 'lucene']) });
const searchSource = z.strictObject({
  searchSourceJSON: jsonOf(z.strictObject({ query, filter: z.array(anyJson), indexRefName: text.optional() })),
});

const indexPattern = z.strictObject({
  title: text,
  name: text.optional(),
  timeFieldName: text.optional(),
  fieldFormatMap: jsonOf(anyObject).optional(),
  runtimeFieldMap: jsonOf(anyObject).optional(),
});

const visualization = z.strictObject({
  title: text,
  description: z.string(),
  version: z.literal(1),
  uiStateJSON: jsonOf(anyObject),
  visState: jsonOf(
    z.strictObject({
      title: text,
      type: z.literal('vega'),
      aggs: z.tuple([]),
      params: z.strictObject({ spec: jsonOf(anyObject) }),
    }),
  ),
  kibanaSavedObjectMeta: searchSource,
});

const lensColumn = z.strictObject({
  label: text,
  customLabel: z.literal(true),
  isBucketed: z.literal(false),
  scale: z.literal('ratio'),
  dataType: z.enum(['number', 'date']),
  operationType: z.enum(['count', 'average', 'max', 'min', 'sum', 'unique_count']),
  sourceField: text,
  params: z.strictObject({
    emptyAsNull: z.boolean(),
    format: z
      .strictObject({
        id: z.enum(['number', 'percent', 'duration']),
        params: z.strictObject({ decimals: whole, fromUnit: text.optional(), toUnit: text.optional() }),
      })
      .optional(),
  }),
  filter: query.optional(),
});

const lens = z.strictObject({
  title: text,
  description: z.string(),
  visualizationType: z.literal('lnsMetric'),
  state: z.strictObject({
    datasourceStates: z.strictObject({
      formBased: z.strictObject({
        layers: z.record(
          text,
          z.strictObject({
            columnOrder: z.array(text),
            columns: z.record(text, lensColumn),
            incompleteColumns: z.strictObject({}),
          }),
        ),
      }),
    }),
    visualization: z.strictObject({ layerId: text, layerType: z.literal('data'), metricAccessor: text }),
    query,
    filters: z.array(anyJson),
    internalReferences: z.tuple([]),
    adHocDataViews: z.strictObject({}),
  }),
});

const panel = z.strictObject({
  version: text,
  type: z.enum(['visualization', 'lens']),
  panelIndex: text,
  panelRefName: text,
  gridData: z.strictObject({ x: whole, y: whole, w: whole, h: whole, i: text }),
  embeddableConfig: z.strictObject({ enhancements: z.strictObject({}), hidePanelTitles: z.boolean().optional() }),
});

const control = z.strictObject({
  order: whole,
  width: z.enum(['small', 'medium', 'large']),
  grow: z.boolean(),
  type: z.literal('optionsListControl'),
  explicitInput: z.strictObject({
    id: text,
    fieldName: text,
    title: text,
    selectedOptions: z.array(z.string()),
    enhancements: z.strictObject({}),
  }),
});

const dashboard = z
  .strictObject({
    title: text,
    description: z.string(),
    version: whole,
    hits: whole.optional(),
    timeRestore: z.boolean(),
    timeFrom: text.optional(),
    timeTo: text.optional(),
    refreshInterval: z.strictObject({
      pause: z.boolean(),
      value: whole,
      display: text.optional(),
      section: whole.optional(),
    }),
    optionsJSON: jsonOf(
      z.strictObject({
        useMargins: z.boolean(),
        syncColors: z.boolean(),
        syncCursor: z.boolean(),
        syncTooltips: z.boolean(),
        hidePanelTitles: z.boolean(),
      }),
    ),
    panelsJSON: jsonOf(z.array(panel)),
    controlGroupInput: z
      .strictObject({
        controlStyle: z.enum(['oneLine', 'twoLine']),
        chainingSystem: z.enum(['HIERARCHICAL', 'NONE']),
        panelsJSON: jsonOf(z.record(text, control)),
        ignoreParentSettingsJSON: jsonOf(
          z.strictObject({
            ignoreFilters: z.boolean(),
            ignoreQuery: z.boolean(),
            ignoreTimerange: z.boolean(),
            ignoreValidations: z.boolean(),
          }),
        ),
      })
      .optional(),
    kibanaSavedObjectMeta: searchSource,
  })
  .refine(({ timeRestore, timeFrom, timeTo }) => !timeRestore || (timeFrom !== undefined && timeTo !== undefined), {
    message: 'is true, and timeFrom or timeTo is missing: give both, or make it false',
    path: ['timeRestore'],
  });

const attributes = { 'index-pattern': indexPattern, visualization, lens, dashboard };

const envelope = <T extends ObjectType>(type: T) =>
  z.strictObject({
    id: z.string().regex(/^[\w.-]+$/, 'may have letters, digits, "_", "." and "-" alone, as links hold it'),
    type: z.literal(type),
    coreMigrationVersion: z.literal('8.8.0'),
    typeMigrationVersion: z.literal(typeVersions[type]),
    managed: z.literal(false),
    references: z.array(
      z.strictObject({ name: text, type: z.enum(Object.keys(typeVersions) as [ObjectType]), id: text }),
    ),
    attributes: attributes[type],
  });

/** A saved object, by its type. What comes out has JSON in the place of each string that holds some. */
export const objectSchemas = {
  'index-pattern': envelope('index-pattern'),
  visualization: envelope('visualization'),
  lens: envelope('lens'),
  dashboard: envelope('dashboard'),
} as const;

type Decoded<T extends ObjectType> = z.output<(typeof objectSchemas)[T]>;
export type DecodedView = Decoded<'index-pattern'>;
export type DecodedVisualization = Decoded<'visualization'>;
export type DecodedLens = Decoded<'lens'>;
export type DecodedDashboard = Decoded<'dashboard'>;
export type DecodedObject = DecodedView | DecodedVisualization | DecodedLens | DecodedDashboard;
