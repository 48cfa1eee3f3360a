/** Every version of the local stack, in one place. The cache is keyed by them. */
export const versions = {
  /** The CLI that carries server 1.29.1 and Web UI 2.42.1; newer ones do not install by `go install`. */
  temporal: 'v1.5.1',
  /** The last commit of the archived repository: it has the fix for conditional writes without a read quorum. */
  minio: 'v0.0.0-20260212201848-7aac2a2c5b7c',
  mailpit: 'v1.27.11',
  kafka: '4.1.1',
  elasticsearch: '9.2.0',
} as const;

/** Oldest tools that the stack can be built and run with. */
export const needs = { jdk: 21, go: '1.24' } as const;

export const serverNames = ['temporal', 'minio', 'mailpit', 'kafka', 'elasticsearch'] as const;
export type ServerName = (typeof serverNames)[number];
