import { createRequire } from 'node:module';
import { throttled } from './meter.ts';

// A broker's quota reaches a client as a time to hold back, which kafkajs keeps and tells nobody. A socket's answers are handled in the
// context that opened it, so the time goes to the attempt whose producer it is.

const require = createRequire(import.meta.url);
const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as {
  readonly prototype: { maybeThrottle(ms: number | null | undefined): void };
};
const usual = RequestQueue.prototype.maybeThrottle;

RequestQueue.prototype.maybeThrottle = function (ms) {
  if (typeof ms === 'number' && ms > 0) throttled('broker', ms);
  usual.call(this, ms);
};
