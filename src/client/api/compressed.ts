import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Asset } from '../../dashboards/assets.ts';

type Coding = 'br' | 'gzip';

const compress: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (body) => promisify(gzip)(body, { level: 9 }),
};

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
  bodies[coding] ??= compress[coding](asset.body);
  return { body: await bodies[coding], coding };
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
