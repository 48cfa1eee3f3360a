import { failPoint } from '../../connectors/fail-point.ts';
import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { type Stream, streamOf } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { RebuildInput, RebuildPlan, Rebuilt, ReindexInput } from '../io.ts';
import { recordToRead } from '../landing/batch-record.ts';
import { newestHours } from '../landing/committed-hours.ts';
import { SchemaRegistry } from '../landing/schema.ts';
import type { HourContent } from './documents.ts';
import { contentOf } from './hour-content.ts';
import { indexHour } from './index-hour.ts';
import { putTemplate } from './index-template.ts';
import { differences, wantedIndex } from './mapping.ts';
import { claimAlias, createNext } from './prepare-index.ts';
import { deleteIndex, dropNext, findTargets, swapAlias, type Target } from './targets.ts';

type Deps = Pick<StageDeps, 'search' | 'store' | 'settings'>;

/** Hours that are committed while an index takes the other's place; more rounds than this would mean that it never does. */
const ROUNDS = 1_000;

/**
 * Says what a rebuild of a stream's index from the object store comes to, and makes the index that is to be filled, or finds one that
 * an earlier attempt left unfinished. A dry run makes nothing.
 * @throws SluiceError `ElasticsearchUnavailable`, `StoreUnavailable`, `ObjectCorrupt`
 */
export async function planRebuild(deps: Deps, input: ReindexInput, ctx: StageContext): Promise<RebuildPlan> {
  const stream = streamOf(input.pipeline, input.dataset);
  const { mode } = input.pipeline.index;
  let hours = 0;
  let rows = 0;
  let bytes = 0;
  for (const content of contentOf(await newestHours(deps, stream.name), mode)) {
    ctx.signal.throwIfAborted();
    const record = await recordToRead(deps.store, stream.name, content.batch);
    hours += 1;
    rows += record.rows;
    bytes += record.objects.reduce((sum, object) => sum + object.bytes, 0);
    ctx.progress({ rows, note: `${stream.name}: ${countText(hours)} hours, ${countText(rows)} rows` });
  }
  const { from, to, resumed } = await nextIndex(deps, stream, input);
  const { dataset } = input;
  return {
    ...{ dataset, alias: stream.alias, hours, rows, bytes, resumed },
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

async function nextIndex(
  deps: Deps,
  stream: Stream,
  { pipeline, dryRun }: ReindexInput,
): Promise<{ from?: string; to?: string; resumed: boolean }> {
  const wanted = wantedIndex(stream, pipeline);
  if (!dryRun) await claimAlias(deps, stream);
  if (!dryRun) await putTemplate(deps.search, stream.alias, wanted);
  for (let made = false; ;) {
    const { standing, next } = await findTargets(deps.search, stream.alias);
    const from = standing ? { from: standing.index } : {};
    const fits = next && differences(wanted, next).length === 0;
    if (next && (fits || dryRun)) return { ...from, to: next.index, resumed: fits === true && !made };
    if (dryRun) return { ...from, resumed: false };
    if (next) await dropNext(deps.search, stream.alias, next.index);
    // Whoever made it, it is there in the next round.
    made = (await createNext(deps, stream, pipeline)) !== undefined;
  }
}

/**
 * Fills an index with every committed hour from the object store, proves each, and lets it take its place behind the alias; deletes the
 * one that stood there. All of it may be done again, and by several at once: hours that are whole are passed by, and one swaps.
 *
 * No hour is missed. Whoever indexes an hour writes it into both indices and looks once more which there are before it is done; so an
 * hour that was committed before this one lists them is in the list, and any other is written here by its own run.
 * @throws SluiceError `RecordConflict` where another rebuild took its place, `DocumentsRefused`, `ElasticsearchUnavailable`
 */
export async function rebuildIndex(deps: Deps, input: RebuildInput, ctx: StageContext): Promise<Rebuilt> {
  const { pipeline, dataset, from, to, keepOld } = input;
  const { search } = deps;
  const stream = streamOf(pipeline, dataset);
  const { standing, next } = await findTargets(search, stream.alias);
  const target = [next, standing].find((one) => one?.index === to);
  if (!target) throw replaced(stream.alias, to);
  const filling = new Filling(deps, pipeline, stream, target, ctx);
  await filling.untilNothingIsNew();
  await failPoint('reindex:before-swap');
  if (standing?.index !== to && !(await swapAlias(search, stream.alias, standing?.index, to))) {
    throw replaced(stream.alias, to);
  }
  await failPoint('reindex:after-swap');
  ctx.progress({ note: `${stream.alias} is ${to} now` });
  await filling.untilNothingIsNew();
  const old = from !== undefined && from !== to && !keepOld ? from : undefined;
  if (old !== undefined) await deleteIndex(search, old);
  return {
    ...{ dataset, alias: stream.alias, index: to, ...filling.totals },
    ...(old === undefined ? {} : { deleted: old }),
  };
}

function replaced(alias: string, to: string): SluiceError {
  return new SluiceError(
    'RecordConflict',
    `Index ${to} is not the one that is to stand behind ${alias} any more: a run or a rebuild with other columns has begun another. ` +
      'Start again.',
  );
}

class Filling {
  readonly #deps: Deps;
  readonly #pipeline: Pipeline;
  readonly #stream: Stream;
  readonly #target: Target;
  readonly #ctx: StageContext;
  readonly #schemas: SchemaRegistry;
  /** Generation and batch by hour, of those that are in the index. */
  readonly #done = new Map<string, string>();
  #rows = 0;
  #whole = 0;
  #misfits: Record<string, number> = {};

  constructor(deps: Deps, pipeline: Pipeline, stream: Stream, target: Target, ctx: StageContext) {
    this.#deps = deps;
    this.#pipeline = pipeline;
    this.#stream = stream;
    this.#target = target;
    this.#ctx = ctx;
    this.#schemas = new SchemaRegistry(deps.store, stream.name);
  }

  get totals(): Pick<Rebuilt, 'hours' | 'rows' | 'whole' | 'misfits'> {
    return { hours: this.#done.size, rows: this.#rows, whole: this.#whole, misfits: this.#misfits };
  }

  /** Passes over the committed hours until one pass finds none that is not in the index. */
  async untilNothingIsNew(): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const all = contentOf(await newestHours(this.#deps, this.#stream.name), this.#target.mode);
      const open = all.filter((content) => this.#done.get(content.hour) !== keyOf(content));
      if (open.length === 0) return;
      // The newest first: in "latest" older hours then find their keys there, and write nothing.
      for (const [at, content] of open.toReversed().entries())
        await this.#index(content, `hour ${at + 1} of ${open.length}`);
    }
  }

  async #index(content: HourContent, which: string): Promise<void> {
    const { hour } = content;
    const record = await recordToRead(this.#deps.store, this.#stream.name, content.batch);
    const ctx: StageContext = {
      signal: this.#ctx.signal,
      progress: ({ rows, note }) =>
        this.#ctx.progress({
          rows: this.#rows + (rows ?? 0),
          note: `${this.#target.index}: ${which}, ${hourKey(hour)}${note === undefined ? '' : `, ${note}`}`,
        }),
    };
    ctx.progress({});
    const job = { pipeline: this.#pipeline, stream: this.#stream.name, content, record, schemas: this.#schemas };
    const { rows, sent, misfits } = await indexHour(this.#deps, this.#target, job, ctx);
    this.#done.set(hour, keyOf(content));
    this.#rows += rows;
    if (sent === 0) this.#whole += 1;
    for (const [column, n] of Object.entries(misfits)) this.#misfits[column] = (this.#misfits[column] ?? 0) + n;
  }
}

const keyOf = ({ generation, batch }: HourContent): string => `${generation} ${batch}`;
