import { hash } from 'node:crypto';
import type { GeneratedField } from '../../definition/generated.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { Stream } from '../../definition/streams.ts';
import type { TextRow } from '../record-value.ts';
import { zipLocation } from './zip-location.ts';

/** One generated field of a record. */
export type Generator = (id: string, row: TextRow) => string | null;

/**
 * A stream's generated fields, by name, for the rows of one hour. Pure: the same row, hour and seed give the same values on every
 * attempt, in every process. Raise `generatorVersion` (definition/generated.ts) when a change here gives other values.
 * What each is given: the record's id, which seeds what is simulated, and the clean row.
 */
export function generatorsOf(stream: Pick<Stream, 'generated' | 'seed'>, hour: LogicalHour): Map<string, Generator> {
  return new Map(
    Object.entries(stream.generated).map(([name, field]) => [
      name,
      generatorOf(field, hour, (id) => fraction(stream.seed, name, id, hour)),
    ]),
  );
}

/** @param seed A number from 0 up to 1, made from seed, field, record and hour. */
function generatorOf(field: GeneratedField, hour: LogicalHour, seed: (id: string) => number): Generator {
  switch (field.kind) {
    case 'logicalHour': {
      const text = new Date(hour).toISOString();
      return () => text;
    }
    case 'band': {
      const { of, bands } = field;
      return (_, row) => {
        const text = row[of] ?? null;
        if (text === null) return null;
        const number = Number(text);
        return bands.find(({ below }) => below === undefined || number < below)?.label ?? null;
      };
    }
    case 'zipLocation': {
      const { of, part } = field;
      return (_, row) => {
        const found = zipLocation(row[of] ?? '');
        if (!found) return null;
        return part === 'source' ? found.source : decimalText(found[part], 6);
      };
    }
    case 'simulated': {
      const { min, max, scale, around } = field;
      if (around === undefined) return (id) => decimalText(min + (max - min) * seed(id), scale);
      return (id, row) => {
        const center = row[around] ?? null;
        if (center === null) return null;
        // A tenth of the range to either side of where the named column points.
        const at = Math.min(1, Math.max(0, Number(center) + (seed(id) - 0.5) / 5));
        return decimalText(min + (max - min) * at, scale);
      };
    }
  }
}

function fraction(...parts: readonly string[]): number {
  // The first 48 bits.
  return parseInt(hash('sha256', JSON.stringify(parts), 'hex').slice(0, 12), 16) / 2 ** 48;
}

/** Canonical decimal text: no superfluous zeros, no exponent. */
function decimalText(number: number, scale: number): string {
  const fixed = number.toFixed(scale);
  const short = fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
  return short === '-0' ? '0' : short;
}
