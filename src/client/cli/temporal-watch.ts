import { randomUUID } from 'node:crypto';
import { sentenceOf, SluiceError } from '../../definition/errors.ts';
import type { AlertedPipeline, Incident, Transition } from '../../definition/incidents.ts';
import { ids } from '../../definition/names.ts';
import { recipientsOf, speakersFor, type Outage, type Outages } from '../../inspecting/temporal-outage.ts';
import { grpcCode } from '../grpc-code.ts';

const rule = 'temporal-gone';
/** It is back once it has answered for so long: one that starts and falls over again is away. */
const STEADY_MS = 30_000;
/** One that told that it is away may be gone itself: so often it is looked at whether somebody's word stands open. */
const ASKS_EVERY_MS = 120_000;
/** Of gRPC: cancelled, the deadline, unavailable. */
const UNANSWERED: readonly number[] = [1, 4, 14];

/** Whether Temporal did not answer. One that answers with something else is there, whatever it has against us. */
export function isSilence(error: unknown): boolean {
  const code = grpcCode(error);
  return code === undefined
    ? error instanceof SluiceError && error.code === 'StackUnavailable'
    : UNANSWERED.includes(code);
}

export interface TemporalWatchOptions {
  readonly outages: Pick<Outages, 'open' | 'begin' | 'end' | 'know' | 'known'>;
  /** Where Temporal is, for sentences. */
  readonly address: string;
  readonly afterMs: number;
  /** Of those whom it is told of, where nobody is known otherwise. */
  readonly given?: AlertedPipeline;
  readonly tell: (pipeline: AlertedPipeline, transition: Transition) => Promise<void>;
  /** Tells whoever looks after this process, once for each change. */
  readonly say: (sentence: string) => void;
}

/**
 * Tells that Temporal does not answer, and that it does again: once each, over restarts of this process and beside others of its kind. It is told how Temporal
 * was every few seconds.
 */
export class TemporalWatch {
  readonly #options: TemporalWatchOptions;
  readonly #by = randomUUID();
  #goneSince: number | undefined;
  #backSince: number | undefined;
  #told = false;
  /** Somebody before us may have told that it is away. */
  #mayBeOpen = true;
  #askedAt = 0;
  #sawOne = false;
  #known: readonly AlertedPipeline[] = [];
  #said = '';
  #refusal = '';
  #telling: Promise<void> = Promise.resolve();

  constructor(options: TemporalWatchOptions) {
    this.#options = options;
  }

  /** Whom to tell, as schedules have it now. Where nothing can be kept, it is known here all the same. */
  async knows(pipelines: readonly AlertedPipeline[]): Promise<void> {
    const before = JSON.stringify(this.#known);
    this.#known = pipelines;
    if (JSON.stringify(pipelines) === before) return;
    // The store may not be there yet, or not now: nobody has to hear of that.
    await this.#options.outages.know(pipelines).catch(() => {});
  }

  /** Whoever is being told has been told, or will not be. */
  async settled(): Promise<void> {
    await this.#telling;
  }

  /** @param now milliseconds since 1970 */
  async answered(now: number): Promise<void> {
    this.#goneSince = undefined;
    this.#told = false;
    this.#backSince ??= now;
    this.#refusal = '';
    if (now - this.#askedAt >= ASKS_EVERY_MS) this.#mayBeOpen = true;
    if (!this.#mayBeOpen || now - this.#backSince < Math.min(STEADY_MS, this.#options.afterMs)) return;
    // Before there was any outage, there may be no store.
    await this.#orSays(async () => {
      const open = await this.#options.outages.open();
      if (open && (await this.#options.outages.end(open, { at: isoOf(now), by: this.#by }))) {
        this.#tellAll(open, 'recovered', now);
      }
      this.#mayBeOpen = false;
      this.#askedAt = now;
      this.#sawOne = false;
    }, this.#sawOne);
  }

  /** @param now milliseconds since 1970 */
  async silent(now: number): Promise<void> {
    this.#backSince = undefined;
    this.#goneSince ??= now;
    if (this.#told || now - this.#goneSince < this.#options.afterMs) return;
    const since = isoOf(this.#goneSince);
    await this.#orSays(async () => {
      const { address, outages } = this.#options;
      const speakers = await this.#speakers(now);
      const outage = await outages.begin({ since, address, speakers, by: this.#by });
      this.#told = true;
      this.#mayBeOpen = true;
      this.#sawOne = true;
      if (outage) this.#tellAll(outage, 'opened', now);
    });
  }

  /** It is there, and does not do what it is asked for: that is no absence, and no end of one. */
  refused(why: string): void {
    this.#goneSince = undefined;
    this.#backSince = undefined;
    if (why === this.#refusal) return;
    this.#refusal = why;
    this.#options.say(`Temporal answers, but nobody can see to it that the watchdog runs: ${why}`);
  }

  async #speakers(now: number): Promise<readonly AlertedPipeline[]> {
    const { given, outages } = this.#options;
    const known = this.#known.length > 0 ? this.#known : await outages.known();
    const all = [...known, ...(given && !known.some(({ name }) => name === given.name) ? [given] : [])];
    const named = all.map(({ name, alerts }) => ({
      ...{ name, alerts },
      recipients: recipientsOf({ name, alerts }, { rule, severity: 'critical' }, isoOf(now)),
    }));
    return speakersFor(named)
      .filter(({ recipients }) => recipients.length > 0)
      .map(({ name, alerts }) => ({ name, alerts }));
  }

  /** One after the other, and without keeping anybody from looking. */
  #tellAll(outage: Outage, kind: 'opened' | 'recovered', now: number): void {
    const { say, tell } = this.#options;
    say(kind === 'opened' ? sentenceFor(outage) : `Temporal at ${outage.address} answers again.`);
    if (outage.speakers.length === 0) say('No pipeline that is known says whom to tell of it.');
    this.#telling = this.#telling.then(async () => {
      const told = outage.speakers.map((pipeline) => tell(pipeline, transitionOf(outage, pipeline.name, kind, now)));
      for (const end of await Promise.allSettled(told)) if (end.status === 'rejected') say(sentenceOf(end.reason));
    });
  }

  async #orSays(work: () => Promise<void>, aloud = true): Promise<void> {
    try {
      await work();
      this.#said = '';
    } catch (error) {
      const why = `Nobody can be told of Temporal: ${sentenceOf(error)}`;
      if (aloud && why !== this.#said) this.#options.say((this.#said = why));
    }
  }
}

function transitionOf(outage: Outage, pipeline: string, kind: 'opened' | 'recovered', now: number): Transition {
  const id = ids.incident(pipeline, rule);
  const at = isoOf(now);
  const incident: Incident = {
    ...{ id, pipeline, rule, severity: 'critical', state: kind === 'opened' ? 'open' : 'recovered' },
    ...{ openedAt: outage.since, lastSeenAt: at, occurrences: 1, hours: [], sentence: sentenceFor(outage), facts: [] },
    ...(kind === 'recovered' ? { endedAt: at } : {}),
  };
  return {
    ...{ id: `${id}/${outage.since}/${kind}`, kind, at, incident },
    ...(kind === 'recovered' ? { sentence: `Temporal at ${outage.address} answers again.` } : {}),
  };
}

const sentenceFor = ({ address, since }: Outage): string =>
  `Temporal at ${address} has not answered since ${since.slice(0, 19)}Z: no run starts or goes on, of any pipeline, and nothing else is watched meanwhile.`;

const isoOf = (ms: number): string => new Date(ms).toISOString();
