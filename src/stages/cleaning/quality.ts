import type { Pipeline } from '../../definition/pipeline.ts';
import type { QualityVerdict, RowCounts } from '../../definition/refs.ts';

/** Judges an hour's rows by the gates of the definition. Gates that are not set give no verdict. */
export function judgeQuality(quality: Pipeline['quality'], rows: RowCounts): QualityVerdict[] {
  const verdicts: QualityVerdict[] = [];
  const { rejectedPercent, minRows } = quality;
  if (rejectedPercent) {
    const percent = rows.read === 0 ? 0 : (rows.rejected / rows.read) * 100;
    const over = (bound: number | undefined): boolean => bound !== undefined && percent > bound;
    const level = over(rejectedPercent.block) ? 'block' : over(rejectedPercent.warn) ? 'warn' : 'ok';
    const found = `${rows.rejected} of ${rows.read} rows were rejected (${percent.toFixed(2)} %)`;
    verdicts.push({ gate: 'rejectedPercent', level, sentence: sentence(found, level, rejectedPercent, '%') });
  }
  if (minRows) {
    const under = (bound: number | undefined): boolean => bound !== undefined && rows.clean < bound;
    const level = under(minRows.block) ? 'block' : under(minRows.warn) ? 'warn' : 'ok';
    verdicts.push({
      gate: 'minRows',
      level,
      sentence: sentence(`${rows.clean} rows are clean`, level, minRows, 'rows'),
    });
  }
  return verdicts;
}

function sentence(
  found: string,
  level: QualityVerdict['level'],
  bounds: { readonly warn?: number | undefined; readonly block?: number | undefined },
  unit: string,
): string {
  if (level === 'ok') return `${found}.`;
  return `${found}; the bound that ${level}s is ${bounds[level]} ${unit}.`;
}
