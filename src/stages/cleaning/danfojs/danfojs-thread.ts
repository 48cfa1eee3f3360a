import { parentPort, workerData } from 'node:worker_threads';
import { cleanWithDanfojs, type DanfojsJob } from './danfojs-clean.ts';

parentPort?.postMessage(await cleanWithDanfojs(workerData as DanfojsJob));
