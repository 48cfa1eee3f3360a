import { afterEach, describe, expect, it, vi } from 'vitest';
import { answer, onRefused, type ApiError } from '../../src/dashboards/page/api.ts';
import { isToken, keepToken, keptToken } from '../../src/dashboards/page/token.ts';

const token = 'a-token-of-this-test-0123456789';

/** A storage, or one that the browser does not let a page have. */
function storage(isBlocked = false): Map<string, string> {
  const kept = new Map<string, string>();
  const refuse = (): void => {
    if (isBlocked) throw new Error('The operation is insecure.');
  };
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => (refuse(), kept.get(key) ?? null),
    setItem: (key: string, value: string) => (refuse(), kept.set(key, value)),
    removeItem: (key: string) => (refuse(), kept.delete(key)),
  });
  return kept;
}

afterEach(() => {
  keepToken(undefined);
  onRefused(() => {});
  vi.unstubAllGlobals();
});

describe('the token of the page', () => {
  it.each([
    [token, true],
    ['“a-token-in-quotes-0123456789”', false],
    ['a token with spaces 0123456789', false],
    ['short', false],
    ['', false],
  ])('can be one, or not: %s', (text, can) => {
    expect(isToken(text)).toBe(can);
  });

  it('is kept, and forgotten', () => {
    const kept = storage();
    keepToken(token);
    expect([...kept.values(), keptToken()]).toEqual([token, token]);
    keepToken(undefined);
    expect([kept.size, keptToken()]).toEqual([0, undefined]);
  });

  it('is dropped where no header could carry it', () => {
    const kept = storage();
    keepToken('“a-token-in-quotes-0123456789”');
    expect([keptToken(), kept.size]).toEqual([undefined, 0]);
  });

  it('holds for the page where the browser keeps nothing', () => {
    storage(true);
    expect(keptToken()).toBeUndefined();
    keepToken(token);
    expect(keptToken()).toBe(token);
  });

  it('is forgotten where the API refuses it, which is told once', async () => {
    storage();
    keepToken(token);
    const told: boolean[] = [];
    onRefused((sent) => told.push(sent));
    const sent: (string | null)[] = [];
    vi.stubGlobal('fetch', async (_path: string, { headers }: { headers: Headers }) => {
      sent.push(headers.get('authorization'));
      return Response.json({ detail: 'A token is needed.' }, { status: 401 });
    });
    const ask = () => answer('/session', {}).catch((error: unknown) => (error as ApiError).status);
    expect(await Promise.all([ask(), ask()])).toEqual([401, 401]);
    expect(sent).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
    expect([told, keptToken()]).toEqual([[true], undefined]);
    await ask();
    expect(told).toEqual([true, false]);
  });

  it('is left alone where one that was sent before it is refused', async () => {
    storage();
    keepToken(token);
    const told: boolean[] = [];
    onRefused((sent) => told.push(sent));
    vi.stubGlobal('fetch', async () => {
      keepToken(`${token}-the-next`);
      return Response.json({}, { status: 401 });
    });
    await answer('/session', {}).catch(() => {});
    expect([told, keptToken()]).toEqual([[], `${token}-the-next`]);
  });
});
