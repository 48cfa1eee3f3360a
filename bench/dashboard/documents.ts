import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { mainDataset } from '../../src/definition/names.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { wantedIndex } from '../../src/stages/indexing/mapping.ts';
import { zipLocation } from '../../src/stages/publishing/zip-location.ts';

const HOUR_MS = 3_600_000;
const CHUNK = 10_000;
const file = join(import.meta.dirname, '..', '..', 'pipelines', 'data', 'broadband_data_zipcode.csv');

/** An index with the real mapping, full of what the shipped file says: hour by hour, the newest first, until it has that many documents. */
export class BenchIndex {
  readonly #url: string;
  readonly #index: string;
  readonly #pipeline: Pipeline;

  /** @param url of Elasticsearch */
  constructor(url: string, pipeline: Pipeline) {
    this.#url = url;
    this.#index = `${streamOf(pipeline, mainDataset).alias}-000001`;
    this.#pipeline = pipeline;
  }

  async fill(documents: number): Promise<void> {
    const { mappings, shards, replicas } = wantedIndex(streamOf(this.#pipeline, mainDataset), this.#pipeline);
    const settings = { number_of_shards: shards, number_of_replicas: replicas, refresh_interval: '-1' };
    const aliases = { [streamOf(this.#pipeline, mainDataset).alias]: {} };
    await this.#ask('PUT', this.#index, JSON.stringify({ mappings, settings, aliases }));
    const rows = await rowsOf();
    const newest = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    let lines: string[] = [];
    for (let n = 0; n < documents; n++) {
      const hour = new Date(newest - Math.floor(n / rows.length) * HOUR_MS).toISOString().replace('.000Z', 'Z');
      const row = rows[n % rows.length] ?? {};
      // Hours differ as the made-up measurement does.
      const simulated = Math.round((1 + (Number(row['usage']) * 0.7 + Math.random() * 0.3) * 939) * 10) / 10;
      const own = { observed_at: hour, hour, simulated_mbps: simulated, generation: 1, batch: hour };
      lines.push('{"create":{}}', JSON.stringify({ ...row, ...own, sluice: { a: n, b: n, c: n, d: n } }));
      if (lines.length < CHUNK * 2 && n < documents - 1) continue;
      await this.#send(lines);
      lines = [];
      if (n % 500_000 < CHUNK) process.stderr.write(`${n + 1} documents\n`);
    }
    await this.#ask('POST', `${this.#index}/_refresh`);
    const { count } = (await this.#ask('GET', `${this.#index}/_count`)) as { count: number };
    if (count !== documents) throw new Error(`the index has ${count} documents, not ${documents}`);
  }

  async remove(): Promise<void> {
    await this.#ask('DELETE', `${this.#index}?ignore_unavailable=true`);
  }

  async #send(lines: readonly string[]): Promise<void> {
    const body = `${lines.join('\n')}\n`;
    const { errors, items } = (await this.#ask('POST', `${this.#index}/_bulk`, body, 'application/x-ndjson')) as {
      errors: boolean;
      items: { create: { error?: unknown } }[];
    };
    if (errors) throw new Error(JSON.stringify(items.find(({ create }) => create.error)));
  }

  async #ask(method: string, path: string, body?: string, type = 'application/json'): Promise<unknown> {
    const sent = body === undefined ? {} : { body, headers: { 'content-type': type } };
    const answer = await fetch(`${this.#url}/${path}`, { method, ...sent });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.json();
  }
}

/** The shipped rows as documents, but for what differs by hour. */
async function rowsOf(): Promise<Record<string, unknown>[]> {
  const table = parse(await readFile(file), { from_line: 2 }) as string[][];
  return table.map(([state, county, countyId = '', zip = '', usage, ...errors]) => {
    const found = zipLocation(zip.padStart(5, '0'));
    const share = Number(usage);
    const [error_mae, error_95, msd] = errors.map(Number);
    const band = ['very-low', 'low', 'medium', 'high'][Math.floor(share * 5)] ?? 'very-high';
    return {
      ...{ state, county, county_id: countyId.padStart(5, '0'), zip: zip.padStart(5, '0'), usage: share },
      ...{ error_mae, error_95, msd, usage_band: band },
      ...(found && { latitude: found.latitude, longitude: found.longitude }),
      ...(found && { location: { lat: found.latitude, lon: found.longitude } }),
    };
  });
}
