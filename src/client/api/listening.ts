import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';

export const API_PORT = 5000;
/** Requests a minute. */
export const RATE_LIMIT = 600;
const LEAST_TOKEN = 16;

/** Where the API listens, and who may speak to it. */
export interface Listening {
  readonly host: string;
  /** Absent where everyone on this machine may. */
  readonly token?: string;
  /** Names that it goes by beside addresses and `localhost`. */
  readonly hosts: readonly string[];
}

/**
 * The token is SLUICE_API_TOKEN, or what the file SLUICE_API_TOKEN_FILE holds; further names are SLUICE_API_HOSTS, by commas.
 * @throws SluiceError `SettingsInvalid` where others than this machine could reach an API without a token
 */
export async function listeningOn(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Listening> {
  const token = await tokenOf(environment);
  if (token === undefined && !isLoopback(host)) {
    throw new SluiceError(
      'SettingsInvalid',
      `At ${host} others than this machine can reach the API, so it needs a token: set SLUICE_API_TOKEN (or SLUICE_API_TOKEN_FILE), or leave --host out.`,
    );
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new SluiceError('SettingsInvalid', 'The API’s token has characters that a header cannot carry.');
  if (token !== undefined && token.length < LEAST_TOKEN) {
    throw new SluiceError(
      'SettingsInvalid',
      `The API’s token is shorter than ${LEAST_TOKEN} characters, so it can be guessed: take that of "openssl rand -hex 32".`,
    );
  }
  const hosts = (environment['SLUICE_API_HOSTS'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  return { host, hosts: hosts.filter(Boolean), ...(token === undefined ? {} : { token }) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

async function tokenOf(environment: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const given = environment['SLUICE_API_TOKEN'];
  if (given) return given;
  const file = environment['SLUICE_API_TOKEN_FILE'];
  if (!file) return undefined;
  try {
    const held = (await readFile(file, 'utf8')).trim();
    if (held !== '') return held;
  } catch (error) {
    throw new SluiceError('SettingsInvalid', `SLUICE_API_TOKEN_FILE cannot be read: ${sentenceOf(error)}.`);
  }
  throw new SluiceError('SettingsInvalid', `SLUICE_API_TOKEN_FILE, ${file}, is empty.`);
}
