import { ping } from '../../../connectors/ping.ts';
import { sentenceOf } from '../../../definition/errors.ts';
import type { StageDeps } from '../../deps.ts';
import type { WatchMemory } from './memory.ts';

const WHAT = "The dead man's switch";
/** Once a minute; looks are a little further apart than they say. */
const LEAST_MS = 59_000;

/**
 * Tells the dead man's switch that a look went through: it raises the alarm where it hears nothing. At most once a minute; one that fails is no failure of the look.
 * @param now milliseconds since 1970
 * @param changed told once when it fails, and once when it works again
 * @returns what is to be remembered of it; undefined where there is none
 */
export async function tellDeadman(
  { settings }: Pick<StageDeps, 'settings'>,
  before: WatchMemory['ping'],
  now: number,
  changed: (problem: string | undefined) => void,
): Promise<WatchMemory['ping']> {
  const { watch, secrets, alertAllow } = settings;
  if (watch.deadman === undefined) return undefined;
  const sinceLast = now - Date.parse(before?.at ?? '1970-01-01');
  // A clock that was put back keeps nobody silent.
  if (before && sinceLast >= 0 && sinceLast < LEAST_MS) return before;
  let problem: string | undefined;
  try {
    const url = watch.deadman.startsWith('${')
      ? secrets.address(watch.deadman, alertAllow)
      : secrets.ownAddress(watch.deadman, 'SLUICE_DEADMAN_URL', alertAllow);
    await ping(url, WHAT);
  } catch (error) {
    problem = secrets.redacted(sentenceOf(error));
  }
  if (problem !== before?.problem) changed(problem);
  return { at: new Date(now).toISOString(), ...(problem === undefined ? {} : { problem }) };
}
