import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { moved } from './meter.ts';

/** Passes bytes to or from the object store on. `seen` says how many have gone through, and once, at the end, their hash. */
export function hashing() {
  const hash = createHash('sha256');
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      moved('store', chunk.length);
      done(null, chunk);
    },
  });
  return { through, seen: { bytes: () => bytes, sha256: () => hash.digest('hex') } };
}
