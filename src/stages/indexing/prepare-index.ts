import { errorTypeOf, reasonOf, type SearchConnector } from '../../connectors/search.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';
import { mappingOf } from './mapping.ts';

/**
 * Makes sure of the index behind a stream's alias, with its strict mapping. New columns are added to a standing index.
 * @throws SluiceError `IndexMismatch` where a standing field has another type
 */
export async function prepareIndex(
  search: SearchConnector,
  stream: Stream,
  pipeline: Pipeline,
): Promise<{ index: string; changes: string[] }> {
  const mappings = mappingOf(stream, pipeline.dashboards);
  const standing = await standingIndex(search, stream.alias);
  if (standing === undefined) {
    const index = `${stream.alias}-000001`;
    const { shards, replicas } = pipeline.index;
    try {
      await search.request(`index ${index}`, (client) =>
        client.indices.create({
          index,
          aliases: { [stream.alias]: {} },
          mappings,
          settings: { number_of_shards: shards, number_of_replicas: replicas },
        }),
      );
      return { index, changes: [`created index ${index} behind ${stream.alias}`] };
    } catch (error) {
      if (errorTypeOf(error) !== 'resource_already_exists_exception') throw error;
      return { index, changes: [] };
    }
  }
  try {
    await search.request(`mapping of ${standing}`, (client) =>
      client.indices.putMapping({ index: standing, properties: mappings.properties ?? {}, dynamic: 'strict' }),
    );
  } catch (error) {
    if (errorTypeOf(error) !== 'illegal_argument_exception') throw error;
    throw new SluiceError(
      'IndexMismatch',
      `Index ${standing} does not fit the columns of ${stream.name}: ${reasonOf((error as Error).cause)}. ` +
        'Give index.name another name, and the hours are indexed there.',
      { cause: error },
    );
  }
  return { index: standing, changes: [] };
}

async function standingIndex(search: SearchConnector, alias: string): Promise<string | undefined> {
  return search.request(`alias ${alias}`, async (client) => {
    const found = await client.indices.getAlias({ name: alias }, { ignore: [404] });
    return Object.keys(found).find((index) => index.startsWith(alias));
  });
}
