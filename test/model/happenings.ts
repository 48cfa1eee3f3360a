import { Step, picked } from './commands.ts';
import type { Model } from './model.ts';
import { abandonAfterMs } from './universe.ts';
import type { World } from './world.ts';

/** What happens to the servers and the clock. */
class Happens extends Step {
  readonly what: string;
  readonly effect: (world: World) => void;

  constructor(what: string, effect: (world: World) => void) {
    super();
    this.what = what;
    this.effect = effect;
  }

  async act(_model: Model, world: World): Promise<void> {
    this.effect(world);
  }

  override toString(): string {
    return this.what;
  }
}

export const addPartition = new Happens('the topic gets a partition', ({ topic }) => topic.grow());

export const timePasses = (part: number): Happens =>
  new Happens(`${part} of land.abandonAfter passes`, (world) => {
    world.now += part * abandonAfterMs;
  });

/** A send that its sender has given up arrives. */
export const lateSendArrives = (which: number): Happens =>
  new Happens(`late send ${which} arrives`, ({ late, seen }) => {
    seen.late += late.length > 0 ? 1 : 0;
    const [send] = late.splice(which % Math.max(1, late.length), 1);
    send?.append();
  });

/** A send, or an end marker, that is in the log is appended once more. */
export const repeated = (which: number, markers: boolean): Happens =>
  new Happens(`${markers ? 'marker' : 'send'} ${which} comes again`, ({ topic, now }) => {
    const recent = topic.sends.filter(({ at }) => now - at <= abandonAfterMs / 4);
    const sends = recent.filter(({ records }) => !markers || records.at(-1)?.headers['end'] !== undefined);
    const send = picked(sends, which);
    if (send) topic.append(send);
  });

/** Another producer writes to the topic: a row of the right columns, poison, or what looks like a record of ours. */
export const foreignRecord = (partition: number, value: string, headers: Readonly<Record<string, string>>): Happens =>
  new Happens(`partition ${partition} gets ${value} of somebody else, headers ${JSON.stringify(headers)}`, (world) => {
    const { topic, now } = world;
    const { partitions } = topic;
    topic.append({
      partition: partition % partitions.length,
      records: [{ key: 'x', value, headers }],
      at: now,
    });
  });

/** The broker deletes the front of a partition: what has been landed, or more than that. */
export const truncation = (partition: number, extent: 'landed' | 'unlanded', part: number): Happens =>
  new Happens(`${part} of what is ${extent} in partition ${partition} is deleted`, (world) => {
    const { topic } = world;
    const at = partition % topic.partitions.length;
    const position = world.positionOf(at);
    const high = topic.partitions[at]?.records.length ?? 0;
    if (extent === 'landed') topic.truncate(at, Math.floor(position * part));
    else topic.truncate(at, position + Math.ceil((high - position) * part));
  });
