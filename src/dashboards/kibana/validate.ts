import { decode, decodeNdjson, type Decoding } from './decode.ts';
import { findingsOf, type Finding } from './finding.ts';
import { nameOf, ndjson, type SavedObject } from './saved-object.ts';
import type { DecodedObject } from './schemas.ts';
import { checkChart } from './validate-chart.ts';
import { checkGrid } from './validate-grid.ts';
import { checkReferences } from './validate-references.ts';
import { checkSpec } from './validate-spec.ts';

/** Kibana takes no larger file: savedObjects.maxImportPayloadBytes, as it is set where nobody changed it. */
export const IMPORT_BYTES = 26_214_400;

export interface Validated {
  readonly objects: readonly DecodedObject[];
  readonly findings: readonly Finding[];
}

/** All that can be said of saved objects without a server. What is wrong with one keeps nobody from looking at the others. */
export function validateObjects(objects: readonly SavedObject[]): Validated {
  const bytes = Buffer.byteLength(ndjson(objects));
  return validated(
    objects.map((object, at) => decode(object, at + 1)),
    bytes,
  );
}

/** {@link validateObjects} of an NDJSON file’s text. */
export const validateNdjson = (text: string): Validated => validated(decodeNdjson(text), Buffer.byteLength(text));

function validated(decodings: readonly Decoding[], bytes: number): Validated {
  const objects = decodings.flatMap((decoding) => ('object' in decoding ? [decoding.object] : []));
  const findings = [
    ...checkFile(decodings, bytes),
    ...decodings.flatMap((decoding) => decoding.findings),
    ...unique(objects),
    // What cannot be read refers to something, too: without it half of the others would seem to be left over.
    ...(objects.length === decodings.length ? checkReferences(objects) : []),
    ...objects.flatMap(checkObject),
  ];
  return { objects, findings };
}

function checkObject(object: DecodedObject): Finding[] {
  if (object.type === 'dashboard') return checkGrid(object);
  if (object.type === 'lens') return checkLens(object);
  if (object.type !== 'visualization') return [];
  const found = checkSpec(object);
  return found.length > 0 ? found : checkChart(object);
}

function checkFile(decodings: readonly Decoding[], bytes: number): Finding[] {
  const { all, add } = findingsOf({ type: 'the', id: 'file' });
  if (decodings.length === 0)
    add('', 'holds no saved object: build it from a definition with "sluice dashboards build"');
  if (bytes > IMPORT_BYTES) {
    add('', `has ${bytes} bytes, and Kibana takes ${IMPORT_BYTES}: leave map shapes out that no panel needs`);
  }
  return all;
}

/** How an object comes to an id of its own, by its type. Ids are made of names. */
const panelId =
  'give one of the two panels another id (dashboards.panels[].id), or rename the column whose panel comes to the same as another';
const ownId: Readonly<Record<DecodedObject['type'], string>> = {
  visualization: panelId,
  lens: panelId,
  'index-pattern': 'leave one of them out',
  dashboard: 'give one of the two pipelines another name',
};

function unique(objects: readonly DecodedObject[]): Finding[] {
  const seen = new Set<string>();
  return objects.flatMap((object) => {
    const name = nameOf(object);
    const { all, add } = findingsOf(object);
    if (seen.has(name))
      add('id', `is that of another object of the file, which one import would write over: ${ownId[object.type]}`);
    seen.add(name);
    return all;
  });
}

/** What a metric shows has to be there, by the operation that its field allows. */
function checkLens(object: Extract<DecodedObject, { type: 'lens' }>): Finding[] {
  const { all, add } = findingsOf(object);
  const { datasourceStates, visualization } = object.attributes.state;
  const where = 'attributes.state.visualization';
  const layer = datasourceStates.formBased.layers[visualization.layerId];
  if (layer === undefined)
    add(`${where}.layerId`, `"${visualization.layerId}" is no layer of it: name one that is there`);
  for (const [id, { columnOrder, columns }] of Object.entries(datasourceStates.formBased.layers)) {
    const place = `attributes.state.datasourceStates.formBased.layers.${id}`;
    if (columnOrder.toSorted().join() !== Object.keys(columns).toSorted().join()) {
      add(`${place}.columnOrder`, 'does not name each column once: list those that are in columns');
    }
    for (const [name, { operationType, sourceField }] of Object.entries(columns)) {
      if ((operationType === 'count') !== (sourceField === '___records___')) {
        add(`${place}.columns.${name}.sourceField`, 'is ___records___ for a count, and a field for all else');
      }
    }
  }
  if (layer !== undefined && !(visualization.metricAccessor in layer.columns)) {
    add(
      `${where}.metricAccessor`,
      `"${visualization.metricAccessor}" is no column of its layer: name one that is there`,
    );
  }
  return all;
}
