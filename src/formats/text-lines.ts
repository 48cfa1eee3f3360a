import { StringDecoder } from 'node:string_decoder';

/**
 * The lines of UTF-8 text, without their ends; LF alone ends one. Node's readline also ends one at U+2028 and U+2029 (nodejs/node 57591, since
 * Node 24), which JSON leaves as they are in its texts.
 */
export async function* textLines(input: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let begun: string[] = [];
  for await (const chunk of input) {
    const [rest = '', ...others] = (typeof chunk === 'string' ? chunk : decoder.write(chunk)).split('\n');
    begun.push(rest);
    for (const next of others) {
      yield begun.join('');
      begun = [next];
    }
  }
  const last = begun.join('') + decoder.end();
  if (last !== '') yield last;
}
