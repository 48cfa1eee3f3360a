import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Span } from '../../definition/refs.ts';
import type { Store } from '../../connectors/object-store.ts';
import type { StageDeps } from '../deps.ts';
import type { AcceptLossInput } from '../io.ts';
import { ManifestChain } from './chain.ts';
import type { Loss, Manifest } from './manifest.ts';

/** A range given up, as it is kept beside the chain so that runs find it. */
export interface AcceptedLoss extends Loss {
  readonly epoch: string;
  readonly partition: number;
}

/**
 * Gives up a range of offsets of a partition, so that a consumer that halted in front of it can go on behind it: a manifest of kind
 * `loss`. Batches that lost rows to it never land; their runs end as `RowsUnaccounted`, and another run of the hour publishes them anew.
 * May be repeated.
 *
 * @param now milliseconds since 1970
 * @throws SluiceError `LossRefused` where the range does not begin at the position, or is not all of what is missing
 */
export async function acceptLoss(
  deps: Pick<StageDeps, 'store' | 'log'>,
  input: AcceptLossInput,
  now: number,
): Promise<AcceptedLoss> {
  const { consume, partition, reason } = input;
  const { stream, topic, epoch } = consume;
  const chain = new ManifestChain(deps.store, stream, epoch, partition);
  await chain.load();
  const before = chain.head;
  if (before?.kind === 'loss' && before.loss) {
    // Whoever wrote it may have died before this, and behind another one nobody would look for it.
    const recorded = await recordLoss(deps.store, stream, before, before.loss);
    if (before.first === input.from && before.last === input.to) return recorded;
  }
  const [from, to] = [BigInt(input.from), BigInt(input.to)];
  const where = `Topic ${topic}, partition ${partition}`;
  const watermarks = (await deps.log.watermarks(topic)).get(partition);
  if (!watermarks) throw new SluiceError('LossRefused', `Topic ${topic} has no partition ${partition}.`);
  const { low, high } = watermarks;
  if (from !== chain.position) {
    throw new SluiceError(
      'LossRefused',
      `${where} is landed up to offset ${chain.position - 1n}: a loss must begin at ${chain.position}, not at ${from}.`,
    );
  }
  if (to < from || to >= high) {
    throw new SluiceError(
      'LossRefused',
      `${where} ends at offset ${high - 1n}: ${to} is no end of a range that begins at ${from}.`,
    );
  }
  if (to < low - 1n) {
    throw new SluiceError(
      'LossRefused',
      `${where} begins at offset ${low}: what is gone reaches to ${low - 1n}, not to ${to}.`,
    );
  }
  const loss: Loss = { first: input.from, last: input.to, reason, acceptedAt: now };
  const manifest: Manifest = {
    kind: 'loss',
    epoch,
    partition,
    first: input.from,
    last: input.to,
    previous: before?.first ?? null,
    lastRecord: null,
    objects: [],
    open: before?.open ?? {},
    // A consumer that died behind its manifest has left these to be finished by whoever finds them in the head.
    ended: before?.ended ?? {},
    abandoned: [],
    resent: 0,
    foreign: 0,
    loss,
  };
  if ((await chain.append(manifest)) === 'lost') {
    throw new SluiceError(
      'LossRefused',
      `${where} was landed further meanwhile, up to offset ${chain.position - 1n}: look again where it stands.`,
    );
  }
  return recordLoss(deps.store, stream, manifest, loss);
}

/** Keeps a loss where runs look for it. Whoever finds its manifest at the head of a chain does it again. */
export async function recordLoss(store: Store, stream: string, manifest: Manifest, loss: Loss): Promise<AcceptedLoss> {
  const { epoch, partition, first } = manifest;
  const record: AcceptedLoss = { ...loss, epoch, partition };
  return (await store.createJson(keys.loss(stream, epoch, partition, BigInt(first)), record)).value;
}

/** What was given up in one life of a topic. */
export async function findLosses(store: Store, stream: string, epoch: string): Promise<AcceptedLoss[]> {
  const found: AcceptedLoss[] = [];
  for await (const { key } of store.list(keys.losses(stream, epoch))) {
    const loss = await store.findJson<AcceptedLoss>(key);
    if (loss) found.push(loss);
  }
  return found;
}

/** The loss that took rows of a batch, by where the batch lies in each partition; parts that have landed lost nothing. */
export async function lossOf(
  store: Store,
  stream: string,
  batch: { readonly id: string; readonly epoch: string; readonly spans: readonly (Span | undefined)[] },
): Promise<AcceptedLoss | undefined> {
  for (const loss of await findLosses(store, stream, batch.epoch)) {
    const span = batch.spans[loss.partition];
    if (!span || BigInt(loss.last) < BigInt(span.first) || BigInt(loss.first) > BigInt(span.last)) continue;
    if (await store.exists(keys.part(stream, batch.id, batch.epoch, loss.partition))) continue;
    return loss;
  }
  return undefined;
}

/**
 * A partition in which a batch was passed by: the chain goes on behind its last offset, and it has no part there. A manifest stands behind
 * another only once the parts of that one are stored, so the batch will not land by what is in the log. It takes a publisher whose send was
 * under way for hours while its batch was closed and a loss accepted.
 */
export async function passedBy(
  store: Store,
  stream: string,
  batch: { readonly id: string; readonly epoch: string; readonly spans: readonly (Span | undefined)[] },
): Promise<number | undefined> {
  for (const [partition, span] of batch.spans.entries()) {
    if (!span || BigInt(span.last) < 0n) continue;
    const chain = keys.chain(stream, batch.epoch, partition);
    const { value: behind } = await store
      .list(chain, keys.manifest(stream, batch.epoch, partition, BigInt(span.last)))
      .next();
    if (behind && !(await store.exists(keys.part(stream, batch.id, batch.epoch, partition)))) return partition;
  }
  return undefined;
}
