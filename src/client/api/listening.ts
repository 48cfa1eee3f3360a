import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../../connectors/loopback.ts';
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
  /** Lets look at everything, and steer nothing. */
  readonly viewerToken?: string;
  /** Names that it goes by beside addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** What links begin with: where a proxy has it for others. Without a slash at its end. */
  readonly url?: string;
  /** Addresses and networks of proxies, which say on whose behalf they ask. */
  readonly proxies?: readonly string[];
}

/**
 * The token is SLUICE_API_TOKEN, or what the file SLUICE_API_TOKEN_FILE holds, and SLUICE_API_VIEWER_TOKEN likewise; further names are SLUICE_API_HOSTS, by commas. Behind a proxy
 * SLUICE_API_URL is its address for others, whose name is one of those, and SLUICE_API_PROXIES lists who may be one.
 * @throws SluiceError `SettingsInvalid` where others than this machine could reach an API without a token, and where one of these is none
 */
export async function listeningOn(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Listening> {
  const token = await tokenOf('SLUICE_API_TOKEN', environment);
  const viewerToken = await tokenOf('SLUICE_API_VIEWER_TOKEN', environment);
  if (token === undefined && !isLoopback(host)) {
    throw new SluiceError(
      'SettingsInvalid',
      `At ${host} others than this machine can reach the API, so it needs a token: set SLUICE_API_TOKEN (or SLUICE_API_TOKEN_FILE), or leave --host out.`,
    );
  }
  if (viewerToken !== undefined && (token === undefined || token === viewerToken)) {
    throw new SluiceError(
      'SettingsInvalid',
      'SLUICE_API_VIEWER_TOKEN is for who may look and not steer: set SLUICE_API_TOKEN, another one, for who may.',
    );
  }
  const url = urlOf(environment['SLUICE_API_URL']);
  const proxies = proxiesOf(environment['SLUICE_API_PROXIES']);
  const hosts = new Set(listOf(environment['SLUICE_API_HOSTS']?.toLowerCase()));
  return {
    host,
    hosts: [...(url === undefined ? hosts : hosts.add(url.hostname))],
    ...(token === undefined ? {} : { token }),
    ...(viewerToken === undefined ? {} : { viewerToken }),
    ...(url === undefined ? {} : { url: url.href.replace(/\/+$/, '') }),
    ...(proxies.length === 0 ? {} : { proxies }),
  };
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

function urlOf(given: string | undefined): URL | undefined {
  if (!given) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) return url;
  throw new SluiceError(
    'SettingsInvalid',
    'SLUICE_API_URL is no address that links could begin with: write it like https://sluice.example.org.',
  );
}

function proxiesOf(given: string | undefined): string[] {
  const proxies = listOf(given);
  const wrong = proxies.find((proxy) => !isNetwork(proxy));
  if (wrong === undefined) return proxies;
  throw new SluiceError(
    'SettingsInvalid',
    `SLUICE_API_PROXIES: "${wrong}" is no address and no network; write them like 10.0.0.7,10.1.0.0/16.`,
  );
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const kind = isIP(address);
  if (kind === 0) return false;
  try {
    // Of no bits it would be everyone, who could then name any address.
    if (bits !== undefined) new BlockList().addSubnet(address, Number(bits), kind === 4 ? 'ipv4' : 'ipv6');
    return bits === undefined || Number(bits) > 0;
  } catch {
    return false;
  }
}

/** A token that a variable holds, or the file that the one with _FILE names. @throws SluiceError `SettingsInvalid` */
async function tokenOf(
  variable: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const given = environment[variable] || (await fileOf(`${variable}_FILE`, environment));
  if (given === undefined) return undefined;
  if (!/^[\x21-\x7e]+$/.test(given))
    throw new SluiceError(
      'SettingsInvalid',
      `The API’s token (${variable}) has characters that a header cannot carry.`,
    );
  if (given.length < LEAST_TOKEN) {
    throw new SluiceError(
      'SettingsInvalid',
      `The API’s token (${variable}) is shorter than ${LEAST_TOKEN} characters, so it can be guessed: take that of "openssl rand -hex 32".`,
    );
  }
  return given;
}

async function fileOf(
  variable: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const file = environment[variable];
  if (!file) return undefined;
  try {
    const held = (await readFile(file, 'utf8')).trim();
    if (held !== '') return held;
  } catch (error) {
    throw new SluiceError('SettingsInvalid', `${variable} cannot be read: ${sentenceOf(error)}.`);
  }
  throw new SluiceError('SettingsInvalid', `${variable}, ${file}, is empty.`);
}
