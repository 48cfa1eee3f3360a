import { parentPort, workerData } from 'node:worker_threads';
import { deriveColumns, type DeriveJob, type Derivation } from './derive.ts';
import type { ThreadMessage } from './thread.ts';

const tell = (message: ThreadMessage<Derivation>): void => parentPort?.postMessage(message);
tell({ result: await deriveColumns(workerData as DeriveJob, (progress) => tell({ progress })) });
