import { randomBytes } from 'node:crypto';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { pipelineSchema } from '../../src/definition/pipeline.ts';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';

// The import stage as a worker runs it: fetched over HTTP, stored raw, read, stored as Parquet.
const [url = ''] = process.argv.slice(2);
const settings = readSettings({ ...process.env, SLUICE_S3_BUCKET: `bench-${randomBytes(4).toString('hex')}` });
// Kafka, Elasticsearch and mail have no part in it, and their libraries would count as its memory.
const deps = { settings, store: new ObjectStore(settings.store) } as unknown as StageDeps;
await deps.store.ensureBucket();
const pipeline = pipelineSchema.parse({
  name: 'bench',
  source: { url, limits: { bytes: 100_000_000_000 } },
  columns: { 'COUNTY ID': { name: 'county_id' }, 'POSTAL CODE': { name: 'zip' } },
});
const startedAt = performance.now();
const { parsed } = await importSource(
  deps,
  { pipeline, hour: toLogicalHour(new Date()), refetch: false, useCurrent: false, force: false },
  unattended,
);
const seconds = (performance.now() - startedAt) / 1_000;
console.log(
  JSON.stringify({ seconds, rows: parsed.rows.parsed, peakMb: Math.round(process.resourceUsage().maxRSS / 1_000) }),
);
process.exit(0);
