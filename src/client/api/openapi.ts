import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Api } from './context.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Describes the routes that follow at `/openapi.json`. */
export async function describeApi(api: Api, needsToken: boolean): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version,
        description:
          'Runs, schedules and consumers of pipelines: what the command line and the Temporal Web UI see, and do.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      ...(needsToken
        ? { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }, security: [{ token: [] }] }
        : {}),
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => asItIs(jsonSchemaTransformObject(document) as Document),
  });
  api.get(
    '/openapi.json',
    { schema: { hide: true, response: { 200: z.looseObject({}) } } },
    () => api.swagger() as Record<string, unknown>,
  );
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { schemas?: Record<string, unknown> };
}

interface Operation {
  readonly requestBody?: { required?: boolean; readonly content: Readonly<Record<string, { schema?: Described }>> };
}

interface Described {
  readonly required?: readonly string[];
}

/** The describing plugin takes every body for required, and describes every schema that has a name anywhere in the program. */
function asItIs<T extends Document>(document: T): T {
  for (const path of Object.values(document.paths ?? {})) {
    for (const { requestBody } of Object.values(path)) {
      if (!requestBody) continue;
      const schemas = Object.values(requestBody.content).map(({ schema }) => schema);
      requestBody.required = schemas.some((schema) => (schema?.required ?? []).length > 0);
    }
  }
  const all = document.components?.schemas ?? {};
  const used = new Set<string>();
  const look = (at: unknown): void => {
    for (const [, name = ''] of JSON.stringify(at).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      look(all[name] ?? {});
    }
  };
  look(document.paths ?? {});
  for (const name of Object.keys(all)) if (!used.has(name)) delete all[name];
  return document;
}
