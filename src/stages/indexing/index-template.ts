import type { SearchConnector } from '../../connectors/search.ts';
import { canonicalJson, type Json } from '../../definition/canonical-json.ts';
import type { WantedIndex } from './mapping.ts';

/** Above the server's own templates, which begin at 100; a longer alias goes before one that it begins with. */
const PRIORITY = 500;

/**
 * Puts the template of a stream's indices, so that one which somebody else makes under the name has the right mapping all the same.
 * Fields that an earlier definition, or the rows of an hour, brought in stay.
 * @returns what was changed, for the report
 */
export async function putTemplate(search: SearchConnector, alias: string, wanted: WantedIndex): Promise<string[]> {
  const name = `sluice.${alias}`;
  return search.request(`index template ${name}`, async (client) => {
    const answer = await client.indices.getIndexTemplate({ name }, { ignore: [404] });
    const standing = answer.index_templates?.[0]?.index_template;
    const before = standing?.template?.mappings?.properties ?? {};
    const { properties } = wanted.mappings;
    const body = {
      index_patterns: [`${alias}-*`],
      priority: PRIORITY + alias.length,
      template: {
        settings: {
          index: { number_of_shards: String(wanted.shards), number_of_replicas: String(wanted.replicas) },
        },
        mappings: { ...wanted.mappings, properties: { ...before, ...properties } },
      },
    };
    const same =
      standing &&
      canonicalJson({
        index_patterns: [standing.index_patterns].flat(),
        priority: standing.priority,
        template: {
          settings: standing.template?.settings as Json | undefined,
          mappings: standing.template?.mappings as Json | undefined,
        },
      }) === canonicalJson(body);
    if (same) return [];
    await client.indices.putIndexTemplate({ name, ...body });
    if (!standing) return [`created index template ${name}`];
    const fields = Object.entries(properties).flatMap(([field, { type }]) => {
      const was = before[field];
      if (was === undefined) return [`${field} added`];
      return was.type === type ? [] : [`${field} ${was.type ?? 'object'} → ${type ?? 'object'}`];
    });
    return [
      `index template ${name}: ${fields.length > 0 ? fields.join(', ') : 'settings brought up to the definition'}`,
    ];
  });
}
