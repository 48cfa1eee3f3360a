import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/connectors/settings.ts';
import { webUiOf, webUiPage } from '../../src/definition/web-ui.ts';

const settings = (given: string) => readSettings({ SLUICE_TEMPORAL_UI_URL: given }).temporalUi;

describe('where the Web UI is', () => {
  it.each([
    ['https://temporal.example', 'https://temporal.example'],
    ['http://127.0.0.1:8233/ui/', 'http://127.0.0.1:8233/ui/'],
    // As it was taken from the beginning.
    ['temporal.example', 'http://temporal.example'],
    ['localhost:8233', 'http://localhost:8233'],
    ['temporal.example/ui', 'http://temporal.example/ui'],
    ['[::1]:8233', 'http://[::1]:8233'],
    ['http://temporal.example/@ui', 'http://temporal.example/@ui'],
  ])('%s: %s', (given, ui) => {
    expect(settings(given)).toBe(given);
    expect(webUiOf(given)).toBe(ui);
  });

  it('is known of a Temporal at its usual place on this machine alone', () => {
    expect(webUiOf(undefined, '127.0.0.1:7233')).toBe('http://127.0.0.1:8233');
    expect(webUiOf('', 'localhost:7233')).toBe('http://127.0.0.1:8233');
    expect([webUiOf(undefined, '10.0.0.1:7233'), webUiOf('')]).toEqual([undefined, undefined]);
    expect(settings('')).toBeUndefined();
  });

  it.each([
    'https://me:hush@a.example',
    'http://hush@a.example/ui',
    'me:hush@a.example',
    'http:me:hush@a',
    ' http://hush@a',
  ])('has no password in it, and none is told: %s', (given) => {
    const sentence = /SLUICE_TEMPORAL_UI_URL: needs an address alone, without a user or a password/;
    for (const read of [settings, webUiOf]) {
      expect(() => read(given)).toThrow(sentence);
      expect(() => read(given)).not.toThrow(/hush/);
    }
  });

  it.each(['javascript:alert(1)', 'ftp://a.example', 'http://', 'no address'])(
    'is an address of a page, or that is said where a link is made: %s',
    (given) => {
      expect(settings(given)).toBe(given);
      expect(() => webUiOf(given)).toThrow('SLUICE_TEMPORAL_UI_URL: needs an address that begins with http://');
    },
  );

  it('has a page for each run', () => {
    expect(webUiPage('http://a/', 'default', 'pipeline/p/h', 'r')).toBe(
      'http://a/namespaces/default/workflows/pipeline%2Fp%2Fh/r',
    );
  });
});
