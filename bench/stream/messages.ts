import { createReadStream } from 'node:fs';
import type { LogRecord } from '../../src/connectors/log.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { readCleanCsv } from '../../src/stages/cleaning/clean-csv.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { publishRows } from '../../src/stages/publishing/publish.ts';
import { benchHour } from './broadband.ts';
import type { Job } from './job.ts';

/** The first send to each partition, word for word, as our publisher makes it. */
export async function firstMessages({ csv, pipeline, prepared, batch }: Job): Promise<LogRecord[][]> {
  const sends: LogRecord[][] = [];
  const enough = new Error('enough');
  const store = {
    findJson: async () => undefined,
    lastKey: async () => undefined,
    createJson: async (_: string, value: unknown) => ({ created: true, value }),
  };
  const log = {
    watermarks: async () => new Map(),
    writer: async () => ({
      send: async (partition: number, records: readonly LogRecord[]) => {
        sends[partition] ??= [...records];
        if (Object.keys(sends).length === prepared.partitions) throw enough;
        return 0n;
      },
      close: async () => {},
    }),
  };
  await publishRows(
    { store, log } as unknown as StageDeps,
    { pipeline, hour: benchHour, prepared, batch, workflowId: 'bench' },
    () => readCleanCsv(createReadStream(csv), streamOf(pipeline, 'main')),
    unattended,
  ).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  return sends;
}
