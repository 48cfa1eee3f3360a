import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/connectors/object-store.ts';
import { keys } from '../../src/definition/names.ts';
import { ImportLab } from '../helpers/import-lab.ts';
import { noStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('an import beside gc', () => {
  let lab: ImportLab;
  let source: string;

  beforeAll(async () => {
    lab = await ImportLab.start();
    source = await lab.serve((_request, response) => response.end('id,name\n1,a\n2,b\n'));
  });

  afterAll(async () => {
    await lab?.stop();
  });

  it('makes a parsed object again of which gc had taken a part', async () => {
    const pipeline = lab.define(`${source}/parsed.csv`);
    const first = await lab.run(pipeline);
    const [part] = first.parsed.parts;
    await lab.deps.store.remove([lab.deps.store.keyOf(part?.uri ?? '')]);
    const again = await lab.run(pipeline);
    expect(again).toMatchObject({ replayed: true, parsed: first.parsed });
    expect(await lab.rows(again)).toMatchObject([{ id: '1' }, { id: '2' }]);
  });

  it('leaves no record of a file that was taken before the record was there, and fetches it again', async () => {
    const pipeline = lab.define(`${source}/taken.csv`);
    const { store } = lab.deps;
    let taken = 0;
    const collecting = new Proxy<Store>(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'createJson') return member.bind(target) as unknown;
        return async (key: string, value: unknown): Promise<unknown> => {
          if (taken === 0 && key.includes('/imports/')) {
            taken += 1;
            await target.removeBelow(keys.rawAll(pipeline.name));
          }
          return target.createJson(key, value);
        };
      },
    });
    lab.deps = { ...lab.deps, store: collecting };
    try {
      const { failures, result } = await lab.attempts(pipeline);
      expect(failures).toEqual(['StoreUnavailable']);
      expect(result.record).toMatchObject({ n: 1 });
      expect(await store.fetch(result.record.raw)).toHaveLength(16);
    } finally {
      lab.deps = { ...lab.deps, store };
    }
  });
});
