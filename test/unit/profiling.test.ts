import { Session } from 'node:inspector/promises';
import { describe, expect, it, vi } from 'vitest';
import type { StageDeps } from '../../src/stages/deps.ts';
import { profiled } from '../../src/stages/profiling.ts';

const of = { pipeline: 'p', hour: '2026-11-24T03:00:00Z', runId: 'r1', stage: 'clean' };

/** A store that keeps what is put into it. */
function kept() {
  const objects = new Map<string, Buffer>();
  const put = async (key: string, bytes: Buffer) => {
    objects.set(key, bytes);
    return { uri: `s3://b/${key}`, sha256: '', bytes: bytes.length };
  };
  return { objects, deps: { store: { put } as unknown as StageDeps['store'] } };
}

const key = 'runs/p/2026-11-24T03/attempts/r1/profiles/clean.cpuprofile';
const mute = (): void => {};

/** Something to find in a profile. */
function countsForAWhile(): number {
  let sum = 0;
  for (const end = performance.now() + 50; performance.now() < end;) sum += Math.sqrt(sum + 1);
  return sum;
}

describe('a profile of a stage', () => {
  it('is stored beside the report of its run, and names what was computed', async () => {
    const { objects, deps } = kept();
    const { result, profile } = await profiled(deps, of, async () => countsForAWhile(), mute);
    expect(result).toBeGreaterThan(0);
    expect(profile).toBe(`s3://b/${key}`);
    const { nodes } = JSON.parse(String(objects.get(key))) as { nodes: { callFrame: { functionName: string } }[] };
    expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('countsForAWhile');
  });

  it('is there of work that failed, too, and its error goes on', async () => {
    const { objects, deps } = kept();
    await expect(profiled(deps, of, () => Promise.reject(new Error('no')), mute)).rejects.toThrow('no');
    expect([...objects.keys()]).toEqual([key]);
  });

  it('is one at a time; whoever comes meanwhile works without', async () => {
    const { deps } = kept();
    const told: unknown[] = [];
    const { promise: goOn, resolve: go } = Promise.withResolvers<void>();
    const first = profiled(deps, of, () => goOn, mute);
    expect(
      await profiled(
        deps,
        of,
        async () => 7,
        (why) => told.push(why),
      ),
    ).toEqual({ result: 7 });
    expect(told).toMatchObject([{ message: 'another stage is profiled in this worker' }]);
    go();
    expect(await first).toMatchObject({ profile: `s3://b/${key}` });
  });

  it('keeps no stage from its end where the store is silent, and the next one can have one', async () => {
    const told: unknown[] = [];
    const mute = { store: { put: () => new Promise(() => {}) } as unknown as StageDeps['store'] };
    const failed = (why: unknown): void => void told.push(why);
    expect(await profiled(mute, of, async () => 7, failed, 10)).toEqual({ result: 7 });
    expect(told).toMatchObject([{ message: 'it could not be stored within 0.01 s' }]);
    expect(await profiled(kept().deps, of, async () => 7, failed)).toMatchObject({ profile: `s3://b/${key}` });
  });

  it('leaves no session behind where it cannot begin', async () => {
    const told: unknown[] = [];
    const refuse = () => Promise.reject(new Error('no profiler'));
    const post = vi.spyOn(Session.prototype, 'post').mockImplementation(refuse as never);
    const disconnect = vi.spyOn(Session.prototype, 'disconnect');
    try {
      expect(
        await profiled(
          kept().deps,
          of,
          async () => 7,
          (why) => told.push(why),
        ),
      ).toEqual({ result: 7 });
      expect(told).toMatchObject([{ message: 'no profiler' }]);
      expect(disconnect).toHaveBeenCalledOnce();
    } finally {
      post.mockRestore();
      disconnect.mockRestore();
    }
  });

  it('keeps no stage from its end where it cannot be stored', async () => {
    const told: unknown[] = [];
    const away = { store: { put: () => Promise.reject(new Error('away')) } as unknown as StageDeps['store'] };
    expect(
      await profiled(
        away,
        of,
        async () => 7,
        (why) => told.push(why),
      ),
    ).toEqual({ result: 7 });
    expect(told).toMatchObject([{ message: 'away' }]);
  });
});
