/** A generator of numbers below `n` that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * n);
  };
}

const SPECIAL = [0, 9, 10, 13, 32, 34, 39, 44, 59, 92, 124, 0x80, 0xc3, 0xed, 0xef, 0xfe, 0xff];

/** A few bytes changed, put in, taken out or doubled. */
export function mutate(bytes: Buffer, random: (n: number) => number): Buffer {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random(6); left > 0; left--) {
    const at = random(changed.length + 1);
    const byte = random(2) === 0 ? (SPECIAL[random(SPECIAL.length)] ?? 0) : random(256);
    const span = 1 + random(random(4) === 0 ? 200 : 3);
    switch (random(4)) {
      case 0:
        changed.fill(byte, at, Math.min(changed.length, at + span));
        break;
      case 1:
        changed = Buffer.concat([changed.subarray(0, at), Buffer.alloc(span, byte), changed.subarray(at)]);
        break;
      case 2:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + span)]);
        break;
      default:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at, at + span), changed.subarray(at)]);
    }
  }
  return changed;
}
