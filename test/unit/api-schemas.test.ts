import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Api } from '../../src/client/api/context.ts';
import { pendingSchema } from '../../src/client/api/run-schemas.ts';
import { schemaOf } from '../../src/client/api/schemas.ts';
import { createApi } from '../../src/client/api/server.ts';
import type { PendingActivity } from '../../src/client/run-events.ts';

interface Told {
  readonly name: string;
  readonly deep?: { readonly list: readonly { readonly at: string; readonly why?: string }[] };
}

describe('what the API tells', () => {
  let api: Api;
  beforeAll(async () => {
    const environment = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    api = await createApi({ host: '127.0.0.1', hosts: [], environment, rateLimit: 100 });
  });
  afterAll(async () => api.close());

  it('does not compile where it leaves out a field, however deep and optional', () => {
    const at = z.object({ at: z.string() });
    const whole = at.extend({ why: z.string().exactOptional() });
    const told = <Item extends z.ZodType>(item: Item) =>
      z.object({ name: z.string(), deep: z.object({ list: z.array(item) }).exactOptional() });
    expect(schemaOf<Told>()(told(whole))).toBeDefined();
    // @ts-expect-error `why` is left out
    expect(schemaOf<Told>()(told(at))).toBeDefined();
  });

  it('has of an attempt that failed when that was', () => {
    const failure = { message: 'The source does not answer.', code: 'SourceUnavailable', at: '2026-11-26T11:00:00Z' };
    const pending: PendingActivity = { activity: 'importSource', attempt: 2, note: '1 MB', failure, recovered: true };
    expect(pendingSchema.parse(pending)).toEqual(pending);
  });

  it('has of schedules that were applied what came of it, and of differences both sides', async () => {
    const { paths } = (await api.inject({ url: '/openapi.json' })).json<{
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    }>();
    const schema = JSON.stringify(paths['/schedules/{name}']?.['put']?.responses['200']);
    expect(schema).toContain('"outcome":{');
    expect(schema).toContain('["created","updated","unchanged"]');
    expect(schema).toMatch(/"path":\{"type":"string"\},"old":\{/);
  });

  it('has of the values of a field whether there are more', async () => {
    const { components } = (await api.inject({ url: '/openapi.json' })).json<{
      components: { schemas: Record<string, unknown> };
    }>();
    expect(components.schemas['FieldValues']).toMatchObject({ required: ['values'], properties: { more: {} } });
  });
});
