import { parentPort, workerData } from 'node:worker_threads';
import type { CleanOutcome } from '../engine.ts';
import type { ThreadMessage } from '../thread.ts';
import { cleanWithDanfojs, type DanfojsJob } from './danfojs-clean.ts';

const message: ThreadMessage<CleanOutcome> = { result: await cleanWithDanfojs(workerData as DanfojsJob) };
parentPort?.postMessage(message);
