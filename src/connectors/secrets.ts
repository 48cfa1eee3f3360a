import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../definition/errors.ts';
import { isLoopback } from './loopback.ts';

const SHORTEST_KEY = 16;
const PREFIX = 'SLUICE_SECRET_';
const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const REFERENCE = /\$\{secret:([^}]*)\}/g;
/** Where a host is named without a port. */
const USUAL_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80', 'sftp:': '22' };

interface Secret {
  readonly value: string;
  readonly hosts: readonly string[];
}

/**
 * The secrets that this process may use, and where each may go. A name comes from a definition, which anyone who may start
 * a workflow can write; so a value leaves only for a host that the worker's own configuration binds it to.
 *
 * `NAME` is `SLUICE_SECRET_NAME` in the environment, with `SLUICE_SECRET_NAME_HOSTS` (`host` or `host:port`, by commas);
 * or the files `NAME` and `NAME.hosts` of the folder `SLUICE_SECRETS_DIR`.
 */
export class Secrets {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #folder: string | undefined;
  /** Values that were given out: what no sentence may hold. */
  readonly #used = new Set<string>();

  constructor(environment: Readonly<Record<string, string | undefined>>, folder: string | undefined) {
    this.#environment = environment;
    this.#folder = folder;
  }

  /**
   * Puts the values in place of `${secret:NAME}`, for a request to `url`.
   * @param plainAllowed `host:port` that may be asked without TLS.
   * @throws SluiceError `SecretRefused`, which never says more of a secret than its name
   */
  reveal(text: string, url: URL, plainAllowed: readonly string[]): string {
    return text.replaceAll(REFERENCE, (_, name: string) => {
      const secret = this.#find(name);
      const host = hostOf(url);
      if (!secret.hosts.includes(host)) throw unbound(name, host);
      if (url.protocol === 'http:' && !plainAllowed.includes(host)) {
        throw new SluiceError('SecretRefused', `The secret ${name} is not sent to ${host} without TLS: use https.`);
      }
      if (/[\r\n\0]/.test(secret.value) && url.protocol !== 'sftp:') {
        throw new SluiceError('SecretRefused', `The secret ${name} holds a line end, which no request can carry.`);
      }
      this.#used.add(secret.value);
      return secret.value;
    });
  }

  /**
   * The address that a secret is, of a webhook: it is for itself alone, so the hosts that the secret is bound to need not be said; where they
   * are, its own must be one of them.
   * @param reference `${secret:NAME}` @param plainAllowed `host:port` that may be spoken to without TLS, besides this machine
   * @throws SluiceError `SecretRefused`, which never says more of a secret than its name; its fact `missing` is true where this process has none by it
   */
  address(reference: string, plainAllowed: readonly string[]): URL {
    const { name, value, hosts } = this.#referred(reference);
    const url = this.ownAddress(value, `The secret ${name}`, plainAllowed);
    const host = hostOf(url);
    if (hosts.length > 0 && !hosts.includes(host)) throw unbound(name, host);
    return url;
  }

  /**
   * An address that this process's own configuration holds, which is as secret.
   * @param what it is, for sentences @param plainAllowed as for {@link address}
   * @throws SluiceError `SecretRefused`
   */
  ownAddress(value: string, what: string, plainAllowed: readonly string[]): URL {
    const url = URL.parse(value);
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new SluiceError('SecretRefused', `${what} is no address: it must begin with https://.`);
    }
    this.#conceal(url);
    const host = hostOf(url);
    if (url.protocol === 'http:' && !isLoopback(url.hostname) && !plainAllowed.includes(host)) {
      throw new SluiceError(
        'SecretRefused',
        `${what} is an address without TLS: use https, or add ${host} to SLUICE_ALERT_ALLOW of the worker.`,
      );
    }
    return url;
  }

  /**
   * The key that a secret is, for signing what goes to an address.
   * @throws SluiceError `SecretRefused`, as for {@link address}
   */
  key(reference: string, url: URL): string {
    const { name, value, hosts } = this.#referred(reference);
    const host = hostOf(url);
    if (hosts.length > 0 && !hosts.includes(host)) throw unbound(name, host);
    if (value.length < SHORTEST_KEY) {
      throw new SluiceError(
        'SecretRefused',
        `The secret ${name} is too short to sign with: take ${SHORTEST_KEY} characters or more (openssl rand -hex 32).`,
      );
    }
    this.#used.add(value);
    return value;
  }

  /** The hosts that all secrets in these texts are bound to; undefined where there is none. */
  commonHosts(texts: readonly string[]): readonly string[] | undefined {
    const names = texts.flatMap((text) => Array.from(text.matchAll(REFERENCE), (match) => match[1] ?? ''));
    const [first, ...others] = names.map((name) => this.#find(name).hosts);
    return first?.filter((host) => others.every((hosts) => hosts.includes(host)));
  }

  /** Keeps a value that was obtained with a secret out of sentences, too. */
  conceal(value: string): void {
    this.#used.add(value);
  }

  /** A sentence without any value that was given out. */
  redacted(text: string): string {
    let clean = text;
    for (const value of this.#used) if (value.length > 3) clean = clean.replaceAll(value, '***');
    return clean;
  }

  #referred(reference: string): Secret & { readonly name: string } {
    const name = /^\$\{secret:([^}]*)\}$/.exec(reference)?.[1] ?? '';
    return { name, ...this.#find(name, false) };
  }

  /** An address as a whole, and the parts of it that are long enough to be secret. */
  #conceal(url: URL): void {
    this.#used.add(url.href);
    for (const part of [url.pathname, url.search, url.username, url.password]) {
      if (part.length >= SHORTEST_KEY) this.#used.add(part);
    }
  }

  /** @param bound whether it goes nowhere without hosts */
  #find(name: string, bound = true): Secret {
    const value = NAME.test(name) && !name.endsWith('_HOSTS') ? this.#value(name) : undefined;
    if (value === undefined) {
      const variable = `${PREFIX}${NAME.test(name) ? name : 'NAME'}`;
      const variables = bound ? `${variable} and ${variable}_HOSTS` : variable;
      throw new SluiceError(
        'SecretRefused',
        `This worker has no secret "${name.slice(0, 64)}": set ${variables}, or put it into SLUICE_SECRETS_DIR.`,
        { facts: { missing: true } },
      );
    }
    return value;
  }

  #value(name: string): Secret | undefined {
    const value = this.#environment[PREFIX + name];
    if (value !== undefined && value !== '') return { value, hosts: list(this.#environment[`${PREFIX}${name}_HOSTS`]) };
    if (this.#folder === undefined) return undefined;
    const held = read(join(this.#folder, name));
    return held === undefined ? undefined : { value: held, hosts: list(read(join(this.#folder, `${name}.hosts`))) };
  }
}

const unbound = (name: string, host: string): SluiceError =>
  new SluiceError(
    'SecretRefused',
    `The secret ${name} is not bound to ${host}, so it is not sent there; if it should be, add ${host} to ${PREFIX}${name}_HOSTS of the worker.`,
  );

/** `host:port`, the scheme's usual port written out. */
export function hostOf(url: URL): string {
  return `${url.hostname.toLowerCase()}:${url.port || (USUAL_PORTS[url.protocol] ?? '')}`;
}

function list(text: string | undefined): string[] {
  const items = (text ?? '').split(/[,\s]+/).filter((item) => item !== '');
  return items.flatMap((item) => (/:\d+$/.test(item) ? [item] : [`${item}:443`, `${item}:22`]));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}
