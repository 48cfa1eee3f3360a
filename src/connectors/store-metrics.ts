import { createHmac } from 'node:crypto';
import type { Settings } from './settings.ts';

/** How long a key for the metrics holds. */
const KEY_SECONDS = 60;

/**
 * MinIO's own metrics, by name: of those that stand several times the largest. A key for them is made of the store's keys, as `mc admin
 * prometheus generate` does it; other object stores have no such address.
 * @param group `cluster`: requests and drives over all nodes; `resource`: drives and processors of each
 * @throws whatever keeps them from us
 */
export async function storeMetrics(
  { endpoint, accessKey, secretKey }: Settings['store'],
  group: 'cluster' | 'resource',
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const url = new URL(`/minio/v2/metrics/${group}`, endpoint);
  const headers = { authorization: `Bearer ${keyFor(accessKey, secretKey)}` };
  const answer = await fetch(url, { headers, signal, redirect: 'error' });
  if (!answer.ok) throw new Error(`${group} metrics of the object store: ${answer.status}`);
  const found = new Map<string, number>();
  for (const line of (await answer.text()).split('\n')) {
    const [, name = '', value] = /^([a-z0-9_]+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    const number = Number(value);
    if (name !== '' && Number.isFinite(number)) found.set(name, Math.max(number, found.get(name) ?? number));
  }
  return found;
}

function keyFor(accessKey: string, secretKey: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + KEY_SECONDS;
  const signed = `${part({ alg: 'HS512', typ: 'JWT' })}.${part({ exp, sub: accessKey, iss: 'prometheus' })}`;
  return `${signed}.${createHmac('sha512', secretKey).update(signed).digest('base64url')}`;
}
