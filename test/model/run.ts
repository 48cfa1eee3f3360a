import { runSequences } from './sequences.ts';

// `npm run test:model -- [SEQUENCES [SEED [PATH [REPLAY-PATH]]]]`: more sequences than the test runs, or one that failed once more.

const [sequences = '100000', seed, path, replayPath] = process.argv.slice(2);
const startedAt = performance.now();
const sum = await runSequences({
  sequences: Number(sequences),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  ...(path === undefined ? {} : { path }),
  ...(replayPath === undefined ? {} : { replayPath }),
});
const seconds = (performance.now() - startedAt) / 1000;
console.log(`${sequences} sequences in ${seconds.toFixed(0)} s: ${JSON.stringify(sum)}`);
