import { parentPort } from 'node:worker_threads';
import type { CleanOutcome } from '../engine.ts';
import type { ThreadMessage } from '../thread.ts';
import { cleanWithDanfojs, type DanfojsJob } from './danfojs-clean.ts';

// One job after the other. One that fails ends the thread, and whoever waits is told why.
parentPort?.on('message', (job: DanfojsJob) => {
  void cleanWithDanfojs(job).then((result) => {
    const message: ThreadMessage<CleanOutcome> = { result };
    parentPort?.postMessage(message);
  });
});
