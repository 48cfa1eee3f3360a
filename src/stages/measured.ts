import { Meter, metered, spentSoFar } from '../connectors/meter.ts';
import type { Spent, WaitedOn } from '../definition/timing.ts';

/** Does some work and measures where its time goes. @param work may ask that at any moment */
export function measured<T>(work: (spent: () => Spent) => Promise<T>): Promise<T> {
  const meter = new Meter();
  return metered(meter, () => work(() => meter.spent));
}

/** For how long the work that this is called in has waited for a server so far. Milliseconds; none where nobody measures. */
export const waitedSoFar = (on: WaitedOn): number => spentSoFar()?.on[on]?.ms ?? 0;
