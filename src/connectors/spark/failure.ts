import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { status, type ServiceError } from '@grpc/grpc-js';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { ErrorInfoSchema } from './generated/google/rpc/error_details_pb.js';
import { StatusSchema } from './generated/google/rpc/status_pb.js';

/** What Spark says of an error beside its text. */
export interface SparkFailure {
  /** `UNRESOLVED_COLUMN.WITH_SUGGESTION`; empty where the failure is none of Spark's. */
  readonly errorClass: string;
  /** By which the whole text can be asked for. */
  readonly errorId: string | undefined;
  readonly text: string;
  readonly grpcCode: number | undefined;
}

/** The server no longer knows a session or a query of ours: what was asked of it has to be asked anew. */
export class SparkSessionLost extends Error {
  override readonly name = 'SparkSessionLost';
}

/** Another process reads the answers of a query of ours: it goes on with the session, and the session is its. */
export class SparkSessionTaken extends Error {
  override readonly name = 'SparkSessionTaken';
}

/** Statuses with which a connection ends that may come back. */
const PASSING: readonly number[] = [
  status.UNAVAILABLE,
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
];

/** What Node says of certificates that it does not take. */
const CERTIFICATE = /certificate|altnames/i;

export function readFailure(error: unknown): SparkFailure {
  const { code, details, metadata } = error as Partial<ServiceError>;
  const [packed] = metadata?.get('grpc-status-details-bin') ?? [];
  let errorId: string | undefined;
  let errorClass = '';
  if (packed instanceof Uint8Array) {
    for (const detail of fromBinary(StatusSchema, packed).details) {
      const info = anyUnpack(detail, ErrorInfoSchema);
      errorId ??= info?.metadata['errorId'];
      errorClass ||= info?.metadata['errorClass'] ?? '';
    }
  }
  const text = details === undefined || details === '' ? sentenceOf(error) : details;
  errorClass ||= /^\[([A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]/.exec(text)?.[1] ?? '';
  return { errorClass, errorId, text, grpcCode: code };
}

/** Whether the stream broke and the query may go on without it. */
export function isPassing({ errorClass, grpcCode, text }: SparkFailure): boolean {
  // A proxy or a server that goes away resets streams in the middle.
  const reset = grpcCode === status.INTERNAL && /RST_STREAM|ECONNRESET|premature/i.test(text);
  return (
    errorClass === '' && grpcCode !== undefined && (PASSING.includes(grpcCode) || reset) && !CERTIFICATE.test(text)
  );
}

/** `INVALID_HANDLE.…`, by its second half: `SESSION_NOT_FOUND`, `OPERATION_NOT_FOUND`, `OPERATION_ALREADY_EXISTS` … */
export const handleProblem = ({ errorClass }: SparkFailure): string | undefined =>
  /^INVALID_HANDLE\.(.+)$/.exec(errorClass)?.[1];

/** A query has one reader: the newest. */
export const isTaken = ({ errorClass }: SparkFailure): boolean => errorClass === 'INVALID_CURSOR.DISCONNECTED';

/** The error for whoever asked. @param full Spark's whole text, where it was asked for. */
export function sparkError(where: string, failure: SparkFailure, cause: unknown, full?: string): SluiceError {
  const { grpcCode } = failure;
  if (grpcCode === status.UNAUTHENTICATED || grpcCode === status.PERMISSION_DENIED) {
    const sentence = `The Spark server at ${where} refuses us: check SLUICE_SPARK_TOKEN.`;
    return new SluiceError('SettingsInvalid', sentence, { cause });
  }
  if (failure.errorClass === '' && CERTIFICATE.test(failure.text)) {
    const sentence = `The Spark server at ${where} shows a certificate that nobody vouches for (${lastError(failure.text)}): set SLUICE_SPARK_CA.`;
    return new SluiceError('SettingsInvalid', sentence, { cause });
  }
  if (isPassing(failure)) {
    return new SluiceError(
      'SparkUnavailable',
      `The Spark server at ${where} does not answer: ${lastError(failure.text)}.`,
      {
        cause,
      },
    );
  }
  const said = textOf(full ?? failure.text);
  return new SluiceError('EngineFailed', `Spark failed: ${said.length > 2_000 ? `${said.slice(0, 1_999)}…` : said}`, {
    cause,
    facts: { errorClass: failure.errorClass },
  });
}

/** What the library says of a connection, without what it says around it. */
const lastError = (text: string): string =>
  /Last error: (?:Error: )?(.+?)\.? Resolution note:/.exec(text)?.[1] ?? text.replace(/\.$/, '');

/** Spark's text in one line, without the stack that stands behind it. */
function textOf(text: string): string {
  const [beginning = ''] = text.split(/\n\s*at [\w.$]+[(/]|\nDriver stacktrace:/);
  return beginning.replaceAll(/\s*\n\s*/g, ' ').trim();
}
