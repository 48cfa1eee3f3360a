import { readFileSync, writeFileSync } from 'node:fs';

/** The most that this process has had in memory, in MB. */
export const ownPeakMb = (): number => Math.round((process.resourceUsage().maxRSS * 1_024) / 1e6);

/** The most that another process has had in memory since {@link forgetPeak}, in MB; undefined where the system does not say. */
export function peakMbOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Math.round((Number(kilobytes) * 1_024) / 1e6);
  } catch {
    return undefined;
  }
}

/** Lets the peak of a process begin anew at what it has now. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak is then that of its whole life.
  }
}
