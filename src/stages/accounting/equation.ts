import type { Equation, IdentityChecksum, RowCounts } from '../../definition/refs.ts';
import { sameChecksum } from '../identity.ts';

/** What one hop counted. */
export interface Hop {
  readonly name: 'clean' | 'published' | 'landed' | 'indexed';
  readonly rows: number;
  readonly checksum: IdentityChecksum;
}

/**
 * The row equation: `read = clean + duplicates + filtered + rejected`, and `clean = published = landed = indexed` by count and by
 * checksum of identities, so that one row lost and another doubled cannot cancel out. `broken` names the first hop that does not hold.
 */
export function equationOf(dataset: string, rows: RowCounts, hops: readonly [Hop, Hop, Hop, Hop]): Equation {
  const [, published, landed, indexed] = hops;
  const counts = { ...rows, published: published.rows, landed: landed.rows, indexed: indexed.rows };
  const broken = brokenCleaning(rows) ?? brokenHop(hops);
  return { dataset, rows: counts, holds: broken === undefined, ...(broken === undefined ? {} : { broken }) };
}

function brokenCleaning({ read, clean, duplicates, filtered, rejected }: RowCounts): string | undefined {
  const sum = clean + duplicates + filtered + rejected;
  if (sum === read) return undefined;
  return `${read} rows were read, but clean ${clean} + duplicates ${duplicates} + filtered ${filtered} + rejected ${rejected} = ${sum}`;
}

function brokenHop(hops: readonly Hop[]): string | undefined {
  for (const [at, hop] of hops.entries()) {
    const before = hops[at - 1];
    if (!before) continue;
    if (hop.rows !== before.rows) return `${before.name} ${before.rows} → ${hop.name} ${hop.rows}`;
    if (!sameChecksum(hop.checksum, before.checksum)) {
      return `${before.name} → ${hop.name}: ${hop.rows} rows on both sides, but not the same ones`;
    }
  }
  return undefined;
}
