import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { SluiceError } from '../../definition/errors.ts';

// Two lists: in one, the rule for IPv4-mapped addresses would match every IPv4 address.
const refused4 = new BlockList();
const refused6 = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], // unspecified
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, cloud metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 3], // multicast, reserved, broadcast
] as const) {
  refused4.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['::ffff:0:0', 96], // IPv4-mapped
  ['64:ff9b::', 96], // NAT64: an IPv4 address within
  ['64:ff9b:1::', 48],
  ['100::', 64], // discard
  ['2001::', 23], // protocol assignments, Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address within
  ['fc00::', 7], // private
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local
  ['ff00::', 8], // multicast
] as const) {
  refused6.addSubnet(network, prefix, 'ipv6');
}

/** Whether an IP address is none of the public internet's: a source there would be a way into the worker's own network. */
export function isInternal(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return family === 4 ? refused4.check(address, 'ipv4') : refused6.check(address, 'ipv6');
}

/**
 * Refuses an address that is written as an internal IP, and gives the look-up that refuses a *name* that resolves to one.
 * It looks at the very addresses that the socket is about to use, so a name cannot be public when checked and private
 * when connected to.
 * @param allow `host:port` of sources that may be internal.
 * @throws SluiceError `SourceAddressRefused`, here and from the look-up.
 */
export function guardedLookup(url: URL, allow: readonly string[]): LookupFunction {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : url.protocol === 'sftp:' ? '22' : '80');
  const open = allow.includes(`${host}:${port}`) || allow.includes(`${url.hostname}:${port}`);
  if (!open && isIP(host) !== 0 && isInternal(host)) throw refusal(host, port, host);
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return done(error, '', 0);
      const internal = open ? undefined : addresses.find(({ address }) => isInternal(address));
      if (internal) return done(refusal(host, port, internal.address), '', 0);
      if (options.all) return done(null, addresses);
      return done(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

function refusal(host: string, port: string, address: string): SluiceError {
  return new SluiceError(
    'SourceAddressRefused',
    `The source ${host}:${port} is at ${address}, which is not on the public internet; where that is meant, add ${host}:${port} to SLUICE_SOURCE_ALLOW.`,
  );
}
