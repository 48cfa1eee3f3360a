import { hourKey } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import { rawFiles, type ImportRecord } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import { removedHours } from './removed-hours.ts';
import type { Sweep } from './sweep.ts';

type Store = Pick<StageDeps, 'store'>;

interface Collecting {
  readonly sweep: Sweep;
  readonly dryRun: boolean;
  readonly graceBegan: number;
  readonly ctx: StageContext;
}

/**
 * Removes fetched files that no import record names. Their names are their hashes, so an import may come to the very bytes that are
 * being removed. Each side acts first and looks afterwards: gc copies a file away, removes it, reads the records once more and puts back
 * what is named by then; an import writes its record and then makes sure that its files are there. Whoever looks last sees the other.
 */
export async function collectImports(deps: Store, pipeline: string, collecting: Collecting): Promise<void> {
  const { sweep, dryRun, graceBegan, ctx } = collecting;
  const { store } = deps;
  const removed = await removedHours(deps, pipeline, graceBegan);
  const names = new NamedFiles(deps, pipeline, new Set([...removed.keys()].map(hourKey)));
  await names.read();
  // What a gc that was killed had not put back.
  if (!dryRun) await putBack(store, pipeline, names);
  const unnamed: { key: string; bytes: number }[] = [];
  for await (const object of store.list(keys.rawAll(pipeline))) {
    if (object.lastModified.getTime() < graceBegan && !names.has(store.uri(object.key))) unnamed.push(object);
  }
  for (const object of unnamed) {
    ctx.signal.throwIfAborted();
    if (!dryRun) await store.compose([object.key], keys.collected() + object.key);
    await sweep.take('fetched files that no import record names', object);
    ctx.progress({ note: `collects fetched files of ${pipeline}` });
  }
  await sweep.flush();
  if (dryRun || unnamed.length === 0) return;
  await names.read();
  await putBack(store, pipeline, names);
}

async function putBack(store: Store['store'], pipeline: string, names: NamedFiles): Promise<void> {
  const prefix = keys.collected();
  for await (const { key } of store.list(prefix + keys.rawAll(pipeline))) {
    const file = key.slice(prefix.length);
    if (names.has(store.uri(file)) && !(await store.exists(file))) await store.compose([key], file);
  }
}

/** What the import records of the hours that are kept name. */
class NamedFiles {
  readonly #deps: Store;
  readonly #prefix: string;
  readonly #removed: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #uris = new Set<string>();

  constructor(deps: Store, pipeline: string, removed: ReadonlySet<string>) {
    this.#deps = deps;
    this.#prefix = keys.runs(pipeline);
    this.#removed = removed;
  }

  /** Reads the records that were not there the last time; a record never changes. */
  async read(): Promise<void> {
    const { store } = this.#deps;
    const fresh: string[] = [];
    for await (const { key } of store.list(this.#prefix)) {
      const [hour = '', place] = key.slice(this.#prefix.length).split('/');
      if (place === 'imports' && !this.#removed.has(hour) && !this.#seen.has(key)) fresh.push(key);
    }
    const records = await inGroups(fresh, (key) => store.findJson<ImportRecord>(key));
    for (const [at, record] of records.entries()) {
      if (!record) continue;
      this.#seen.add(fresh[at] ?? '');
      this.#uris.add(record.raw.uri);
      for (const { raw } of rawFiles(record)) this.#uris.add(raw.uri);
    }
  }

  has(uri: string): boolean {
    return this.#uris.has(uri);
  }
}

/**
 * Removes parsed objects whose file is gone, whichever pipeline fetched it. They are made of it, so an import that meets one half
 * removed makes it again.
 */
export async function collectParsed({ store }: Store, sweep: Sweep, graceBegan: number): Promise<void> {
  const files = new Set<string>();
  for await (const { key } of store.list('raw/')) files.add(key.slice(key.lastIndexOf('/') + 1));
  const prefix = keys.parsedAll();
  let folder: { name: string; young: boolean; objects: { key: string; bytes: number }[] } | undefined;
  const close = async (): Promise<void> => {
    if (!folder || folder.young || files.has(folder.name.split('-')[0] ?? '')) return;
    // What names the parts goes first.
    const first = folder.objects.toSorted(
      (a, b) => Number(b.key.endsWith('/parsed.json')) - Number(a.key.endsWith('/parsed.json')),
    );
    for (const object of first) await sweep.take('parsed objects of files that are gone', object);
    await sweep.flush();
  };
  for await (const object of store.list(prefix)) {
    const name = object.key.slice(prefix.length).split('/')[0] ?? '';
    if (folder?.name !== name) {
      await close();
      folder = { name, young: false, objects: [] };
    }
    folder.objects.push(object);
    folder.young ||= object.lastModified.getTime() >= graceBegan;
  }
  await close();
}
