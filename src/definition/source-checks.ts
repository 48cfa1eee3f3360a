import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { addressesOf, secretTexts, type Source } from './source.ts';

const SECRET = /\$\{secret:([^}]*)\}/g;
const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The names of secrets that a text refers to. */
export function secretNames(text: string): string[] {
  return Array.from(text.matchAll(SECRET), (match) => match[1] ?? '');
}

/** What the schema cannot see of a source: a definition is stored in schedules and histories, where everyone reads it. */
export function sourceChecks({ source, columns }: Pipeline): Finding[] {
  return [
    ...addresses(source),
    ...secrets(source),
    ...requests(source),
    ...headerNames(source),
    ...nameColumn(source, Object.keys(columns)),
  ];
}

function nameColumn({ nameColumn: name, format: { header } }: Source, declared: readonly string[]): Finding[] {
  if (name === undefined) return [];
  const found = (message: string): Finding[] => [{ path: ['source', 'nameColumn'], message }];
  if (/^_(?:file|row|line|offset)$/.test(name)) {
    return found(`"${name}" is a name that Sluice uses itself; choose another`);
  }
  if (/^#[1-9][0-9]*$/.test(name)) return found(`"${name}" means a column by its place; choose another name`);
  if (header?.some((own) => own.trim() === name) === true) {
    return found(`"${name}" is also a column of source.format.header; choose another name`);
  }
  if (declared.some((own) => own.trim() === name)) return [];
  return found(`is named by no column: add "${name}" to the columns, or take this out`);
}

function addresses(source: Source): Finding[] {
  const several = typeof source.url !== 'string';
  const all: [(string | number)[], string][] = addressesOf(source).map((address, at) => [
    several ? ['source', 'url', at] : ['source', 'url'],
    address,
  ]);
  if (source.token) all.push([['source', 'token', 'url'], source.token.url]);
  return all.flatMap(([path, address]): Finding[] => {
    if (address.includes('${secret:'))
      return [{ path, message: 'holds a secret, and addresses are shown; use headers or query' }];
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url) return [{ path, message: 'is no address' }];
    if (url.username === '' && url.password === '') return [];
    return [{ path, message: 'holds a user name or password; no secrets may stand here' }];
  });
}

function secrets(source: Source): Finding[] {
  const found: Finding[] = [];
  for (const { path, text } of secretTexts(source)) {
    const at = ['source', ...path];
    for (const name of secretNames(text)) {
      if (SECRET_NAME.test(name)) continue;
      found.push({ path: at, message: `"${name}" is no name of a secret: capital letters, digits and _ (64 at most)` });
    }
    if (path[0] === 'sftp' && !/^\$\{secret:[^}]*\}$/.test(text)) {
      found.push({ path: at, message: 'must be a reference: ${secret:NAME}' });
    }
  }
  return found;
}

function requests(source: Source): Finding[] {
  const found: Finding[] = [];
  const schemes = new Set(addressesOf(source).map((address) => address.split(':')[0] ?? ''));
  const http = [...schemes].every((scheme) => scheme === 'http' || scheme === 'https');
  const mixed = (field: string, given: boolean): void => {
    if (given && !http) found.push({ path: ['source', field], message: 'is for http and https sources' });
  };
  mixed('token', source.token !== undefined);
  mixed('paging', source.paging !== undefined);
  mixed('body', source.body !== undefined);
  if (schemes.has('sftp') && !source.sftp) {
    found.push({ path: ['source', 'url'], message: 'needs source.sftp: who signs in, and with what' });
  }
  if (source.sftp && !schemes.has('sftp')) found.push({ path: ['source', 'sftp'], message: 'is for sftp sources' });
  if (source.body !== undefined && source.method === 'GET') {
    found.push({ path: ['source', 'body'], message: 'needs method: POST' });
  }
  if (source.token?.form && source.token.body !== undefined) {
    found.push({ path: ['source', 'token', 'body'], message: 'stands beside form; only one can be sent' });
  }
  if (source.paging?.kind === 'cursor' && source.answer.format !== 'json') {
    found.push({
      path: ['source', 'paging'],
      message: 'a cursor is read from a JSON answer: set answer.format to json',
    });
  }
  return found;
}

/** Headers that the importer sets itself; others would be taken for part of the line after them. */
function headerNames(source: Source): Finding[] {
  const own = new Set([
    'host',
    'connection',
    'content-length',
    'transfer-encoding',
    'range',
    'if-range',
    'expect',
    'upgrade',
  ]);
  const of = (path: string[], headers: Readonly<Record<string, string>> | undefined): Finding[] =>
    Object.entries(headers ?? {}).flatMap(([name, value]): Finding[] => {
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
        return [{ path: [...path, name], atKey: true, message: 'is no header name' }];
      if (own.has(name.toLowerCase()))
        return [{ path: [...path, name], atKey: true, message: 'is set by the importer itself' }];
      return /[\r\n\0]/.test(value) ? [{ path: [...path, name], message: 'holds a line end' }] : [];
    });
  return [...of(['source', 'headers'], source.headers), ...of(['source', 'token', 'headers'], source.token?.headers)];
}
