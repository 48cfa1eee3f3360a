import { once } from 'node:events';
import { connect, createSecureServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What one call to Temporal said of itself. */
export interface Call {
  readonly method: string;
  readonly agent: string;
  readonly authorization?: string;
}

/**
 * TLS in front of a Temporal that has none, as Temporal Cloud is: it lets in only who shows a client certificate, and keeps what each call
 * says of itself.
 */
export async function temporalBehindTls(
  address: string,
  tls: { readonly key: Buffer; readonly cert: Buffer; readonly ca: Buffer },
): Promise<{ address: string; calls: Call[]; close: () => void }> {
  const upstream = connect(`http://${address}`);
  const calls: Call[] = [];
  const server = createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: true });
  server.on('stream', (stream, headers) => {
    const { authorization } = headers;
    calls.push({
      method: String(headers[':path']).split('/').at(-1) ?? '',
      agent: String(headers['user-agent']),
      ...(authorization === undefined ? {} : { authorization }),
    });
    const request = upstream.request({ ...headers, ':scheme': 'http', ':authority': address });
    let trailers: IncomingHttpHeaders = {};
    request.on('trailers', (found) => (trailers = found));
    request.on('response', (answer, flags) => {
      if (stream.destroyed) return;
      // gRPC's status is in the trailers; where there is no body they are the headers.
      const over = (flags & 1) === 1;
      stream.respond(answer, over ? { endStream: true } : { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      if (!over) request.pipe(stream);
    });
    stream.pipe(request);
    stream.on('close', () => request.close());
    for (const end of [stream, request]) end.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    calls,
    close: () => {
      server.close();
      upstream.destroy();
    },
  };
}
