import { nameOf, type SavedObject } from './saved-object.ts';

/**
 * An object of a space, as Kibana exports it. An id belongs to one space alone: what is imported into another one gets an id of its own there,
 * and says in `originId` which it had. Source: check_conflicts.ts and create_saved_objects.ts of Kibana 9.
 */
export interface Exported {
  readonly type: string;
  readonly id: string;
  readonly originId?: string;
}

/** What stands in a space of each object, by its type and id; more than one where an import would not know which to write over. */
export type Standing = ReadonlyMap<string, readonly Exported[]>;

/** Objects of a space by what they are or come from, as an import would find them. @param there all that may be one of them */
export function fromOrigin(wanted: readonly SavedObject[], there: readonly Exported[]): Standing {
  const byName = new Map(there.map((one) => [nameOf(one), one]));
  const ours = new Set(wanted.map(nameOf));
  const found = wanted.map((object): [string, Exported[]] => {
    const itself = byName.get(nameOf(object));
    const copies = [...byName.values()].filter(
      (one) => one.type === object.type && one.originId === object.id && !ours.has(nameOf(one)),
    );
    return [nameOf(object), itself === undefined ? copies : [itself]];
  });
  return new Map(found);
}
