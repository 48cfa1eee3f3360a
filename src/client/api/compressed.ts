import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Asset } from '../../dashboards/assets.ts';

type Coding = 'br' | 'gzip';

type Compress = Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>>;

const brotli =
  (quality: number) =>
  (body: Buffer): Promise<Buffer> =>
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });

/** For what is compressed once, and for what is compressed each time. */
const well: Compress = { br: brotli(9), gzip: (body) => promisify(gzip)(body, { level: 9 }) };
const quickly: Compress = { br: brotli(4), gzip: (body) => promisify(gzip)(body, { level: 5 }) };

/** Bytes from which on an answer is compressed. */
const LEAST = 4_096;

/** Compressed bodies of assets: made when they are first asked for, once a process. */
const made = new WeakMap<Asset, Partial<Record<Coding, Promise<Buffer>>>>();

/** An asset in the best coding that a request takes (RFC 9110, 12.5.3). */
export async function codedFor(
  accepted: string | undefined,
  asset: Asset,
): Promise<{ readonly body: Buffer; readonly coding?: Coding }> {
  const coding = codingOf(accepted);
  if (coding === undefined) return { body: asset.body };
  const bodies = made.get(asset) ?? {};
  made.set(asset, bodies);
  bodies[coding] ??= well[coding](asset.body);
  return { body: await bodies[coding], coding };
}

/** A hook `onSend` for routes whose answers may be long. They hold nothing secret beside what who asks has sent. */
export async function compressAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (typeof payload !== 'string' || payload.length < LEAST) return payload;
  reply.header('vary', 'accept-encoding');
  const coding = codingOf(request.headers['accept-encoding']);
  if (coding === undefined) return payload;
  reply.header('content-encoding', coding);
  return quickly[coding](Buffer.from(payload));
}

function codingOf(accepted = ''): Coding | undefined {
  const wanted = new Map(
    accepted.split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      const weight = parameters.find((word) => word.startsWith('q='))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  return (['br', 'gzip'] as const).find((coding) => (wanted.get(coding) ?? wanted.get('*') ?? 0) > 0);
}
