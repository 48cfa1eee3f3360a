import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { durationMs } from '../definition/duration.ts';
import { SluiceError } from '../definition/errors.ts';
import { hasLogin, NO_LOGIN } from '../definition/web-ui.ts';
import { mailTls, type MailTls } from './mail-options.ts';
import { Secrets } from './secrets.ts';
import { sparkAddress, type SparkAddress } from './spark/address.ts';

const list = (separator: string) =>
  z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(separator)
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    );

/** It goes into a header: what cannot stand there would be named by the error of whoever sends it. */
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]*$/, 'has white space or characters that no header takes')
  .optional();

const environmentSchema = z.object({
  SLUICE_KAFKA_BROKERS: list(',').refine(
    (brokers) => brokers.every((broker) => /^.+:\d+$/.test(broker)),
    'needs host:port',
  ),
  SLUICE_ZOOKEEPER: z
    .string()
    .regex(
      /^$|^[^,/\s]+:\d+(,[^,/\s]+:\d+)*(\/[^,\s]*)?$/,
      'needs host:port,host:port, with the chroot of Kafka at its end',
    )
    .default(''),
  SLUICE_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:9000'),
  SLUICE_S3_ACCESS_KEY: z.string().default(''),
  SLUICE_S3_SECRET_KEY: z.string().default(''),
  SLUICE_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{2,62}$/)
    .default('sluice'),
  SLUICE_ELASTICSEARCH_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:9200'),
  SLUICE_ELASTICSEARCH_API_KEY: apiKey,
  SLUICE_KIBANA_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^[^:]+:\/\/[^/]*@/.test(url), 'needs an address alone; a key goes into SLUICE_KIBANA_API_KEY')
    .default('http://127.0.0.1:5601'),
  SLUICE_KIBANA_API_KEY: apiKey,
  SLUICE_KIBANA_SPACE: z
    .string()
    .regex(/^[a-z0-9_-]*$/, 'needs the id of a space, as it stands in its addresses')
    .optional(),
  SLUICE_SMTP_URL: z.url({ protocol: /^smtps?$/ }).default('smtp://127.0.0.1:1025'),
  SLUICE_SMTP_USER: z.string().optional(),
  SLUICE_SMTP_PASSWORD: z.string().optional(),
  SLUICE_SMTP_TLS: z.enum(['', ...mailTls]).default(''),
  SLUICE_SMTP_CA: z.string().optional(),
  SLUICE_MAIL_FROM: z.string().default('Sluice <sluice@localhost>'),
  SLUICE_INBOX_URL: z.url({ protocol: /^https?$/ }).optional(),
  // Whether it is an address is looked at where links are made: most workers make none.
  SLUICE_TEMPORAL_UI_URL: z
    .string()
    .refine((url) => !hasLogin(url), NO_LOGIN)
    .optional(),
  // Whether they are addresses is looked at where links are made.
  SLUICE_API_URL: z.string().optional(),
  SLUICE_TRACE_URL: z.string().optional(),
  SLUICE_ALERT_ALLOW: list(','),
  SLUICE_WATCH_EVERY: z
    .string()
    .regex(/^\d+(ms|s|m|h)$/, 'must be a number with a unit: 1m, 30s')
    .default('1m')
    .transform(durationMs)
    .refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'is shorter than a second, or longer than an hour'),
  SLUICE_WATCH_TEMPORAL_AFTER: z
    .string()
    .regex(/^\d+(s|m|h)$/, 'must be a number with a unit: 2m, 90s')
    .default('2m')
    .transform(durationMs),
  SLUICE_DEADMAN_URL: z
    .string()
    .regex(/^$|^https?:\/\/|^\$\{secret:[A-Z][A-Z0-9_]{0,63}\}$/, 'needs an address, or ${secret:NAME}')
    .optional(),
  SLUICE_SPARK_URL: z.string().optional(),
  SLUICE_SPARK_TOKEN: z.string().optional(),
  SLUICE_SPARK_CA: z.string().optional(),
  SLUICE_SPARK_UI_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !hasLogin(url), NO_LOGIN)
    .or(z.literal(''))
    .optional(),
  SLUICE_SPARK_FROM_ROWS: z
    .string()
    .regex(/^[1-9]\d*$/, 'needs a number of rows')
    .transform(Number)
    .optional(),
  SLUICE_MAX_RUNS: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'needs a number of runs')
    .transform(Number)
    .optional(),
  SLUICE_SOURCE_ALLOW: list(','),
  SLUICE_FILE_ROOTS: list(delimiter),
  SLUICE_S3_ROOTS: list(',').refine(
    (roots) => roots.every((root) => /^s3:\/\/[a-z0-9][a-z0-9.-]{2,62}\//.test(root)),
    'needs s3://bucket/ or s3://bucket/folder/',
  ),
  SLUICE_SERVER_LOGS: z.string().optional(),
  SLUICE_SECRETS_DIR: z.string().optional(),
  SLUICE_SSH_KNOWN_HOSTS: z.string().optional(),
  SLUICE_LOCAL_COPIES: z.string().optional(),
  SLUICE_WORK_DIR: z.string().default(join(tmpdir(), 'sluice-work')),
});

/** What this process may talk to and touch. Read once at the start of a process; nothing else reads the environment. */
export interface Settings {
  readonly kafka: { readonly brokers: readonly string[] };
  /** Of a Kafka cluster that has ZooKeeper; absent on KRaft. `chroot` is empty or begins with a slash. */
  readonly zookeeper?: { readonly servers: readonly string[]; readonly chroot: string };
  readonly store: {
    readonly endpoint: string;
    readonly accessKey: string;
    readonly secretKey: string;
    readonly bucket: string;
  };
  readonly elasticsearch: { readonly url: string; readonly apiKey?: string };
  /** `space` is absent for the default one. */
  readonly kibana: { readonly url: string; readonly apiKey?: string; readonly space?: string };
  /** Temporal's Web UI, for links that people follow; as given, for `webUiOf`. */
  readonly temporalUi?: string;
  /** The HTTP API's address for people, for links to its pages; as given, for `apiRunPage`. */
  readonly apiUrl?: string;
  /** The page of a trace, for links in reports; as given, for `traceLink`. */
  readonly traceUrl?: string;
  readonly mail: {
    readonly smtpUrl: string;
    readonly from: string;
    readonly inboxUrl?: string;
    readonly user?: string;
    readonly password?: string;
    /** Of an `smtp://` address; where left out, required as soon as there is a password for another machine. */
    readonly tls?: MailTls;
    /** A file of certificates in PEM form that the server's may be signed by, in place of the usual ones. */
    readonly ca?: string;
  };
  /** `host:port` of webhooks that are spoken to without TLS, besides this machine. */
  readonly alertAllow: readonly string[];
  readonly watch: {
    /** How often the watchdog looks. */
    readonly everyMs: number;
    /** How long Temporal may be away before `sluice serve` tells of it. */
    readonly temporalAfterMs: number;
    /** The dead man's switch: who is asked for after each look, an address or `${secret:NAME}`. Whoever has it can pretend that all is well. */
    readonly deadman?: string;
  };
  /** Absent where there is no Spark. */
  readonly spark?: {
    readonly address: SparkAddress;
    readonly token?: string;
    readonly ca?: string;
    /** `engine: auto` takes Spark from so many rows on; never where left out. */
    readonly fromRows?: number;
    /** Of its web page, which has an interface for programs: what its jobs and stages took is read there. */
    readonly ui?: string;
  };
  /** Folder of the logs of the local stack's servers; absent where there is none. */
  readonly serverLogs?: string;
  /** Runs of all pipelines that may be in flight behind their import; any number where left out. */
  readonly maxRuns?: number;
  /** `host:port` of sources that may be loopback or private. */
  readonly sourceAllow: readonly string[];
  /** Folders below which `file:` sources may lie. */
  readonly fileRoots: readonly string[];
  /** `s3://bucket/folder/` below which `s3:` sources may lie. */
  readonly s3Roots: readonly string[];
  readonly secrets: Secrets;
  /** The known_hosts file by which sftp servers are recognised. */
  readonly knownHosts?: string;
  /** Where `save.localCopy` puts clean.csv; local copies are refused where it is absent. */
  readonly localCopies?: string;
  /** Scratch space; each stage makes and removes a folder of its own in it. */
  readonly workDir: string;
}

/**
 * Reads settings from environment variables.
 * @throws SluiceError `SettingsInvalid`, naming every variable that is wrong. Values are not repeated: they may be secret.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new SluiceError('SettingsInvalid', `The environment is not usable: ${problems.join('; ')}.`);
  }
  const env = parsed.data;
  return {
    kafka: { brokers: env.SLUICE_KAFKA_BROKERS.length > 0 ? env.SLUICE_KAFKA_BROKERS : ['127.0.0.1:9092'] },
    ...(env.SLUICE_ZOOKEEPER === '' ? {} : { zookeeper: zooKeeperOf(env.SLUICE_ZOOKEEPER) }),
    store: {
      endpoint: env.SLUICE_S3_ENDPOINT,
      accessKey: env.SLUICE_S3_ACCESS_KEY,
      secretKey: env.SLUICE_S3_SECRET_KEY,
      bucket: env.SLUICE_S3_BUCKET,
    },
    elasticsearch: {
      url: env.SLUICE_ELASTICSEARCH_URL,
      ...(env.SLUICE_ELASTICSEARCH_API_KEY ? { apiKey: env.SLUICE_ELASTICSEARCH_API_KEY } : {}),
    },
    kibana: {
      url: env.SLUICE_KIBANA_URL,
      ...(env.SLUICE_KIBANA_API_KEY ? { apiKey: env.SLUICE_KIBANA_API_KEY } : {}),
      ...(env.SLUICE_KIBANA_SPACE && env.SLUICE_KIBANA_SPACE !== 'default' ? { space: env.SLUICE_KIBANA_SPACE } : {}),
    },
    mail: {
      smtpUrl: env.SLUICE_SMTP_URL,
      from: env.SLUICE_MAIL_FROM,
      ...(env.SLUICE_INBOX_URL ? { inboxUrl: env.SLUICE_INBOX_URL } : {}),
      ...(env.SLUICE_SMTP_USER ? { user: env.SLUICE_SMTP_USER } : {}),
      ...(env.SLUICE_SMTP_PASSWORD ? { password: env.SLUICE_SMTP_PASSWORD } : {}),
      ...(env.SLUICE_SMTP_TLS ? { tls: env.SLUICE_SMTP_TLS } : {}),
      ...(env.SLUICE_SMTP_CA ? { ca: env.SLUICE_SMTP_CA } : {}),
    },
    alertAllow: env.SLUICE_ALERT_ALLOW,
    watch: {
      everyMs: env.SLUICE_WATCH_EVERY,
      temporalAfterMs: env.SLUICE_WATCH_TEMPORAL_AFTER,
      ...(env.SLUICE_DEADMAN_URL ? { deadman: env.SLUICE_DEADMAN_URL } : {}),
    },
    ...(env.SLUICE_API_URL ? { apiUrl: env.SLUICE_API_URL } : {}),
    ...(env.SLUICE_TEMPORAL_UI_URL ? { temporalUi: env.SLUICE_TEMPORAL_UI_URL } : {}),
    ...(env.SLUICE_TRACE_URL ? { traceUrl: env.SLUICE_TRACE_URL } : {}),
    ...(env.SLUICE_SPARK_URL
      ? {
          spark: {
            address: sparkAddress(env.SLUICE_SPARK_URL),
            ...(env.SLUICE_SPARK_TOKEN ? { token: env.SLUICE_SPARK_TOKEN } : {}),
            ...(env.SLUICE_SPARK_CA ? { ca: env.SLUICE_SPARK_CA } : {}),
            ...(env.SLUICE_SPARK_FROM_ROWS === undefined ? {} : { fromRows: env.SLUICE_SPARK_FROM_ROWS }),
            ...(env.SLUICE_SPARK_UI_URL ? { ui: env.SLUICE_SPARK_UI_URL } : {}),
          },
        }
      : {}),
    ...(env.SLUICE_SERVER_LOGS ? { serverLogs: env.SLUICE_SERVER_LOGS } : {}),
    ...(env.SLUICE_MAX_RUNS === undefined ? {} : { maxRuns: env.SLUICE_MAX_RUNS }),
    sourceAllow: env.SLUICE_SOURCE_ALLOW,
    fileRoots: env.SLUICE_FILE_ROOTS,
    s3Roots: env.SLUICE_S3_ROOTS,
    secrets: new Secrets(environment, env.SLUICE_SECRETS_DIR),
    ...(env.SLUICE_SSH_KNOWN_HOSTS ? { knownHosts: env.SLUICE_SSH_KNOWN_HOSTS } : {}),
    ...(env.SLUICE_LOCAL_COPIES ? { localCopies: env.SLUICE_LOCAL_COPIES } : {}),
    workDir: env.SLUICE_WORK_DIR,
  };
}

/** Kafka's own way of writing it: the chroot stands once, behind the last server. */
function zooKeeperOf(text: string): NonNullable<Settings['zookeeper']> {
  const [servers = '', ...chroot] = text.split('/');
  return { servers: servers.split(','), chroot: chroot.length === 0 ? '' : `/${chroot.join('/')}`.replace(/\/+$/, '') };
}
