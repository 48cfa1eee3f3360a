import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import SftpClient from 'ssh2-sftp-client';
import type { Settings } from '../../connectors/settings.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Source } from '../../definition/source.ts';
import { guardedLookup } from './address-guard.ts';
import { shownAddress } from './address.ts';
import { fingerprintOf, knownFingerprints } from './known-hosts.ts';
import { noBytes, type SourceBytes, type SourceRequest } from './source-bytes.ts';

type Asked = Pick<SourceRequest, 'url' | 'source' | 'settings' | 'signal'>;

/**
 * Opens a file of an sftp server whose key is known.
 * @throws SluiceError `SourceHostKey`, `SourceForbidden`, `SourceNotFound`, `SourceTooLarge`, `SourceUnavailable`, `SecretRefused`
 */
export async function openSftp(request: SourceRequest): Promise<SourceBytes> {
  const { url, source, resume } = request;
  const path = decodeURIComponent(url.pathname);
  const client = await signedIn(request);
  try {
    const found = await asked(url, () => client.stat(path));
    if (!found.isFile) throw new SluiceError('SourceNotFound', `${shownAddress(url)} is not a file.`);
    const { limits } = source;
    if (found.size > limits.bytes) {
      throw new SluiceError(
        'SourceTooLarge',
        `${shownAddress(url)} has ${found.size} bytes, and source.limits.bytes is ${limits.bytes}.`,
      );
    }
    const validator = `${found.modifyTime}-${found.size}`;
    const from = resume?.validator === validator ? resume.bytes : 0;
    const lastModified = new Date(found.modifyTime).toUTCString();
    const said = { url, lastModified, validator, holds: from > 0 ? ('rest' as const) : ('all' as const) };
    if (from >= found.size && from > 0) {
      await client.end();
      return { ...said, bytes: noBytes() };
    }
    return { ...said, bytes: read(client, path, from, found.size, request) };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

async function* read(
  client: SftpClient,
  path: string,
  from: number,
  size: number,
  request: SourceRequest,
): AsyncGenerator<Buffer> {
  const { url, source, signal } = request;
  const { idleSeconds, seconds } = source.limits;
  const stream = client.createReadStream(path, { start: from, autoClose: true }) as unknown as Readable;
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.on('error', () => {});
  const total = AbortSignal.timeout(seconds * 1_000);
  const stop = (): void => void stream.destroy(new Error('stopped'));
  let stalled = false;
  let idle = setTimeout(() => {}, 0);
  const watch = (): void => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      stalled = true;
      stop();
    }, idleSeconds * 1_000);
  };
  for (const stopped of [signal, total]) stopped.addEventListener('abort', stop, { once: true });
  let bytes = from;
  try {
    watch();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      watch();
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const at = `${shownAddress(url)} at byte ${bytes} of ${size}`;
    if (total.aborted)
      throw new SluiceError('SourceTooSlow', `${at}: not through after ${seconds} s (source.limits.seconds).`);
    if (stalled)
      throw new SluiceError(
        'SourceStalled',
        `${at} stalled: no byte for ${idleSeconds} s (source.limits.idleSeconds).`,
      );
    throw new SluiceError('SourceCut', `${at} failed: ${sentenceOf(error)}.`, { cause: error });
  } finally {
    clearTimeout(idle);
    stream.destroy();
    // The server is told that the file is closed; ending before it has answered would be an error of the stream.
    await Promise.race([closed, pause(1_000)]);
    await client.end().catch(() => {});
  }
  if (bytes !== size) throw new SluiceError('SourceCut', `${shownAddress(url)} ended at byte ${bytes} of ${size}.`);
}

/** The files of a folder tree that a pattern matches, by name. */
export async function matchingSftp(request: Asked): Promise<URL[]> {
  const { url, source } = request;
  const pattern = decodeURIComponent(url.pathname);
  const base = pattern.slice(0, pattern.search(/[*?[{]/)).replace(/[^/]*$/, '');
  const client = await signedIn(request);
  const found: string[] = [];
  try {
    const folders = [base];
    for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
      const at = folder;
      for (const { name, type } of await asked(url, () => client.list(at))) {
        const path = posix.join(at, name);
        if (type === 'd' && pattern.slice(base.length).includes('/')) folders.push(`${path}/`);
        else if (type !== 'd' && posix.matchesGlob(path, pattern)) found.push(path);
      }
      if (found.length > source.limits.files) break;
    }
  } finally {
    await client.end().catch(() => {});
  }
  return found.toSorted().map((path) => new URL(path.split('/').map(encodeURIComponent).join('/'), url));
}

async function signedIn({ url, source, settings, signal }: Asked): Promise<SftpClient> {
  const { sftp, limits } = source;
  if (!sftp) throw new SluiceError('DefinitionInvalid', 'source.sftp is missing: who signs in, and with what.');
  const port = Number(url.port || 22);
  const expected = await expectedKeys(url, port, sftp, settings);
  const reveal = (text: string): string => settings.secrets.reveal(text, url, []);
  const login = {
    ...(sftp.password === undefined ? {} : { password: reveal(sftp.password) }),
    ...(sftp.privateKey === undefined ? {} : { privateKey: reveal(sftp.privateKey) }),
    ...(sftp.passphrase === undefined ? {} : { passphrase: reveal(sftp.passphrase) }),
  };
  const sock = await connected(url, port, limits.connectSeconds, settings, signal);
  let shownKey: string | undefined;
  const client = new SftpClient('sluice', { error: () => {}, end: () => {}, close: () => {} });
  const stop = (): void => void sock.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect({
      sock,
      username: sftp.user,
      ...login,
      readyTimeout: limits.connectSeconds * 1_000,
      retries: 0,
      // Nothing is said to a server before its key is known, the password least of all.
      hostVerifier: (key: Buffer) => {
        shownKey = fingerprintOf(key);
        return expected.includes(shownKey);
      },
    });
    return client;
  } catch (error) {
    sock.destroy();
    if (signal.aborted) throw signal.reason;
    if (shownKey !== undefined && !expected.includes(shownKey)) throw wrongKey(url, shownKey, expected.length > 0);
    const said = sentenceOf(error);
    if (/authentication|publickey|password/i.test(said)) {
      throw new SluiceError(
        'SourceForbidden',
        `${shownAddress(url)}: ${sftp.user} was not let in; check the secret of source.sftp.`,
      );
    }
    if (/private key|privateKey|passphrase/i.test(said)) {
      throw new SluiceError('SecretRefused', `${shownAddress(url)}: the private key of source.sftp cannot be used.`);
    }
    throw new SluiceError('SourceUnavailable', `${shownAddress(url)} failed: ${said}.`, { cause: error });
  }
}

async function expectedKeys(
  url: URL,
  port: number,
  sftp: NonNullable<Source['sftp']>,
  { knownHosts }: Settings,
): Promise<string[]> {
  if (sftp.hostKey !== undefined) return [sftp.hostKey];
  return knownHosts === undefined ? [] : knownFingerprints(knownHosts, url.hostname, port);
}

function wrongKey(url: URL, shown: string, others: boolean): SluiceError {
  const message = others
    ? `${shownAddress(url)} shows the key ${shown}, which is not the one that is expected: somebody may stand between, or the key was changed.`
    : `${shownAddress(url)} shows the key ${shown}, and no key is known: compare it with the server's, then put it into source.sftp.hostKey or SLUICE_SSH_KNOWN_HOSTS.`;
  return new SluiceError('SourceHostKey', message);
}

/** A socket of our own, so that the address is checked that is really connected to. */
async function connected(
  url: URL,
  port: number,
  seconds: number,
  settings: Settings,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host: url.hostname, port, lookup: guardedLookup(url, settings.sourceAllow) });
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${seconds} s (source.limits.connectSeconds)`)),
    seconds * 1_000,
  );
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw signal.reason;
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('SourceUnavailable', `${shownAddress(url)} failed: ${sentenceOf(error)}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function asked<T>(url: URL, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = sentenceOf(error);
    if (/no such file|not exist/i.test(said)) {
      throw new SluiceError('SourceNotFound', `${shownAddress(url)} is not there; correct source.url.`, {
        cause: error,
      });
    }
    if (/permission/i.test(said)) {
      throw new SluiceError('SourceForbidden', `${shownAddress(url)} may not be read by that user.`, { cause: error });
    }
    throw new SluiceError('SourceUnavailable', `${shownAddress(url)} failed: ${said}.`, { cause: error });
  }
}
