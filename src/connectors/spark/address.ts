import { SluiceError } from '../../definition/errors.ts';

/** Where a Spark Connect server is, and how it is spoken to. */
export interface SparkAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Whose sessions these are, as Spark has it. */
  readonly user: string;
}

const USUAL_PORT = 15_002;

/**
 * Reads an address in Spark's own form: `sc://host:15002/;use_ssl=true;user_id=sluice`. A token is refused, as an address is
 * shown and logged.
 * @throws SluiceError `SettingsInvalid`
 */
export function sparkAddress(text: string): SparkAddress {
  const refused = (why: string): SluiceError =>
    new SluiceError(
      'SettingsInvalid',
      `SLUICE_SPARK_URL ${why}: write it like sc://host:15002 or sc://host:443/;use_ssl=true.`,
    );
  const [, host, port, rest = ''] =
    /^sc:\/\/(\[[0-9a-fA-F:]+\]|[^\s:/;@]+)(?::(\d{1,5}))?(?:\/(?:;(.*))?)?$/.exec(text) ?? [];
  if (host === undefined) throw refused('is no address of a Spark Connect server');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw refused(`names port ${port}`);
  const options = new Map<string, string>();
  for (const option of rest.split(';').filter((one) => one !== '')) {
    const [name = '', value = ''] = option.split('=');
    if (name === 'token') throw refused('holds a token, which belongs into SLUICE_SPARK_TOKEN');
    if (name !== 'use_ssl' && name !== 'user_id') throw refused(`has "${name}", which is not use_ssl or user_id`);
    options.set(name, value);
  }
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? USUAL_PORT),
    tls: options.get('use_ssl') === 'true',
    user: options.get('user_id') ?? 'sluice',
  };
}

/** Whether an address leads to this machine, where a token may go without TLS. */
export function isLoopback({ host }: SparkAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
