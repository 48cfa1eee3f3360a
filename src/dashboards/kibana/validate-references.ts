import { findingsOf, type Finding } from './finding.ts';
import { nameOf, type Reference } from './saved-object.ts';
import type { DecodedObject } from './schemas.ts';

/** A reference that something in an object makes necessary, and what it is. */
interface Need {
  readonly name: string;
  readonly type: string;
  readonly by: string;
}

/** Both ways: whatever an object names has one reference, each reference is named, and its target is in the file. */
export function checkReferences(objects: readonly DecodedObject[]): Finding[] {
  const known = new Set(objects.map(nameOf));
  const used = new Set(objects.flatMap(({ references }) => references.map(nameOf)));
  return objects.flatMap((object) => {
    const { all, add } = findingsOf(object);
    const needs = needsOf(object);
    for (const need of needs) {
      const found = object.references.filter(({ name }) => name === need.name);
      if (found.length === 0) add('references', `has no "${need.name}", which ${need.by} asks for: add it`);
      if (found.length > 1) add('references', `has "${need.name}" ${found.length} times: leave one`);
      for (const { type } of found) {
        if (type !== need.type) add('references', `has "${need.name}" as ${type}, and ${need.by} wants ${need.type}`);
      }
    }
    for (const reference of object.references) {
      if (!needs.some(({ name }) => name === reference.name)) {
        add('references', `has "${reference.name}", which nothing in it names: remove it`);
      }
      if (!known.has(nameOf(reference))) add('references', missingTarget(reference));
    }
    if (object.type !== 'dashboard' && !used.has(nameOf(object))) {
      // A chart names its index itself, so its data view may be there for the dashboard’s time field alone.
      if (object.type !== 'index-pattern') add('', 'stands on no dashboard of the file: refer to it, or leave it out');
    }
    return all;
  });
}

const missingTarget = (reference: Reference): string =>
  `leads to ${nameOf(reference)} by "${reference.name}", which is not in the file: add the object, or remove what names it`;

function needsOf(object: DecodedObject): Need[] {
  switch (object.type) {
    case 'index-pattern':
      return [];
    case 'visualization':
      return searchSourceNeed(object.attributes.kibanaSavedObjectMeta.searchSourceJSON.indexRefName);
    case 'lens':
      return Object.keys(object.attributes.state.datasourceStates.formBased.layers).map((layer) => ({
        ...{ name: `indexpattern-datasource-layer-${layer}`, type: 'index-pattern', by: `layer "${layer}"` },
      }));
    case 'dashboard': {
      const { panelsJSON, controlGroupInput, kibanaSavedObjectMeta } = object.attributes;
      return [
        ...panelsJSON.map(({ panelIndex, panelRefName, type }) => ({
          ...{ name: `${panelIndex}:${panelRefName}`, type, by: `panel "${panelIndex}"` },
        })),
        ...Object.keys(controlGroupInput?.panelsJSON ?? {}).map((id) => ({
          ...{ name: `controlGroup_${id}:optionsListDataView`, type: 'index-pattern', by: `control "${id}"` },
        })),
        ...searchSourceNeed(kibanaSavedObjectMeta.searchSourceJSON.indexRefName),
      ];
    }
  }
}

const searchSourceNeed = (name: string | undefined): Need[] =>
  name === undefined ? [] : [{ name, type: 'index-pattern', by: 'searchSourceJSON' }];
