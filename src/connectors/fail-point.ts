import { setTimeout as wait } from 'node:timers/promises';

/**
 * Named places where a test may let this process die, stop or fail: `SLUICE_FAIL_POINT=name[#nth]=action`, the nth passing (the first
 * where left out) of that name. Actions: `crash` (SIGKILL to itself), `stop` (SIGSTOP, until somebody sends SIGCONT), `wait:<ms>`, `throw`.
 * Without the variable a fail point is an empty function.
 */
export type FailPoint = (name: string) => Promise<void>;

const asked = /^([a-z-]+:[a-z-]+)(?:#([1-9]\d*))?=(crash|stop|throw|wait:(\d+))$/.exec(
  process.env['SLUICE_FAIL_POINT'] ?? '',
);

export const failPoint: FailPoint = asked ? armed(asked) : async () => {};

function armed([, name, nth = '1', action, ms = '0']: RegExpExecArray): FailPoint {
  let left = Number(nth);
  return async (passed) => {
    if (passed !== name || --left !== 0) return;
    if (action === 'crash') process.kill(process.pid, 'SIGKILL');
    else if (action === 'stop') process.kill(process.pid, 'SIGSTOP');
    else if (action === 'throw') throw new Error(`fail point ${name}`);
    await wait(action === 'crash' ? 60_000 : Number(ms));
  };
}
