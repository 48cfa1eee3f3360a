/** What `sluice worker` can be told, by option or by environment variable. */
export interface WorkerFlag {
  /** As commander writes options: `--queues <list>`. */
  readonly flags: string;
  /** Of the same meaning; an option that is given wins. */
  readonly variable: string;
  readonly help: string;
}

/** Kept apart from the schema, so that the help has it without loading more. The two last are the names of Temporal's Worker Controller. */
export const workerFlags: readonly WorkerFlag[] = [
  {
    flags: '--queues <list>',
    variable: 'SLUICE_WORKER_QUEUES',
    help: 'which task queues, each with the number of activities at a time (default: light=20,compute=2,streaming=50,watch=20)',
  },
  {
    flags: '--grace <duration>',
    variable: 'SLUICE_WORKER_GRACE',
    help: 'how long what is short may come to its end once the worker is told to stop (default: 5s)',
  },
  {
    flags: '--force-after <duration>',
    variable: 'SLUICE_WORKER_FORCE_AFTER',
    help: 'when a worker that was told to stop leaves behind what does not stop (default: 20s)',
  },
  {
    flags: '--health <[host:]port>',
    variable: 'SLUICE_WORKER_HEALTH',
    help: 'answer /healthz and /readyz there, on loopback where no host is named (default: nowhere)',
  },
  {
    flags: '--metrics <[host:]port>',
    variable: 'SLUICE_WORKER_METRICS',
    help: 'answer /metrics for Prometheus there, on loopback where no host is named; 0 for any free port (default: nowhere)',
  },
  {
    flags: '--bundle <file>',
    variable: 'SLUICE_WORKER_BUNDLE',
    help: 'workflows as "sluice bundle" has written them (default: they are bundled at each start)',
  },
  {
    flags: '--deployment <name>',
    variable: 'TEMPORAL_DEPLOYMENT_NAME',
    help: 'be a version of this worker deployment; needs --build-id',
  },
  {
    flags: '--build-id <id>',
    variable: 'TEMPORAL_WORKER_BUILD_ID',
    help: 'which version',
  },
];

/** `--queues <list>` → `--queues`. */
export const flagName = ({ flags }: WorkerFlag): string => flags.split(' ')[0] ?? flags;
