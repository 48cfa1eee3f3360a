import { randomUUID } from 'node:crypto';
import { failPoint } from '../../connectors/fail-point.ts';
import { keys } from '../../definition/names.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { DiscardInput, Discarded } from '../io.ts';
import { Tallies } from '../maintaining/tally.ts';
import { discardScratch } from './discard-scratch.ts';
import { cutCleanings, isNeeded, type Cleaning } from './unpublished.ts';

type Deps = Pick<StageDeps, 'store' | 'spark'>;

/**
 * Removes what a cancelled run leaves behind that it alone had made and that is of no use to anybody: its temporary objects, and the
 * clean.csv of a cleaning of which nothing has been published. Rejects, reports and the quarantine stay, and so does all that a plan,
 * a batch record, an hour or the report of another run goes by. May be stopped anywhere and done again.
 *
 * An attempt that stood still may come back when the hour is being run again, and then what it has found out is no longer so. Therefore
 * it acts first and looks afterwards: it copies a file away, removes it, looks once more and puts back what is needed by then. No
 * attempt touches the copies of another one; gc takes those that are left behind.
 */
export async function discardPartial(deps: Deps, input: DiscardInput, ctx: StageContext): Promise<Discarded> {
  const { store } = deps;
  const tallies = new Tallies();
  await discardScratch(deps, input, tallies, ctx);
  const copies = `${keys.discarded(input.runId)}${randomUUID()}/`;
  const cut = input.cleaningCut ? await cutCleanings(deps, input) : [];
  for (const cleaning of [...(input.made.length > 0 ? [input.made] : []), ...cut]) {
    if (await isNeeded(deps, input, cleaning)) continue;
    const files: string[] = [];
    for (const { stream, batchId } of cleaning) {
      const key = keys.batch(stream, input.hour, batchId, 'clean.csv');
      if (await store.exists(key)) files.push(key);
    }
    for (const key of files) await store.compose([key], copies + key);
    await failPoint('discard:before-remove');
    ctx.signal.throwIfAborted();
    await store.remove(files);
    await failPoint('discard:after-remove');
  }
  await lookAgain(deps, input, copies);
  // An earlier attempt may have removed some of them.
  const removed = new Map((await copiesOf(deps, keys.discarded(input.runId))).map(({ of, bytes }) => [of, bytes]));
  for (const [key, bytes] of removed)
    if (!(await store.exists(key))) tallies.add('clean.csv of which nothing had been published', { key, bytes });
  await store.removeBelow(copies);
  return { tallies: tallies.all };
}

/** Puts back what is needed by now. The rest is removed for good. */
async function lookAgain(deps: Deps, input: DiscardInput, copies: string): Promise<void> {
  for (const { key, of } of await copiesOf(deps, copies)) {
    const [, stream = '', , , batchId = ''] = of.split('/');
    if (!(await isNeeded(deps, input, cleaningWith(input, { stream, batchId })))) continue;
    if (!(await deps.store.exists(of))) await deps.store.compose([key], of);
  }
}

/** Copies below a prefix, and whose they are: those of all attempts of a run, or of one. */
async function copiesOf({ store }: Deps, prefix: string): Promise<{ key: string; of: string; bytes: number }[]> {
  const found: { key: string; of: string; bytes: number }[] = [];
  for await (const { key, bytes } of store.list(prefix))
    found.push({ key, of: key.slice(key.indexOf('/runs/') + 1), bytes });
  return found;
}

/** What goes together with a batch. */
function cleaningWith({ made }: DiscardInput, batch: Cleaning[number]): Cleaning {
  return made.some(({ stream, batchId }) => stream === batch.stream && batchId === batch.batchId) ? made : [batch];
}
