import { errorTypeOf, reasonOf, type SearchConnector } from '../../connectors/search.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';
import type { StageDeps } from '../deps.ts';
import { olderColumns } from '../landing/schema.ts';
import { putTemplate } from './index-template.ts';
import { differences, wantedIndex, type WantedIndex } from './mapping.ts';
import { dropNext, findTargets, indexName, newestNumber, nextAlias, type Target } from './targets.ts';

type Deps = Pick<StageDeps, 'search' | 'store'>;

/** Others may make and drop indices at the same time; each time round one of them has got further. */
const ROUNDS = 20;

/**
 * Makes sure of the index behind a stream's alias, with its strict mapping, and of the template for its name. New columns are added to
 * a standing index. Where a column has another type, or shards or mode are others, an index is made that is to take its place: readers
 * keep the old one until the run's index stage, or `sluice reindex`, has filled the new one from the object store.
 * @returns the index that the run's documents must be in before it is done
 * @throws SluiceError `IndexMismatch` where the alias's name is taken by an index, or another pipeline has the alias
 */
export async function prepareIndex(
  deps: Deps,
  stream: Stream,
  pipeline: Pipeline,
): Promise<{ index: string; changes: string[] }> {
  const { search } = deps;
  await claimAlias(deps, stream);
  const wanted = wantedIndex(stream, pipeline);
  const changes = await putTemplate(search, stream.alias, wanted);
  for (let round = 0; round < ROUNDS; round += 1) {
    const { standing, next } = await findTargets(search, stream.alias);
    if (!standing) {
      const index = await createIndex(search, stream.alias, stream.alias, wanted);
      if (index === undefined) continue;
      const before = await deps.store.lastKey(keys.hoursAll(stream.name));
      const missing =
        before === undefined ? '' : '; hours committed before are not in it, "sluice reindex" brings them';
      return { index, changes: [...changes, `created index ${index} behind ${stream.alias}${missing}`] };
    }
    const why = differences(wanted, standing);
    const nextFits = next !== undefined && differences(wanted, next).length === 0;
    if (next && !nextFits) {
      // It was begun for a definition that is not this one.
      await dropNext(search, stream.alias, next.index);
      changes.push(`gave up index ${next.index}, which was to have other columns`);
      continue;
    }
    const fitting = [...(why.length === 0 ? [standing] : []), ...(next ? [next] : [])];
    const extended = await Promise.all(fitting.map((target) => extend(search, target, wanted)));
    if (extended.includes(undefined)) continue;
    changes.push(...extended.flatMap((added) => added ?? []));
    if (why.length === 0) return { index: standing.index, changes };
    if (next) return { index: next.index, changes };
    const made = await createNext(deps, stream, pipeline);
    if (made !== undefined)
      changes.push(
        `created index ${made}, which takes the place of ${standing.index} once it is filled: ${why.join('; ')}`,
      );
  }
  throw new SluiceError(
    'ElasticsearchUnavailable',
    `The indices of ${stream.alias} did not come to rest: others change them at the same time.`,
  );
}

/**
 * An index holds one stream: ids do not tell streams apart, and a rebuild would leave out what it does not know.
 * @throws SluiceError `IndexMismatch` where another pipeline has the alias
 */
export async function claimAlias(
  { store }: Pick<Deps, 'store'>,
  { name, alias }: Pick<Stream, 'name' | 'alias'>,
): Promise<void> {
  const { value } = await store.createJson(keys.aliasOwner(alias), { stream: name });
  if (value.stream === name) return;
  throw new SluiceError(
    'IndexMismatch',
    `The alias ${alias} belongs to ${value.stream}, and ${name} would write over its documents: give index.name another name.`,
  );
}

/** Makes an index that is to take the standing one's place. @returns its name, or undefined where another was faster */
export async function createNext(
  { search, store }: Deps,
  stream: Stream,
  pipeline: Pipeline,
): Promise<string | undefined> {
  const wanted = wantedIndex(stream, pipeline, await olderColumns(store, stream.name));
  return createIndex(search, stream.alias, nextAlias(stream.alias), wanted);
}

async function createIndex(
  search: SearchConnector,
  alias: string,
  under: string,
  { mappings, shards, replicas }: WantedIndex,
): Promise<string | undefined> {
  const index = indexName(alias, (await newestNumber(search, alias)) + 1);
  try {
    await search.request(`index ${index}`, (client) =>
      client.indices.create({
        index,
        aliases: { [under]: {} },
        mappings,
        settings: { number_of_shards: shards, number_of_replicas: replicas },
      }),
    );
    return index;
  } catch (error) {
    const type = errorTypeOf(error);
    if (type === 'resource_already_exists_exception') return undefined;
    if (type !== 'invalid_alias_name_exception') throw error;
    throw new SluiceError(
      'IndexMismatch',
      `${alias} should be an alias, but an index has that name: ${reasonOf((error as Error).cause)}. ` +
        'Delete that index, or give index.name another name.',
      { cause: error },
    );
  }
}

/** Adds what an index lacks. @returns what was added; undefined where another added a field of that name and another type */
async function extend(search: SearchConnector, target: Target, wanted: WantedIndex): Promise<string[] | undefined> {
  const { index, fields, replicas } = target;
  const added = Object.entries(wanted.mappings.properties).filter(([name]) => fields[name] === undefined);
  const changes: string[] = [];
  if (added.length > 0) {
    try {
      await search.request(`mapping of ${index}`, (client) =>
        client.indices.putMapping({ index, properties: Object.fromEntries(added), dynamic: 'strict' }),
      );
    } catch (error) {
      if (errorTypeOf(error) !== 'illegal_argument_exception') throw error;
      return undefined;
    }
    changes.push(`index ${index}: added ${added.map(([name]) => name).join(', ')}`);
  }
  if (replicas !== wanted.replicas) {
    await search.request(`settings of ${index}`, (client) =>
      client.indices.putSettings({ index, settings: { number_of_replicas: wanted.replicas } }),
    );
    changes.push(`index ${index}: replicas ${replicas} → ${wanted.replicas}`);
  }
  return changes;
}
