import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { meteredStream } from '../../src/connectors/meter.ts';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { HttpServers } from '../helpers/http-server.ts';

const web = new HttpServers();
afterEach(() => web.close());

/** The error that a stream closes with. */
const closed = (stream: Readable): Promise<unknown> =>
  finished(stream).then(
    () => undefined,
    (error: unknown) => error,
  );

/** One that never speaks. */
const mute = (): Readable => new Readable({ read: () => {} });

describe('what comes from the store', () => {
  it('can be let go of while the store is silent', async () => {
    const opened = mute();
    const stream = meteredStream('store', opened);
    stream.resume();
    await new Promise(setImmediate);
    const enough = new Error('enough');
    stream.destroy(enough);
    expect(await closed(stream)).toBe(enough);
    expect(opened.destroyed).toBe(true);
  });

  it('can be let go of before it is read at all', async () => {
    const opened = mute();
    const stream = meteredStream('store', opened);
    stream.destroy(new Error('enough'));
    expect(await closed(stream)).toMatchObject({ message: 'enough' });
    expect(opened.destroyed).toBe(true);
  });

  it('is whole otherwise, and fails as the store does', async () => {
    const chunks = [Buffer.from('ab'), Buffer.from('c')];
    expect(String(await buffer(meteredStream('store', Readable.from(chunks))))).toBe('abc');
    const broken = mute();
    const read = buffer(meteredStream('store', broken));
    setImmediate(() => broken.destroy(new Error('reset')));
    await expect(read).rejects.toThrow('reset');
  });

  it('ends its connection with it', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const { url } = await web.open((response) => {
      response.on('close', resolve);
      response.writeHead(200, { 'content-length': '7' }).flushHeaders();
    });
    const store = new ObjectStore({ endpoint: url, accessKey: 'a', secretKey: 'secret-key', bucket: 'bucket' });
    const stream = await store.stream('key');
    stream.resume();
    stream.destroy();
    await gone;
    expect(stream.destroyed).toBe(true);
  });
});
