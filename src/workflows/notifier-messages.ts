import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Delivery } from '../definition/deliveries.ts';
import type { AlertedPipeline, Clearing, Followed, Transition } from '../definition/incidents.ts';

/**
 * - `pending`: being tried; without a channel, before it is known which are told.
 * - `sent`: the channel has taken it.
 * - `unknown`: the channel may have taken it, and its answer was lost. It is not sent again.
 * - `failed`: it was not taken, and will not be; `instead` says what was tried in its place.
 * - `silenced`: of an incident that nobody was to be told of.
 * - `unrouted`: no channel is told of it.
 */
export type OutboxState = 'pending' | 'sent' | 'unknown' | 'failed' | 'silenced' | 'unrouted';

/** A message, or what no message was made of. */
export interface OutboxEntry {
  readonly id: string;
  readonly state: OutboxState;
  readonly channel?: Delivery['channel'];
  readonly name?: string;
  /** Ids of what it tells of. */
  readonly transitions: readonly string[];
  /** When it came to that, ISO 8601. */
  readonly at: string;
  /** Why it failed, or is not known, in a sentence. */
  readonly problem?: string;
  /** The id of the message that was tried in its place. */
  readonly instead?: string;
}

/** What the query answers. */
export interface Outbox {
  readonly pipeline: string;
  /** Transitions that wait for the window to end, and when that is. */
  readonly held: readonly Transition[];
  readonly windowEndsAt?: string;
  /** The newest hundred, oldest first. */
  readonly messages: readonly OutboxEntry[];
  /** Ids of incidents that are open. */
  readonly open: readonly string[];
}

/** What a notifier knows of itself; plain JSON, which continues as new. */
export interface NotifierRecord {
  readonly followed: readonly Followed[];
  readonly held: readonly Transition[];
  /** Milliseconds. */
  readonly windowEndsAt?: number;
  /** The newest transitions that it was told of, by id. */
  readonly told: readonly string[];
  readonly messages: readonly OutboxEntry[];
  /** When it was last told of anything, in milliseconds. */
  readonly heardAt: number;
}

export interface NotifierInput {
  readonly pipeline: AlertedPipeline;
  readonly carried?: NotifierRecord;
  /** Continue as new after so many history events, where the server does not say so first. Tests set it. */
  readonly maxHistory?: number;
}

/** An incident has changed. Idempotent by the transition's id. With the newest `alerts` of the pipeline. */
export const transitionSignal = defineSignal<[Transition, AlertedPipeline['alerts']?]>('transition');
/** Incidents have been told of an observation. */
export const followSignal = defineSignal<[readonly Followed[], AlertedPipeline['alerts']?]>('follow');
/** A rule's problems are over: passed on to the open incidents of the rule. */
export const clearRuleSignal = defineSignal<[Clearing]>('clear');
export const outboxQuery = defineQuery<Outbox>('outbox');
