import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SluiceError, sentenceOf, type ErrorCode } from '../definition/errors.ts';

const CONNECT_MS = 5_000;

/** Connects to where an address is, over TLS where it says so, and asks for nothing. @throws SluiceError of the code, which names the host alone */
export async function reach(url: URL, code: ErrorCode): Promise<void> {
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (secure ? 443 : 80));
  const socket = secure ? connectTls({ host, port, servername: host }) : connect({ host, port });
  try {
    await once(socket, secure ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'AbortError'
        ? `no connection within ${CONNECT_MS / 1_000} s`
        : sentenceOf(error);
    throw new SluiceError(code, `${url.host} cannot be reached: ${why}.`);
  } finally {
    socket.destroy();
  }
}
