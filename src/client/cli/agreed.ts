import { createInterface } from 'node:readline/promises';
import { SluiceError } from '../../definition/errors.ts';

/** Whether there is somebody to ask. */
export const mayAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

const ours: Terminal = { input: process.stdin, output: process.stderr };

/** Asks on the terminal. Ctrl-D, the end of the input, is a no. @throws SluiceError `Cancelled` on Ctrl-C */
export async function agreed(question: string, { input, output }: Terminal = ours): Promise<boolean> {
  const asking = createInterface({ input, output, terminal: true });
  const left = new Promise<never>((_, reject) => {
    asking.once('SIGINT', () => reject(new SluiceError('Cancelled', 'Nothing was changed.')));
  });
  // At the end of the input the question is not answered, or fails.
  const ended = new Promise<undefined>((resolve) => asking.once('close', () => resolve(undefined)));
  const answered = asking.question(`${question} [y/N] `).catch(() => undefined);
  try {
    const answer = await Promise.race([answered, ended, left]);
    const yes = answer !== undefined && /^y(es)?$/i.test(answer.trim());
    if (!yes) output.write(`${answer === undefined ? '\n' : ''}Nothing was changed.\n`);
    return yes;
  } finally {
    asking.close();
  }
}
