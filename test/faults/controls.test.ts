import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hop } from './checker.ts';
import { home, Lab, noFaults } from './lab.ts';
import { mutant, type Mutation } from './mutant.ts';
import { expectWhole, record, recordRuns } from './results.ts';
import {
  killedBehindCommit,
  lostProduceAnswers,
  refusedDocuments,
  zombieConsumer,
  zombiePublisher,
  type Scenario,
} from './scenarios.ts';

interface Control {
  readonly name: string;
  readonly fault: string;
  readonly scenario: Scenario;
  readonly mutation: Mutation;
  /** Where the checker must turn red, and how. */
  readonly red: { readonly hop: Hop['name']; readonly what: 'lost' | 'doubled' };
}

const store = 'src/connectors/object-store.ts';
const condition = "bytes, bytes.length, { 'If-None-Match': '*' });";
const writer = 'src/connectors/kafka-writer.ts';
const chunkWriter = 'src/stages/landing/chunk-writer.ts';
const lander = 'src/stages/landing/partition-lander.ts';
const ledger = 'src/stages/landing/batch-ledger.ts';
const sender = 'src/stages/indexing/bulk-sender.ts';
const indexing = 'src/stages/indexing/index-hour.ts';

const controls: readonly Control[] = [
  {
    name: 'no create-once',
    fault: 'a consumer that slept wakes up behind another',
    scenario: zombieConsumer(0),
    // The self-test of prepare sees what is missing, so its key keeps the condition.
    mutation: [
      [store, condition, `bytes, bytes.length, key.startsWith('tmp/create-once-') ? { 'If-None-Match': '*' } : {});`],
    ],
    red: { hop: 'chain', what: 'doubled' },
  },
  {
    name: 'producer reused after a failed send',
    fault: 'answers of the broker are lost until the publisher gives up',
    scenario: lostProduceAnswers,
    mutation: [
      [
        writer,
        'const producer = kafka.producer();',
        'const kept = globalThis as { kept?: Producer };\n    const producer = (kept.kept ??= kafka.producer());',
      ],
    ],
    red: { hop: 'topic', what: 'lost' },
  },
  {
    name: 'result of a bulk request ignored',
    fault: 'the index refuses documents with 429',
    scenario: refusedDocuments,
    mutation: [
      [sender, 'if (item && item.error === undefined) this.#written += 1;', 'if (item) this.#written += 1;'],
      [indexing, 'if (!isWhole(indexed, record)) {\n    throw', 'if (indexed.rows < 0) {\n    throw'],
    ],
    red: { hop: 'documents', what: 'lost' },
  },
  {
    name: 'position committed before the put',
    fault: 'SIGKILL right behind the commit of a chunk',
    scenario: killedBehindCommit,
    mutation: [
      [
        chunkWriter,
        'export async function writeChunk(',
        'export const puts: (() => Promise<unknown>)[] = [];\nexport async function writeChunk(',
      ],
      [chunkWriter, 'await store.createOnce(key, bytes);', 'puts.push(() => store.createOnce(key, bytes));'],
      [lander, 'import { writeChunk }', 'import { puts, writeChunk }'],
      [
        lander,
        "await failPoint('land:after-manifest');",
        "await failPoint('land:after-manifest');\n    for (const put of puts.splice(0)) await put();",
      ],
    ],
    red: { hop: 'objects', what: 'lost' },
  },
  {
    name: 'sequence check off',
    fault: 'a publisher that slept wakes up and sends what another has sent',
    scenario: zombiePublisher,
    mutation: [
      [
        ledger,
        'if (open === undefined || seq > open.expected || open.damaged) {',
        'if (open === undefined || open.damaged) {',
      ],
      [ledger, 'if (seq < open.expected) {', 'if (seq < 0) {'],
    ],
    red: { hop: 'chain', what: 'doubled' },
  },
];

describe.skipIf(noFaults).concurrent('a protection', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });

  afterAll(async () => {
    await lab?.close();
  });

  it.each(controls)('is there: $name', async ({ fault, scenario }) => {
    const { hour, ends, recoverySeconds } = await scenario(lab, home);
    expect(ends).toEqual(ends.map(() => 'done'));
    const verdict = await lab.check(hour);
    expectWhole(verdict);
    recordRuns('Network and zombies', fault, [verdict], recoverySeconds);
  });

  it('a store that knows no create-once is refused before anything is sent', async () => {
    const without = mutant(lab.folder, [[store, condition, 'bytes, bytes.length);']]);
    const running = lab.start(lab.hour(100), {}, {}, without);
    expect((await running.ended).code).toBe(1);
    expect(running.said.at(-1)).toMatchObject({ code: 'StoreNotCreateOnce' });
  });

  it.each(controls)('taken away turns the checker red: $name', async ({ name, fault, scenario, mutation, red }) => {
    const { hour, ends } = await scenario(lab, mutant(lab.folder, mutation));
    const verdict = await lab.check(hour);
    const hop = verdict.hops.find(({ name: of }) => of === red.hop);
    const gone = hop?.[red.what].length ?? 0;
    expect(gone > 0 ? 'red' : JSON.stringify({ ends, problems: verdict.problems })).toBe('red');
    const found = verdict.hops
      .filter(({ lost, doubled }) => lost.length + doubled.length > 0)
      .map(({ name: of, lost, doubled }) => `${of}: ${lost.length} lost, ${doubled.length} doubled`);
    const stopped = [...new Set(ends.filter((end) => end !== 'done'))];
    const itself = stopped.length > 0 ? `the pipeline said ${stopped.join(', ')}` : 'the pipeline saw nothing';
    record({
      group: 'Negative controls',
      scenario: `${name}; ${fault}`,
      runs: 1,
      rows: verdict.rows,
      lost: verdict.lost,
      doubled: verdict.doubled,
      red: `${found.join('; ')}; ${itself}`,
    });
  });
});
