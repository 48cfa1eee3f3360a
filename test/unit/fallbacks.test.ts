import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/definition/deliveries.ts';
import { ToldChannels } from '../../src/workflows/fallbacks.ts';

const to = (name: string, transitions: readonly string[], fallback?: Delivery): Delivery => ({
  ...{ id: `n/${name}/${transitions.join('+')}`, channel: 'slack', name, transitions },
  ...(fallback ? { fallback } : {}),
});

describe('a channel that others fall back to', () => {
  it('is told of each change once, however many fall back to it', () => {
    const channels = new ToldChannels();
    const email = channels.claim(to('email', ['T1'], to('slack', ['T1']))) as Delivery;
    const webhook = channels.claim(to('webhook', ['T1', 'T2'], to('slack', ['T1', 'T2']))) as Delivery;
    expect([email.transitions, webhook.transitions]).toEqual([['T1'], ['T1', 'T2']]);
    expect(channels.claim(email.fallback)).toEqual(to('slack', ['T1']));
    expect(channels.claim(webhook.fallback)).toMatchObject({ id: 'n/slack/T1+T2/left/1', transitions: ['T2'] });
  });

  it('stands in for nobody where it was told all of it by another one, and that one goes on alone', () => {
    const channels = new ToldChannels();
    const chain = to('slack', ['T1'], to('oncall', ['T1']));
    const first = channels.claim(chain) as Delivery;
    expect(channels.claim(chain)).toBeUndefined();
    channels.failed(first);
    expect(channels.claim(first.fallback)).toMatchObject({ name: 'oncall', transitions: ['T1'] });
    expect(channels.claim(first.fallback)).toBeUndefined();
  });

  it('that has failed is passed over, so that chains of another order come to the last channel', () => {
    const channels = new ToldChannels();
    const one = channels.claim(to('a', ['T'], to('b', ['T'], to('c', ['T'])))) as Delivery;
    const other = channels.claim(to('b', ['T'], to('a', ['T'], to('c', ['T'])))) as Delivery;
    channels.failed(one);
    expect(channels.claim(one.fallback)).toBeUndefined();
    channels.failed(other);
    expect(channels.claim(other.fallback)).toMatchObject({ name: 'c', transitions: ['T'] });
  });

  it('is not told further on of what another one has told already', () => {
    const channels = new ToldChannels();
    channels.claim(to('slack', ['T1']));
    const left = channels.claim(to('slack', ['T1', 'T2'], to('oncall', ['T1', 'T2']))) as Delivery;
    expect(left.transitions).toEqual(['T2']);
    channels.failed(left);
    expect(channels.claim(left.fallback)).toMatchObject({ name: 'oncall', transitions: ['T2'] });
  });
});
