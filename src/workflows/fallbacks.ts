import type { Delivery } from '../definition/deliveries.ts';

/** Which channels the transitions of one notice have been sent to: several channels may fall back to the same one, and none is told twice. Pure. */
export class ToldChannels {
  /** Names of channels with ids of transitions. */
  readonly #tried = new Set<string>();
  readonly #failed = new Set<string>();

  /**
   * What of a delivery is still to be sent, which counts as sent from here on; of its fallbacks, where nothing of it is. Undefined where nothing of any is:
   * somebody else has told all of it, or is about to.
   */
  claim(delivery: Delivery | undefined): Delivery | undefined {
    if (!delivery) return undefined;
    const { name, transitions, fallback } = delivery;
    const left = transitions.filter((id) => !this.#tried.has(keyOf(name, id)));
    for (const id of left) this.#tried.add(keyOf(name, id));
    // What this channel has not taken from another one goes on: that one may end where this one began.
    const open = transitions.filter((id) => left.includes(id) || this.#failed.has(keyOf(name, id)));
    const elsewhere = new Set(transitions.filter((id) => !open.includes(id)));
    const rest = without(fallback, elsewhere);
    if (left.length === 0) return open.length === 0 ? undefined : this.claim(rest);
    const { fallback: _all, ...own } = only(delivery, left);
    return rest ? { ...own, fallback: rest } : own;
  }

  /** The channel has surely not taken it. */
  failed({ name, transitions }: Delivery): void {
    for (const id of transitions) this.#failed.add(keyOf(name, id));
  }
}

const keyOf = (name: string, transition: string): string => `${name}\n${transition}`;

/** The same delivery, of some of its transitions: another message, and so of another id. */
function only(delivery: Delivery, left: readonly string[]): Delivery {
  const { id, transitions } = delivery;
  if (left.length === transitions.length) return delivery;
  return { ...delivery, id: `${id}/left/${left.map((one) => transitions.indexOf(one)).join('.')}`, transitions: left };
}

function without(delivery: Delivery | undefined, gone: ReadonlySet<string>): Delivery | undefined {
  if (!delivery) return undefined;
  const { fallback, ...own } = delivery;
  const rest = without(fallback, gone);
  const left = own.transitions.filter((id) => !gone.has(id));
  if (left.length === 0) return rest;
  return { ...only(own, left), ...(rest ? { fallback: rest } : {}) };
}
