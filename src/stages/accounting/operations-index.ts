import type { estypes } from '@elastic/elasticsearch';
import { errorTypeOf, type SearchConnector } from '../../connectors/search.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { operationsIndex } from '../../definition/names.ts';
import { operationsFields } from '../../definition/operations.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { sendBulk, type Refusal } from '../indexing/bulk-sender.ts';
import { claimAlias } from '../indexing/prepare-index.ts';
import { eachPage } from '../indexing/stale-documents.ts';
import { findTargets, indexName } from '../indexing/targets.ts';
import type { OperationsDocument } from './operations-documents.ts';

type Search = Pick<StageDeps, 'search'>;

/** More hours than this are not asked for at once: Elasticsearch takes 65,536 terms. */
const HOURS_AT_ONCE = 10_000;
/** More runs than this of one pipeline are not looked for at once; Elasticsearch answers with no more. */
const RUNS_AT_ONCE = 10_000;
const DELETE_PAGE = 5_000;

/**
 * Makes sure of the index behind the alias of what is indexed of runs, with its strict mapping; fields that a newer version has are added.
 * @throws SluiceError `IndexMismatch` where what stands there cannot become it, or a pipeline has the alias
 */
export async function prepareOperationsIndex(deps: Pick<StageDeps, 'search' | 'store'>): Promise<void> {
  const { search } = deps;
  const { standing } = await findTargets(search, operationsIndex);
  if (!standing) {
    await claimAlias(deps, { name: 'the index of runs', alias: operationsIndex });
    return createIndex(search);
  }
  const wanted = Object.entries(properties);
  const other = wanted.find(
    ([name, { type }]) => standing.fields[name] !== undefined && standing.fields[name] !== type,
  );
  if (other) {
    throw new SluiceError(
      'IndexMismatch',
      `${other[0]} is ${standing.fields[other[0]] ?? ''} in ${standing.index}, and ${other[1].type ?? ''} in this version: ` +
        'delete that index, and "sluice dashboards fill" makes it anew from the object store.',
    );
  }
  const added = wanted.filter(([name]) => standing.fields[name] === undefined);
  if (added.length === 0) return;
  await search.request(`mapping of ${standing.index}`, (client) =>
    client.indices.putMapping({ index: standing.index, properties: Object.fromEntries(added), dynamic: 'strict' }),
  );
}

const properties: Record<string, estypes.MappingProperty> = Object.fromEntries(
  Object.entries(operationsFields).map(([name, type]) => [name, propertyOf(name, type)]),
);

function propertyOf(name: string, type: (typeof operationsFields)[keyof typeof operationsFields]) {
  if (type !== 'keyword') return { type };
  // Sentences are shown and not looked for; a longer term than Lucene's 32,766 bytes would have the document refused.
  return name === 'errorMessage' || name === 'broken' || name === 'sentence'
    ? { type, index: false, doc_values: false }
    : { type, ignore_above: 8_191 };
}

async function createIndex(search: SearchConnector): Promise<void> {
  const index = indexName(operationsIndex, 1);
  try {
    await search.request(`index ${index}`, (client) =>
      client.indices.create({
        index,
        aliases: { [operationsIndex]: {} },
        mappings: { dynamic: 'strict', properties },
        // A copy where there is a second node to hold it.
        settings: { number_of_shards: 1, auto_expand_replicas: '0-1' },
      }),
    );
  } catch (error) {
    // Another was faster.
    if (errorTypeOf(error) !== 'resource_already_exists_exception') throw error;
  }
}

/**
 * Writes what is indexed of runs, over what stands there of them. A run's own document follows the others, so where it is found nothing of
 * the run is missing.
 * @returns how many documents
 * @throws SluiceError `IndexMismatch` where the index refuses one of them
 */
export async function writeDocuments(
  { search }: Search,
  documents: readonly OperationsDocument[],
  ctx: StageContext,
): Promise<number> {
  const isRun = ({ body }: OperationsDocument): boolean => body.kind === 'run';
  let written = 0;
  for (const some of [documents.filter((document) => !isRun(document)), documents.filter(isRun)]) {
    const outcome = await sendBulk(search, operationsIndex, some.map(operationOf), ctx, { refused });
    written += outcome.written;
  }
  return written;
}

const operationOf = ({ id, body, version }: OperationsDocument) => ({
  action: JSON.stringify({
    index: {
      _id: id,
      // Without the alias there would be an index of that name, with a mapping that nobody asked for.
      require_alias: true,
      ...(version === undefined ? {} : { version, version_type: 'external_gte' }),
    },
  }),
  document: JSON.stringify(body),
});

function refused({ operation, status, type, reason }: Refusal): Promise<void> {
  const { index } = JSON.parse(operation.action) as { index: { _id: string } };
  return Promise.reject(
    new SluiceError(
      'IndexMismatch',
      `Elasticsearch refused the document ${index._id} of ${operationsIndex}: ${status} ${type} ${reason.replace(/[.;]+$/, '')}.`,
    ),
  );
}

/** The runs of a pipeline, of hours from one on, that are in the index with all that belongs to them. */
export async function indexedRuns({ search }: Search, pipeline: string, from: LogicalHour): Promise<Set<string>> {
  const filter = [{ term: { kind: 'run' } }, { term: { pipeline } }, { range: { hour: { gte: from } } }];
  const { hits } = await search.request(`runs in ${operationsIndex}`, (client) =>
    client.search({ index: operationsIndex, size: RUNS_AT_ONCE, _source: false, query: { bool: { filter } } }),
  );
  return new Set(hits.hits.flatMap(({ _id }) => _id ?? []));
}

/** Takes what is indexed of the runs of hours away. An incident is of no run, though it names the hour that it was last seen in. @returns how many documents */
export async function forgetHours(
  { search }: Search,
  pipeline: string,
  hours: readonly LogicalHour[],
  ctx: StageContext,
): Promise<number> {
  const { standing } = await findTargets(search, operationsIndex);
  let forgotten = 0;
  for (let at = 0; standing && at < hours.length; at += HOURS_AT_ONCE) {
    const filter = [{ term: { pipeline } }, { terms: { hour: hours.slice(at, at + HOURS_AT_ONCE) } }];
    const query = { bool: { filter, must_not: [{ term: { kind: 'incident' } }] } };
    const what = 'deleted what was indexed of runs';
    forgotten += await eachPage(search, standing.index, query, DELETE_PAGE, ctx, what, deletion);
  }
  return forgotten;
}

/** Takes the incidents of a pipeline that ended before an hour away; those that are open stay. @returns how many */
export async function forgetIncidents(
  { search }: Search,
  pipeline: string,
  before: LogicalHour,
  ctx: StageContext,
): Promise<number> {
  const { standing } = await findTargets(search, operationsIndex);
  if (!standing) return 0;
  const filter = [{ term: { kind: 'incident' } }, { term: { pipeline } }, { range: { endedAt: { lt: before } } }];
  const what = 'deleted what was indexed of incidents';
  return eachPage(search, standing.index, { bool: { filter } }, DELETE_PAGE, ctx, what, deletion);
}

const deletion = ({ _id }: { _id?: string }) => ({ action: JSON.stringify({ delete: { _id } }) });
