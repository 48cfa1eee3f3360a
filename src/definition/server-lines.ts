/** Servers of the local stack whose logs are looked at. */
export const loggedServers = ['kafka', 'spark', 'elasticsearch', 'minio', 'temporal', 'zookeeper'] as const;
export type LoggedServer = (typeof loggedServers)[number];

/** A line of a server's log that says that something is wrong. */
export interface ServerLine {
  readonly server: LoggedServer;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly level: 'warn' | 'error';
  readonly text: string;
}

/** What a server said in a stretch of time. */
export interface ServerLines {
  readonly server: LoggedServer;
  readonly lines: readonly ServerLine[];
  /** So many more were left out. */
  readonly left: number;
}
