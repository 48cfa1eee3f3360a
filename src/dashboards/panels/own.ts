import { fieldsIn, isMap, valuesIn, type OwnPanel } from '../../definition/own-panels.ts';
import type { ChartPanel, Json, JsonObject } from '../panel.ts';
import { requestsOf } from '../requests.ts';
import type { Subject } from '../subject.ts';
import { shapeNames, shapeSets } from '../us.ts';
import { chart } from './chart.ts';

/** A panel that the definition holds, with what its writer may leave out: index, time field, size, shapes of maps. */
export function ownPanel(subject: Subject, { id, title, question, size, spec }: OwnPanel): ChartPanel {
  const { $schema: _schema, ...written } = searching(spec, subject) as JsonObject;
  const whole: JsonObject = { ...written, ...shapesOf(written) };
  const needs = requestsOf(whole, { from: 'now', to: 'now', filters: {} }).flatMap(({ body }) =>
    fieldsIn(body['aggs'] ?? null).map(({ field }) => field),
  );
  return chart(subject, { id, title, question, size, needs, spec: whole });
}

/** Every `data.url` filled up to what Kibana wants. */
function searching(value: Json, subject: Subject): Json {
  if (Array.isArray(value)) return value.map((item) => searching(item as Json, subject));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'url' ? searchOf(item as JsonObject, subject) : searching(item as Json, subject),
    ]),
  );
}

const searchOf = ({ body }: JsonObject, { index, timeField }: Subject): JsonObject => ({
  ...{ '%context%': true, '%timefield%': timeField, index },
  body: { size: 0, track_total_hits: false, ...(body as JsonObject) },
});

function shapesOf(spec: JsonObject): JsonObject {
  const named = new Set(
    [...valuesIn(spec)].flatMap(({ path, value }) => (path.at(-1) === 'data' && isMap(value) ? [value['name']] : [])),
  );
  const used = shapeNames.filter((name) => named.has(name));
  return used.length === 0 ? {} : { datasets: shapeSets(...used) };
}
