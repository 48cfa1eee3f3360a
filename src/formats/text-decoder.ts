import { SluiceError } from '../definition/errors.ts';
import { encodings } from '../definition/format.ts';
import type { BytesDecoder } from './csv-dialect.ts';
import { LineDecoder } from './line-decoder.ts';
import { Utf8Decoder } from './utf8-decoder.ts';

/** @param skipped Bytes of the file before the first that is pushed: its byte order mark. */
export function bytesDecoder(encoding: string, skipped: number): BytesDecoder {
  const label = encoding === 'latin1' || encoding === 'iso-8859-1' ? 'windows-1252' : encoding;
  if (!(encodings as readonly string[]).includes(encoding)) {
    throw new SluiceError(
      'DefinitionInvalid',
      `"${encoding}" is no encoding that can be read; there are ${encodings.join(', ')}.`,
    );
  }
  return label === 'utf-8' ? new Utf8Decoder(skipped) : new LineDecoder(label, skipped);
}

/** The encoding that a file's first bytes name, and how many they are. */
export function bomOf(head: Buffer): { readonly encoding: string; readonly bytes: number } | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', bytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', bytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', bytes: 2 };
  return undefined;
}
