import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AlertedPipeline, Clearing, Incident, Observation, Transition } from '../definition/incidents.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { Pipeline } from '../definition/pipeline.ts';

/** What an incident knows of itself; plain JSON, which continues as new. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** The newest occurrences that were counted. */
  readonly seen: readonly string[];
  /** Hours that it was seen in and that have not come to their end since. */
  readonly failed: readonly LogicalHour[];
  readonly newestHour?: LogicalHour;
  readonly reminders: number;
  /** Nobody was told of something that mattered, as it was silenced: whoever waits is reminded when the silence ends. */
  readonly missed?: boolean;
  /** When anybody was last to be told of it, in milliseconds. */
  readonly toldAt: number;
  /** Transitions that have not been handed on yet. */
  readonly outgoing: readonly Transition[];
  /** What was seen after its end: of the next incident of the problem. */
  readonly next: readonly Observation[];
}

/** What `incident` is started with, always together with a first `observed`. */
export interface IncidentInput {
  readonly pipeline: AlertedPipeline;
  /** Of the execution before this one. */
  readonly carried?: IncidentRecord;
  /** Seen while the incident before this one came to its end. */
  readonly next?: readonly Observation[];
  /** Continue as new after so many history events, where the server does not say so first. Tests set it. */
  readonly maxHistory?: number;
}

/** Which incident of a problem somebody means. They have one id, and by the time that word comes the next one may have opened. */
export interface MeantIncident {
  /** When it opened, as it says itself. Whichever is open, where left out. */
  readonly openedAt?: string;
}

/** Somebody knows, and sees to it: no more reminders. */
export interface Acknowledgement extends MeantIncident {
  readonly by: string;
  readonly note?: string;
}

/** Nobody is to be told of it until then. */
export interface Silencing extends MeantIncident {
  readonly by: string;
  /** ISO 8601. */
  readonly until: string;
}

/** A person says that it is over. */
export interface Closing extends MeantIncident {
  readonly by: string;
  readonly reason: string;
}

/** The problem was seen once more. With the newest `alerts` of its pipeline. */
export const observedSignal = defineSignal<[Observation, Pipeline['alerts']?]>('observed');
export const clearedSignal = defineSignal<[Clearing]>('cleared');
export const incidentQuery = defineQuery<Incident>('incident');
export const acknowledgeUpdate = defineUpdate<Incident, [Acknowledgement]>('acknowledge');
export const acknowledgeSignal = defineSignal<[Acknowledgement]>('acknowledge');
export const silenceUpdate = defineUpdate<Incident, [Silencing]>('silence');
export const silenceSignal = defineSignal<[Silencing]>('silence');
export const closeUpdate = defineUpdate<Incident, [Closing]>('close');
export const closeSignal = defineSignal<[Closing]>('close');
