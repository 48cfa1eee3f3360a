import { expect, it } from 'vitest';
import { runSequences } from './sequences.ts';

/*
 * The streaming contract (docs/architecture.md, section 5) against a model of it: sequences of what publishers, consumers, persons, brokers
 * and the clock may do, over a log and a store in memory, through the code that runs in production. A failure says its seed and path;
 * `npm run test:model -- 10000 SEED PATH REPLAY-PATH` runs it again, SEED and PATH from that message, REPLAY-PATH from the end of the
 * counterexample.
 */
it('hour → batch → objects equals the model after 10,000 sequences', async () => {
  const { halted, ...sum } = await runSequences({ sequences: 10_000 });
  // Hardly ever, and never is right too.
  expect(halted).toBeLessThan(100);
  for (const [what, count] of Object.entries(sum)) expect(count, `${what} came about`).toBeGreaterThan(0);
  expect(sum.batches).toBeGreaterThan(10_000);
});
