import { parentPort, workerData } from 'node:worker_threads';
import { plantProblems } from './problems.ts';
import { scoreHistory } from './score.ts';

// One history, judged on a thread of its own: each takes a minute.
const { seed, hours, each } = workerData as { seed: number; hours: number; each: number };
parentPort?.postMessage(scoreHistory(seed, hours, each === 0 ? [] : plantProblems(seed, hours, each)));
