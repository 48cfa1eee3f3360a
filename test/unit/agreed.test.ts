import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { agreed } from '../../src/client/cli/agreed.ts';

/** What is typed at the question. */
async function typed(keys: string | undefined): Promise<{ yes: boolean; said: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let said = '';
  output.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const answer = agreed('Apply?', { input, output });
  if (keys === undefined) input.end();
  else input.write(keys);
  return { yes: await answer, said };
}

describe('a question on the terminal', () => {
  it.each([
    ['y\r', true],
    ['Yes\r', true],
    ['n\r', false],
    ['\r', false],
    ['yesterday\r', false],
  ])('takes %j for %s', async (keys, yes) => {
    const answer = await typed(keys);
    expect(answer.yes).toBe(yes);
    expect(answer.said).toContain('Apply? [y/N] ');
    expect(answer.said.endsWith('Nothing was changed.\n')).toBe(!yes);
  });

  it.each([
    ['Ctrl-D', '\x04'],
    ['the end of the input', undefined],
  ])('takes %s for a no', async (_what, keys) => {
    const { yes, said } = await typed(keys);
    expect(yes).toBe(false);
    expect(said).toMatch(/\nNothing was changed\.\n$/);
  });

  it('is left by Ctrl-C', async () => {
    await expect(typed('\x03')).rejects.toMatchObject({ code: 'Cancelled', message: 'Nothing was changed.' });
  });
});
