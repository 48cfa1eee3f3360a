import { median } from '../common/measured.ts';
import type { Run } from './bench.ts';

export const HEADER = 'what                                            rows/s   ours ÷ it   CPU s   peak MB';

/** One line a contestant: medians of its turns, the highest peak. The first one is ours. */
export function tableOf(runs: ReadonlyMap<string, readonly Run[]>): string[] {
  const rate = (of: readonly Run[]): number => median(of.map(({ rows, seconds }) => rows / seconds));
  const [ours = []] = runs.values();
  return [...runs].map(([name, of]) => {
    const cpu = of.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
    const peaks = of.flatMap(({ peakMb }) => peakMb ?? []);
    const starts = of.flatMap(({ startSeconds }) => startSeconds ?? []);
    const cells = [
      name.padEnd(45),
      Math.round(rate(of)).toLocaleString('en').padStart(8),
      (of === ours ? '' : (rate(ours) / rate(of)).toFixed(2)).padStart(11),
      (cpu.length > 0 ? median(cpu).toFixed(1) : '-').padStart(7),
      (peaks.length > 0 ? String(Math.max(...peaks)) : '-').padStart(9),
      starts.length > 0 ? `  + ${median(starts).toFixed(1)} s to start` : '',
    ];
    return cells.join(' ').trimEnd();
  });
}
