import { describe, expect, it } from 'vitest';
import { Streams } from '../../src/client/api/streams.ts';

describe('streams of events', () => {
  it('are so many of one address, and so many in all', () => {
    const streams = new Streams({ all: 3, perAddress: 2 });
    const leave = streams.take('10.0.0.1');
    streams.take('10.0.0.1');
    expect(() => streams.take('10.0.0.1')).toThrow(
      expect.objectContaining({ statusCode: 429, code: 'TooManyRequests' }) as Error,
    );
    streams.take('10.0.0.2');
    expect(() => streams.take('10.0.0.3')).toThrow(
      expect.objectContaining({ statusCode: 503, code: 'TooManyRequests' }) as Error,
    );
    leave();
    // Given back once, and not twice.
    leave();
    const again = streams.take('10.0.0.3');
    expect(() => streams.take('10.0.0.1')).toThrow('This API has 3 streams open already');
    again();
    streams.take('10.0.0.1');
    expect(() => streams.take('10.0.0.1')).toThrow('This address has 2 streams open already');
  });
});
