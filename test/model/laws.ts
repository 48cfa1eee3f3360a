import { createHash } from 'node:crypto';
import type { OutputColumn } from '../../src/definition/columns.ts';
import { keys } from '../../src/definition/names.ts';
import type { BatchRecord, HourRecord } from '../../src/definition/refs.ts';
import { decodeParquet } from '../../src/formats/parquet.ts';
import { GRACE_MS } from '../../src/stages/maintaining/grace.ts';
import type { BatchPart } from '../../src/stages/landing/batch-record.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import type { Model } from './model.ts';
import { epoch, stream, type Content } from './universe.ts';
import type { World } from './world.ts';

// What must hold, read from the bucket itself: none of the code under test is asked, but for the names of keys.

/** A record that was found to be right. */
interface Proven {
  readonly batch: string;
  readonly bytes: Buffer;
  readonly objects: readonly string[];
}

/** By key. */
const proven = new WeakMap<World, Map<string, Proven>>();

/**
 * Between any two steps: a batch that has a record is complete and stays the same for ever, though a later version of its record may
 * name other objects; an hour is what it was made.
 * @returns how many batches have a record
 */
export function checkCommits(model: Model, world: World): number {
  const known = proven.get(world) ?? new Map<string, Proven>();
  proven.set(world, known);
  const newest = new Map<string, Proven>();
  const readable: Proven[] = [];
  for (const key of world.bucket.keys(`landing/${stream}/_batches/`)) {
    const bytes = world.bucket.get(key) ?? Buffer.alloc(0);
    const before = known.get(key);
    if (before && before.bytes !== bytes) throw new Error(`${key} was changed`);
    const found = before ?? prove(world, bytes);
    known.set(key, found);
    // A reader may have begun with the version before.
    const superseded = newest.get(found.batch);
    if (superseded && world.now - world.bucket.modified(key) <= GRACE_MS) readable.push(superseded);
    newest.set(found.batch, found);
  }
  for (const [key, { batch }] of known) if (!newest.has(batch)) throw new Error(`${key} is gone`);
  for (const { batch, objects } of [...readable, ...newest.values()]) {
    const gone = objects.find((object) => !world.bucket.has(object));
    if (gone !== undefined) throw new Error(`${gone} is gone, and batch ${batch} names it`);
  }
  for (const [hour, possible] of model.newest) {
    const key = world.bucket.keys(keys.hours(stream, hour)).at(-1);
    const batch = key === undefined ? undefined : world.bucket.json<HourRecord>(key)?.batch;
    if (!possible.has(batch)) {
      throw new Error(`hour ${hour} consists of ${batch}, and not of ${[...possible].join(' or ')}`);
    }
  }
  return newest.size;
}

function prove(world: World, bytes: Buffer): Proven {
  const record = JSON.parse(bytes.toString()) as BatchRecord;
  const content = world.universe.contents.find(({ batch }) => batch.batchId === record.batch);
  if (!content) throw new Error(`there is a record of ${record.batch}, which is no batch`);
  checkBatch(world, record, content);
  return { batch: record.batch, bytes, objects: record.objects.map(({ key }) => key) };
}

/** The objects of a batch hold its rows, each once, and the record says of them what is true. */
function checkBatch(world: World, record: BatchRecord, content: Content): void {
  const found: string[] = [];
  for (const object of record.objects) {
    const bytes = world.bucket.get(object.key);
    if (!bytes) throw new Error(`${object.key} is not there, and the record of ${content.name} names it`);
    const rows = rowsIn(world, bytes);
    const same = rows.length === object.rows && bytes.length === object.bytes && sha256(bytes) === object.sha256;
    if (!same) throw new Error(`${object.key} is not what the record of ${content.name} says`);
    found.push(...rows);
  }
  const wanted = content.rows.map(({ id, values }) => JSON.stringify([JSON.stringify(id), ...Object.values(values)]));
  if (JSON.stringify(found.toSorted()) !== JSON.stringify(wanted.toSorted())) {
    throw new Error(
      `${content.name} landed as\n${found.toSorted().join('\n')}\nand is\n${wanted.toSorted().join('\n')}`,
    );
  }
  const { rows, checksum } = content.batch;
  if (record.rows !== rows.clean || JSON.stringify(record.checksum) !== JSON.stringify(checksum)) {
    throw new Error(`the record of ${content.name} counts ${record.rows} rows, or other identities`);
  }
}

function rowsIn({ universe }: World, bytes: Buffer): string[] {
  const columns: OutputColumn[] = [{ name: '_record', type: 'string' }, ...universe.output];
  const lines = (): string[] => bytes.toString().trimEnd().split('\n');
  const rows =
    universe.format === 'parquet'
      ? [...decodeParquet(columns, bytes)].flat()
      : lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  return rows.map((row) => JSON.stringify(columns.map(({ name }) => row[name])));
}

/** Whoever says that a batch is published has each row of it in the log, and an end for each partition of the plan. */
export function checkSent({ name, batch, rows }: Content, { topic, setup }: World): void {
  const ours = topic.partitions.map(({ records }) =>
    records.filter(({ headers }) => headers['batch'] === batch.batchId),
  );
  const sent = new Set(ours.flat().map(({ key }) => key?.toString()));
  const missing = rows.find(({ id }) => !sent.has(JSON.stringify(id)));
  if (missing) throw new Error(`row ${missing.id.join()} of ${name} is not in the log`);
  const ended = ours.filter((records) => records.some(({ headers }) => headers['end'] !== undefined)).length;
  if (ended !== setup.partitions) throw new Error(`an end of ${name} is not in the log`);
}

/** What the chains came to. */
export interface Landed {
  resent: number;
  foreign: number;
  abandoned: number;
  manifests: number;
}

/**
 * The manifests of each partition are one chain from offset 0 on without gap or overlap; no object is in two of them, and each is there;
 * what records and parts name is in them; the record of a batch is the sum of its parts.
 */
export function checkChains(world: World): Landed {
  const landed: Landed = { resent: 0, foreign: 0, abandoned: 0, manifests: 0 };
  const named = new Set<string>();
  for (const partition of world.topic.partitions.keys()) {
    let next = 0;
    let previous: string | null = null;
    for (const key of world.bucket.keys(keys.chain(stream, epoch, partition))) {
      const manifest = world.bucket.json<Manifest>(key);
      if (!manifest) continue;
      if (Number(manifest.first) !== next || manifest.previous !== previous || Number(manifest.last) < next) {
        throw new Error(
          `${key} goes from ${manifest.first} to ${manifest.last} behind ${manifest.previous}, not on from ${next}`,
        );
      }
      checkForeign(world, manifest);
      for (const object of [...manifest.objects, ...(manifest.foreignObjects ?? [])]) {
        if (named.has(object.key)) throw new Error(`two manifests name ${object.key}`);
        if (!world.bucket.has(object.key) && world.seen.collections === 0) {
          throw new Error(`${object.key} is not there, and ${key} names it`);
        }
        named.add(object.key);
      }
      next = Number(manifest.last) + 1;
      previous = manifest.first;
      landed.resent += manifest.resent;
      landed.foreign += manifest.foreign;
      landed.abandoned += manifest.abandoned.length;
      landed.manifests += 1;
    }
  }
  checkParts(world, named);
  return landed;
}

/** What other producers wrote is landed by the manifest of its range, or has become a dead letter. */
function checkForeign(world: World, { kind, partition, first, last, foreignObjects = [] }: Manifest): void {
  if (kind === 'loss') return;
  const objects = foreignObjects.flatMap(({ key }) => world.bucket.get(key) ?? []);
  const landed = objects.flatMap((bytes) => rowsIn(world, bytes));
  const records = world.topic.partitions[partition]?.records.slice(Number(first), Number(last) + 1) ?? [];
  const others = records.filter(({ key }) => key?.toString() === 'x');
  const kept = others.filter(({ offset }) => {
    const id = JSON.stringify([epoch, partition, String(offset)]);
    return landed.some((row) => (JSON.parse(row) as unknown[])[0] === id);
  });
  const lost = others.find(
    (record) => !kept.includes(record) && !world.deadLetters.has(`${partition}/${record.offset}`),
  );
  if (landed.length !== kept.length) throw new Error(`the manifest at ${first} lands rows of nobody`);
  if (lost) throw new Error(`the record at offset ${lost.offset} was neither landed nor kept`);
}

function checkParts(world: World, named: ReadonlySet<string>): void {
  for (const { name, batch } of world.universe.contents) {
    const parts = world.bucket.keys(keys.parts(stream, batch.batchId, epoch)).flatMap((key) => {
      const part = world.bucket.json<BatchPart>(key);
      return part ? [part] : [];
    });
    const objects = parts.flatMap((part) => part.objects.map((object) => object.key));
    const stray = objects.find((key) => !named.has(key));
    if (stray !== undefined) throw new Error(`${stray} is in a part of ${name}, and in no manifest`);
    const record = world.bucket.json<BatchRecord>(keys.batchRecord(stream, batch.batchId, 1));
    if (!record) continue;
    const rows = parts.reduce((sum, part) => sum + part.ended.rows, 0);
    const same =
      record.objects
        .map(({ key }) => key)
        .toSorted()
        .join() === objects.toSorted().join();
    if (!same || rows !== record.rows) throw new Error(`the record of ${name} is not the sum of its parts`);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
