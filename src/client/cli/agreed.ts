import { createInterface } from 'node:readline/promises';
import { SluiceError } from '../../definition/errors.ts';

/** Whether there is somebody to ask. */
export const mayAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

/** Asks on the terminal. @throws SluiceError `Cancelled` on Ctrl-C */
export async function agreed(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<never>((_, reject) => {
    asking.once('SIGINT', () => reject(new SluiceError('Cancelled', 'Nothing was changed.')));
  });
  try {
    const answer = await Promise.race([asking.question(`${question} [y/N] `), left]);
    const yes = /^y(es)?$/i.test(answer.trim());
    if (!yes) process.stderr.write('Nothing was changed.\n');
    return yes;
  } finally {
    asking.close();
  }
}
