import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../../stack/ports.ts';

const program = '/usr/sbin/sshd';
/** Debian's package openssh-server. */
export const noSshd = !existsSync(program);

export interface SftpServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The folder that holds the files. */
  readonly folder: string;
  readonly privateKey: string;
  /** `SHA256:…` */
  readonly hostKey: string;
  /** A line of a known_hosts file. */
  readonly knownHost: string;
  stop(): Promise<void>;
}

/** Debian's sshd on loopback, with keys of its own, for sftp alone. Stopped by its own pid. */
export async function startSftp(): Promise<SftpServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sftp-'));
  chmodSync(folder, 0o755);
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')];
  for (const path of [hostKey, userKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  const files = join(folder, 'files');
  mkdirSync(files);
  const authorized = join(folder, 'authorized');
  writeFileSync(authorized, readFileSync(`${userKey}.pub`), { mode: 0o600 });
  // As root, sshd wants its privilege separation folder, which a machine without the service lacks.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'config');
  writeFileSync(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${authorized}`,
      `PidFile ${join(folder, 'pid')}`,
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'StrictModes no',
      'UsePAM no',
      'Subsystem sftp internal-sftp',
      'ForceCommand internal-sftp',
    ].join('\n'),
  );
  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 1_000 || child.exitCode !== null) throw new Error(`sshd does not answer: ${said}`);
    await wait(50);
  }
  const fields = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
  const listed = execFileSync('ssh-keygen', ['-lf', `${hostKey}.pub`], { encoding: 'utf8' });
  return {
    host: '127.0.0.1',
    port,
    user: userInfo().username,
    folder: files,
    privateKey: readFileSync(userKey, 'utf8'),
    hostKey: /SHA256:\S+/.exec(listed)?.[0] ?? '',
    knownHost: `[127.0.0.1]:${port} ${fields[0]} ${fields[1]}`,
    stop: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
