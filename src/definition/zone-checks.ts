import { didYouMean } from './did-you-mean.ts';
import { sentenceOf } from './errors.ts';
import { localOffsets } from './zone-offsets.ts';

/** What is wrong with the name of a time zone, as definitions may have it; undefined where nothing is. */
export function zoneProblem(zone: string): string | undefined {
  if (zone === 'UTC') return undefined;
  const zones = Intl.supportedValuesOf('timeZone');
  const otherCase = zones.find((known) => known.toLowerCase() === zone.toLowerCase());
  // Temporal's server finds zones by the names of files.
  if (otherCase !== undefined && otherCase !== zone) return `"${zone}" is no time zone. Did you mean "${otherCase}"?`;
  if (!/^[A-Z]/.test(zone)) return `"${zone}" is no time zone: write one like Europe/Berlin or UTC.`;
  try {
    localOffsets(zone);
    return undefined;
  } catch (error) {
    return `${sentenceOf(error)}${didYouMean(zone, zones)}`;
  }
}
