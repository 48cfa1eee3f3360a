import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { home, Lab, noFaults, stopMs } from './lab.ts';
import { expectWhole, recordRuns } from './results.ts';
import {
  lostBulkAnswers,
  lostProduceAnswer,
  lostPutAnswers,
  refusedRequests,
  zombieConsumer,
  type Scenario,
} from './scenarios.ts';

const scenarios: readonly { name: string; scenario: Scenario }[] = [
  { name: 'every fourth answer of the broker to a produce request is lost', scenario: lostProduceAnswer },
  {
    name: 'the first answer of the object store to the put of each object is lost, the object stored',
    scenario: lostPutAnswers,
  },
  { name: 'the index refuses four bulk requests in a row with 429', scenario: refusedRequests },
  { name: 'four answers to bulk requests in a row are lost, the documents applied', scenario: lostBulkAnswers('cut') },
  { name: 'a bulk request is applied and never answered', scenario: lostBulkAnswers('hang') },
  {
    name: `SIGSTOP of a consumer for ${stopMs / 1000} s and until its group lets go of it (30 s), another takes over meanwhile`,
    scenario: zombieConsumer(stopMs),
  },
];

describe.skipIf(noFaults).concurrent('on the network', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });

  afterAll(async () => {
    await lab?.close();
  });

  it.each(scenarios)('$name: each row once', async ({ name, scenario }) => {
    const { hour, ends, recoverySeconds } = await scenario(lab, home);
    expect(ends).toEqual(ends.map(() => 'done'));
    const verdict = await lab.check(hour);
    expectWhole(verdict);
    recordRuns('Network and zombies', name, [verdict], recoverySeconds);
  });
});
