import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Watching, WatchMemory } from '../activities/index.ts';

export interface WatchdogInput {
  /** What the execution before this one knew. */
  readonly carried?: WatchMemory;
  /** Continue as new after so many history events, where the server does not say so first. Tests set it. */
  readonly maxHistory?: number;
}

/** What the query answers: how the newest look went. */
export interface WatchdogState extends Watching {
  /** How often it looks, in milliseconds. */
  readonly everyMs: number;
  /** When the dead man's switch was last asked for, ISO 8601, and why that failed, if it did. */
  readonly deadman?: { readonly at: string; readonly problem?: string };
}

/** Null before the first look. */
export const watchdogStateQuery = defineQuery<WatchdogState | null>('state');
/** Looks now, and not when the next look is due. */
export const lookSignal = defineSignal('look');
