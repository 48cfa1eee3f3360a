import { createHash } from 'node:crypto';
import type { GeneratedField } from '../../definition/generated.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { Stream } from '../../definition/streams.ts';
import type { TextRow } from '../record-value.ts';
import { zipLocation } from './zip-location.ts';

/**
 * Adds a stream's generated fields to a clean row. Pure: the same row, hour and seed give the same values on every attempt,
 * in every process. Raise `generatorVersion` (definition/generated.ts) when a change here gives other values.
 * @param id the record's id, which seeds what is simulated
 */
export function generate(stream: Stream, hour: LogicalHour, id: string, row: TextRow): TextRow {
  const added: Record<string, string | null> = {};
  for (const [name, field] of Object.entries(stream.generated)) {
    added[name] = valueOf(field, { row, hour, seed: () => fraction(stream.seed, name, id, hour) });
  }
  return { ...row, ...added };
}

interface Given {
  readonly row: TextRow;
  readonly hour: LogicalHour;
  /** A number from 0 up to 1, made from seed, field, record and hour. */
  seed(): number;
}

function valueOf(field: GeneratedField, { row, hour, seed }: Given): string | null {
  switch (field.kind) {
    case 'logicalHour':
      return new Date(hour).toISOString();
    case 'band': {
      const text = row[field.of] ?? null;
      if (text === null) return null;
      const number = Number(text);
      return field.bands.find(({ below }) => below === undefined || number < below)?.label ?? null;
    }
    case 'zipLocation': {
      const found = zipLocation(row[field.of] ?? '');
      if (!found) return null;
      return field.part === 'source' ? found.source : decimalText(found[field.part], 6);
    }
    case 'simulated': {
      const { min, max, scale, around } = field;
      if (around === undefined) return decimalText(min + (max - min) * seed(), scale);
      const center = row[around] ?? null;
      if (center === null) return null;
      // A tenth of the range to either side of where the named column points.
      const at = Math.min(1, Math.max(0, Number(center) + (seed() - 0.5) / 5));
      return decimalText(min + (max - min) * at, scale);
    }
  }
}

function fraction(...parts: readonly string[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Canonical decimal text: no superfluous zeros, no exponent. */
function decimalText(number: number, scale: number): string {
  const fixed = number.toFixed(scale);
  const short = fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
  return short === '-0' ? '0' : short;
}
