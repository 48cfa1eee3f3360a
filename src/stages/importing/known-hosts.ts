import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The fingerprint of a server's key as OpenSSH prints it: `SHA256:…`. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The fingerprints that a known_hosts file has for a host; plain and hashed names, revoked keys left out. */
export async function knownFingerprints(path: string, host: string, port: number): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const name = port === 22 ? host : `[${host}]:${port}`;
  const revoked = new Set<string>();
  const found: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names = '', , key = ''] = fields;
    if (names === '' || names.startsWith('#') || key === '' || !matches(names, name)) continue;
    const fingerprint = fingerprintOf(Buffer.from(key, 'base64'));
    if (marker === '@revoked') revoked.add(fingerprint);
    else if (marker === undefined) found.push(fingerprint);
  }
  return found.filter((fingerprint) => !revoked.has(fingerprint));
}

function matches(names: string, name: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(names);
  if (!hashed) return names.split(',').includes(name);
  const [, salt = '', sum = ''] = hashed;
  const made = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  const held = Buffer.from(sum, 'base64');
  return made.length === held.length && timingSafeEqual(made, held);
}
