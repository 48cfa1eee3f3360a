import type { estypes } from '@elastic/elasticsearch';
import { errorTypeOf, type SearchConnector } from '../../connectors/search.ts';
import type { IndexMode } from './documents.ts';

/** An index that documents go into, by what it is and not by what a definition says. */
export interface Target {
  readonly index: string;
  readonly mode: IndexMode;
  /** Types of its fields by name; those of an object are `object`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly shards: number;
  readonly replicas: number;
}

/** The indices of a stream. Elasticsearch's own aliases say which is which, so all who work on them see the same. */
export interface Targets {
  /** Behind the alias: what readers see. */
  readonly standing?: Target;
  /** Being filled, to take the other's place. */
  readonly next?: Target;
}

/** The alias of an index that is being filled. No name in a definition can have an "@". */
export const nextAlias = (alias: string): string => `${alias}@next`;

/** The name of a stream's nth index. */
export const indexName = (alias: string, n: number): string => `${alias}-${String(n).padStart(6, '0')}`;

/** Finds the indices behind a stream's alias. Each is asked about in one request, so one is never taken for the other in between. */
export async function findTargets(search: SearchConnector, alias: string): Promise<Targets> {
  const found = await search.request(`index behind ${alias}`, (client) =>
    client.indices.get({ index: [alias, nextAlias(alias)], ignore_unavailable: true }),
  );
  const under = (name: string): Target | undefined => {
    const names = Object.keys(found).filter((index) => found[index]?.aliases?.[name] !== undefined);
    // Two that were made to be filled at once: the one with the higher number it is.
    const newest = names.toSorted().at(-1);
    return newest === undefined ? undefined : targetOf(newest, found[newest] ?? {});
  };
  const standing = under(alias);
  const next = under(nextAlias(alias));
  return { ...(standing ? { standing } : {}), ...(next ? { next } : {}) };
}

function targetOf(index: string, { mappings, settings }: estypes.IndicesIndexState): Target {
  const fields = Object.entries(mappings?.properties ?? {}).map(([name, property]) => [
    name,
    property.type ?? 'object',
  ]);
  const { number_of_shards: shards, number_of_replicas: replicas } = settings?.index ?? {};
  return {
    index,
    // Indices of before there were modes say nothing of theirs.
    mode: mappings?._meta?.['mode'] === 'latest' ? 'latest' : 'history',
    fields: Object.fromEntries(fields) as Record<string, string>,
    shards: Number(shards ?? 1),
    replicas: Number(replicas ?? 0),
  };
}

/** The number of a stream's newest index, in whatever state it is; 0 where there is none. */
export async function newestNumber(search: SearchConnector, alias: string): Promise<number> {
  const found = await search.request(`indices of ${alias}`, (client) =>
    client.indices.getAlias({ index: `${alias}-*` }),
  );
  const numbers = Object.keys(found).map((index) => {
    const end = index.slice(alias.length + 1);
    return /^\d{6}$/.test(end) ? Number(end) : 0;
  });
  return Math.max(0, ...numbers);
}

/**
 * Puts `to` in the place of what stands behind the alias, in one step: readers see one or the other, whole. Of several that try,
 * one does it.
 * @returns whether `to` stands behind the alias now
 */
export async function swapAlias(
  search: SearchConnector,
  alias: string,
  from: string | undefined,
  to: string,
): Promise<boolean> {
  try {
    await search.request(`alias ${alias}`, (client) =>
      client.indices.updateAliases({
        actions: [
          // With must_exist the whole step fails where another was faster.
          { remove: { index: to, alias: nextAlias(alias), must_exist: true } },
          ...(from === undefined ? [] : [{ remove: { index: from, alias, must_exist: true } }]),
          { add: { index: to, alias } },
        ],
      }),
    );
    return true;
  } catch (error) {
    if (!lostRace.has(errorTypeOf(error) ?? '')) throw error;
    return (await findTargets(search, alias)).standing?.index === to;
  }
}

const lostRace = new Set(['aliases_not_found_exception', 'index_not_found_exception']);

/** Gives up an index that is being filled and that nobody wants any more. */
export async function dropNext(search: SearchConnector, alias: string, index: string): Promise<void> {
  try {
    await search.request(`alias ${nextAlias(alias)}`, (client) =>
      client.indices.updateAliases({ actions: [{ remove: { index, alias: nextAlias(alias), must_exist: true } }] }),
    );
  } catch (error) {
    // It has taken its place meanwhile, or another gave it up.
    if (lostRace.has(errorTypeOf(error) ?? '')) return;
    throw error;
  }
  await deleteIndex(search, index);
}

/** Deletes an index, if it is there. */
export async function deleteIndex(search: SearchConnector, index: string): Promise<void> {
  try {
    await search.request(`index ${index}`, (client) => client.indices.delete({ index }));
  } catch (error) {
    // Another was faster.
    if (errorTypeOf(error) !== 'index_not_found_exception') throw error;
  }
}
