/**
 * The closed vocabulary of what can go wrong, and the one place that says what follows from it.
 *
 * - `retry`: worth another attempt (a server was away, a connection was cut).
 * - `final`: another attempt would fail alike; the run fails at once, in one sentence.
 * - `benign`: expected, and no failure for metrics or alerts.
 */
export const errorCodes = {
  // definition and settings
  DefinitionInvalid: 'final',
  SettingsInvalid: 'final',
  FixesInvalid: 'final',
  /** A dashboard that Kibana or the page could not show. */
  DashboardInvalid: 'final',
  HourUnknown: 'final',
  HourRemoved: 'final',
  /** No definition or schedule goes by the name, or several might be meant. */
  PipelineUnknown: 'final',
  StageNotReached: 'final',
  StageOutdated: 'final',
  // import
  SourceNotFound: 'final',
  SourceForbidden: 'final',
  SourceAddressRefused: 'final',
  SourceNotCsv: 'final',
  SourceEmpty: 'final',
  SourceTooLarge: 'final',
  SourceMalformed: 'final',
  SourceColumnMissing: 'final',
  SourceBytesInvalid: 'final',
  SourceCertificate: 'final',
  SourceRedirects: 'final',
  SourceHostKey: 'final',
  SecretRefused: 'final',
  SourceUnavailable: 'retry',
  SourceCut: 'retry',
  SourceStalled: 'retry',
  SourceTooSlow: 'retry',
  SourceLengthWrong: 'retry',
  SchemaDrift: 'final',
  ImportNotRecorded: 'final',
  // clean
  EngineFailed: 'retry',
  EngineUnfit: 'final',
  SparkUnavailable: 'retry',
  QualityBlocked: 'final',
  // servers and what they hold
  KafkaUnavailable: 'retry',
  ZooKeeperUnavailable: 'retry',
  StoreUnavailable: 'retry',
  StoreNotCreateOnce: 'final',
  ElasticsearchUnavailable: 'retry',
  MailUnavailable: 'retry',
  SlackUnavailable: 'retry',
  WebhookUnavailable: 'retry',
  /** A channel does not take this message at any time: another one is tried at once. */
  DeliveryRefused: 'final',
  KibanaUnavailable: 'retry',
  /** It took the request, and not what is in it. */
  KibanaRefused: 'final',
  TopicNotOurs: 'final',
  TopicMismatch: 'final',
  IndexMismatch: 'final',
  // streaming contract
  TopicRecreated: 'final',
  LogTruncated: 'final',
  RowsMissing: 'final',
  LossRefused: 'final',
  ObjectCorrupt: 'final',
  RecordConflict: 'final',
  PublishInterrupted: 'retry',
  ConsumerStalled: 'retry',
  /** The worker goes, not the work: another goes on with it. */
  WorkerShutdown: 'benign',
  DocumentsRefused: 'final',
  RowsUnaccounted: 'final',
  StackUnavailable: 'final',
  // control
  /** What was to be steered is not on its way. */
  NotRunning: 'final',
  /** It is on its way, and in no state for what was asked of it. */
  ControlRefused: 'final',
  /** No worker takes up what was asked of a workflow. */
  NoWorker: 'retry',
  /** A launch that a worker has taken up, and that has not come to an end in time: its run may still start. */
  LaunchPending: 'retry',
  /** An idempotency key that another launch has. */
  KeyReused: 'final',
  /** No such incident, or none any more. */
  IncidentUnknown: 'final',
  ScheduleUnknown: 'final',
  ScheduleContended: 'retry',
  /** Most of the time that a run or stage may take is over; it goes on. */
  DeadlineNear: 'benign',
  DeadlineExceeded: 'final',
  // HTTP API
  /** A request that cannot be read: its body, its parameters, its content type. */
  RequestInvalid: 'final',
  /** A request that may not be made: without the token, for another host, by a page of another site. */
  RequestRefused: 'final',
  /** No such address, or not by this method. */
  RouteUnknown: 'final',
  /** No such dashboard, or no such panel or filter of it. */
  DashboardUnknown: 'final',
  TooManyRequests: 'retry',
  Cancelled: 'benign',
  Unexpected: 'retry',
} as const satisfies Record<string, 'retry' | 'final' | 'benign'>;

export type ErrorCode = keyof typeof errorCodes;

/** Thrown with one sentence that says what was found, where, and what to do. Never holds a secret. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  /** Facts for programs: offsets, counts, names. JSON only. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; facts?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
  }
}

/** The sentence of anything that was thrown, without its stack. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.message || error.errors.map(sentenceOf).join('; ');
  }
  return error instanceof Error ? error.message || error.name : String(error);
}
