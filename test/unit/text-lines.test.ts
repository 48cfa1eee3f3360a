import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textLines } from '../../src/formats/text-lines.ts';

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  async function* input(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  for await (const line of textLines(input())) lines.push(line);
  return lines;
}

const text = fc.string({ unit: fc.constantFrom('\n', '\r', '\u2028', '\u2029', '\u0085', 'a', 'é', '€', '😀') });

describe('lines of text', () => {
  it('end at LF alone, wherever the text is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 5 }), async (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, n) => bytes.subarray(at[n], end));
        const lines = whole.split('\n');
        expect(await linesOf(chunks)).toEqual(lines.at(-1) === '' ? lines.slice(0, -1) : lines);
      }),
    );
  });

  it('keep a line separator that JSON has left in a text, which Node’s readline would end a line at', async () => {
    const row = { raw: 'a\u2028b\u2029c' };
    const [line = ''] = await linesOf([Buffer.from(`${JSON.stringify(row)}\n`)]);
    expect(JSON.parse(line)).toEqual(row);
  });
});
