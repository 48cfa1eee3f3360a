import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { httpProxy } from './http-proxy.ts';
import { kafkaProxy } from './kafka-proxy.ts';
import type { Hour, Lab, StageProcess } from './lab.ts';
import { isBulk, overloaded, refuseItems } from './overload.ts';
import type { Job } from './stage-process.ts';

// Faults that need more than a kill. Each runs on the sources of a folder: the project's own, or a copy without one protection. With
// all protections the hour is whole afterwards; a copy may stop on the way, which is told and not thrown.

const ROWS = 2_000;

/** What a scenario leaves to be checked. */
export interface Outcome {
  readonly hour: Hour;
  /** How the processes ended: `done`, or the code that stopped them. */
  readonly ends: readonly string[];
  readonly recoverySeconds: number;
}

export type Scenario = (lab: Lab, copy: string) => Promise<Outcome>;

const endOf = async (running: StageProcess): Promise<string> => {
  await Promise.race([running.ended, wait(400_000, undefined, { ref: false })]);
  running.kill('SIGKILL');
  const last = running.said.at(-1);
  if (last?.said === 'done') return last.holds === false ? 'that its equation does not hold' : 'done';
  return last?.said === 'failed' ? last.code : 'nothing';
};

/** Runs what is left to do of an hour, one after the other, for as long as all went well: a later attempt would tidy up what is to be seen. */
async function goOn(
  ends: readonly string[],
  roles: readonly Job['role'][],
  lab: Lab,
  hour: Hour,
  copy: string,
): Promise<string[]> {
  const all = [...ends];
  for (const role of roles) {
    if (all.some((end) => end !== 'done')) break;
    all.push(await endOf(lab.start(hour, { role }, {}, copy)));
  }
  return all;
}

/** Waits until a process has stopped itself at its fail point. */
async function untilStopped({ pid, said }: StageProcess): Promise<void> {
  for (let tries = 0; tries < 4_000; tries += 1) {
    if (/^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    await wait(100);
  }
  throw new Error(`process ${pid} never came to its fail point: ${JSON.stringify(said.slice(-3))}`);
}

const since = (from: number): number => (performance.now() - from) / 1000;

/**
 * A consumer stands still before it commits its first chunk, until its group lets go of it. Another takes over, whose chunks are smaller,
 * and stands still after two. The first one wakes up and commits: it must lose, adopt what the other made, and go on from there.
 */
export function zombieConsumer(stopMs: number): Scenario {
  return async (lab, copy) => {
    const land = { type: 'kind', maxRecords: 300 };
    const hour = lab.hour(ROWS, { publish: { partitions: 1, batchRows: 200 }, land });
    const published = await endOf(lab.start(hour, { role: 'publish' }, {}, copy));
    const larger = { role: 'consume', maxRecords: 500 } as const;
    const first = lab.start(hour, larger, { SLUICE_FAIL_POINT: 'land:before-manifest=stop' }, copy);
    await untilStopped(first);
    const asleep = performance.now();
    const second = lab.start(hour, { role: 'consume' }, { SLUICE_FAIL_POINT: 'land:after-manifest#2=stop' }, copy);
    await untilStopped(second);
    await wait(Math.max(0, stopMs - since(asleep) * 1000));
    const healed = performance.now();
    first.kill('SIGCONT');
    // Time for the zombie to put its chunk where the other's stands.
    await wait(3_000);
    second.kill('SIGCONT');
    const ends = [published, ...(await Promise.all([endOf(first), endOf(second)]))];
    return { hour, ends: await goOn(ends, ['finish'], lab, hour, copy), recoverySeconds: since(healed) };
  };
}

/** A publisher stands still before a send. Another goes on where it stopped and stands still, too; the first wakes up and sends. */
export const zombiePublisher: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS, { publish: { partitions: 1, batchRows: 200 }, land: { type: 'kind', maxRecords: 334 } });
  const stopping = { SLUICE_FAIL_POINT: 'publish:before-send#3=stop' };
  const first = lab.start(hour, { role: 'publish' }, stopping, copy);
  await untilStopped(first);
  const second = lab.start(hour, { role: 'publish' }, stopping, copy);
  await untilStopped(second);
  const healed = performance.now();
  first.kill('SIGCONT');
  const ends = [await endOf(first)];
  second.kill('SIGCONT');
  ends.push(await endOf(second));
  return { hour, ends: await goOn(ends, ['consume', 'finish'], lab, hour, copy), recoverySeconds: since(healed) };
};

/** The broker takes a batch, and its answers are lost until the publisher gives up; then it goes on in the same process. */
export const lostProduceAnswers: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS, { publish: { partitions: 1, batchRows: 200 } });
  let broken = true;
  const proxy = await kafkaProxy(lab.environment['SLUICE_KAFKA_BROKERS'] ?? '', (nth) => broken && nth >= 3);
  try {
    const publisher = lab.start(hour, { role: 'publish' }, { SLUICE_KAFKA_BROKERS: proxy.address }, copy);
    // Where many processes start at once, an attempt may fail on its way to the first send; the one that is meant lost an answer.
    await publisher.until((line) => line.said === 'failed' && line.code === 'PublishInterrupted' && proxy.dropped > 0);
    const healed = performance.now();
    broken = false;
    const ends = [await endOf(publisher)];
    return { hour, ends: await goOn(ends, ['consume', 'finish'], lab, hour, copy), recoverySeconds: since(healed) };
  } finally {
    await proxy.close();
  }
};

/** One answer of the broker is lost: the client sends again by itself, and the broker knows the batch. */
export const lostProduceAnswer: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS, { publish: { partitions: 2, batchRows: 200 } });
  const proxy = await kafkaProxy(lab.environment['SLUICE_KAFKA_BROKERS'] ?? '', (nth) => nth % 4 === 0);
  try {
    const started = performance.now();
    const ends = [await endOf(lab.start(hour, {}, { SLUICE_KAFKA_BROKERS: proxy.address }, copy))];
    if (proxy.dropped === 0) throw new Error('no answer was dropped');
    return { hour, ends, recoverySeconds: since(started) };
  } finally {
    await proxy.close();
  }
};

/** The index refuses some documents for overload, in four requests; then it is well again. */
export const refusedDocuments: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS);
  let left = 4;
  let refused = 0;
  const proxy = await httpProxy(lab.environment['SLUICE_ELASTICSEARCH_URL'] ?? '', (asked, pass) => {
    if (left === 0 || !isBulk(asked)) return undefined;
    left -= 1;
    return refuseItems(asked, pass, (id) => {
      if (!id.startsWith('0')) return false;
      refused += 1;
      return true;
    });
  });
  try {
    const started = performance.now();
    const ends = [await endOf(lab.start(hour, {}, { SLUICE_ELASTICSEARCH_URL: proxy.url }, copy))];
    if (refused === 0) throw new Error('no document was refused');
    return { hour, ends, recoverySeconds: since(started) };
  } finally {
    await proxy.close();
  }
};

/** A kill right behind the commit of a chunk. */
export const killedBehindCommit: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS);
  const published = await endOf(lab.start(hour, { role: 'publish' }, {}, copy));
  const killed = lab.start(hour, { role: 'consume' }, { SLUICE_FAIL_POINT: 'land:after-manifest=crash' }, copy);
  const { signal } = await killed.ended;
  if (signal !== 'SIGKILL')
    throw new Error(`it never came to its fail point: ${JSON.stringify(killed.said.slice(-3))}`);
  const healed = performance.now();
  return {
    hour,
    ends: await goOn([published], ['consume', 'finish'], lab, hour, copy),
    recoverySeconds: since(healed),
  };
};

/** The object store takes each object, and the first answer is lost: whoever asks again is told that the object is there. */
export const lostPutAnswers: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS);
  const lost = new Set<string>();
  const proxy = await httpProxy(lab.environment['SLUICE_S3_ENDPOINT'] ?? '', async (asked, pass) => {
    if (asked.method !== 'PUT' || !asked.path.includes('/landing/') || lost.has(asked.path)) return undefined;
    lost.add(asked.path);
    await pass();
    return 'cut';
  });
  try {
    const started = performance.now();
    const ends = [await endOf(lab.start(hour, {}, { SLUICE_S3_ENDPOINT: proxy.url }, copy))];
    if (lost.size < 10) throw new Error(`${lost.size} answers were lost`);
    return { hour, ends, recoverySeconds: since(started) };
  } finally {
    await proxy.close();
  }
};

/** The index refuses whole requests for overload, four in a row. */
export const refusedRequests: Scenario = async (lab, copy) => {
  const hour = lab.hour(ROWS);
  let left = 4;
  const proxy = await httpProxy(lab.environment['SLUICE_ELASTICSEARCH_URL'] ?? '', async (asked) => {
    if (left === 0 || !isBulk(asked)) return undefined;
    left -= 1;
    return overloaded;
  });
  try {
    const started = performance.now();
    const ends = [await endOf(lab.start(hour, {}, { SLUICE_ELASTICSEARCH_URL: proxy.url }, copy))];
    if (left > 0) throw new Error(`${left} requests were not refused`);
    return { hour, ends, recoverySeconds: since(started) };
  } finally {
    await proxy.close();
  }
};

/** The index takes a bulk and its answer is lost: by a cut connection, or by silence until the client gives up. */
export function lostBulkAnswers(how: 'cut' | 'hang'): Scenario {
  return async (lab, copy) => {
    const hour = lab.hour(ROWS);
    let left = how === 'cut' ? 4 : 1;
    const proxy = await httpProxy(lab.environment['SLUICE_ELASTICSEARCH_URL'] ?? '', async (asked, pass) => {
      if (left === 0 || !isBulk(asked)) return undefined;
      left -= 1;
      await pass();
      return how;
    });
    try {
      const started = performance.now();
      const ends = [await endOf(lab.start(hour, {}, { SLUICE_ELASTICSEARCH_URL: proxy.url }, copy))];
      if (left > 0) throw new Error(`${left} answers were not lost`);
      return { hour, ends, recoverySeconds: since(started) };
    } finally {
      await proxy.close();
    }
  };
}
