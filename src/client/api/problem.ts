import { STATUS_CODES } from 'node:http';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorCodes, SluiceError, sentenceOf, type ErrorCode } from '../../definition/errors.ts';
import { grpcCode } from '../grpc-code.ts';

/** The status that goes with a code; 500 for what is not here: it is nothing that who asked could have done otherwise. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  RequestInvalid: 400,
  RequestRefused: 403,
  PipelineUnknown: 404,
  ScheduleUnknown: 404,
  IncidentUnknown: 404,
  HourUnknown: 404,
  RouteUnknown: 404,
  DashboardUnknown: 404,
  NotRunning: 409,
  ControlRefused: 409,
  ImportNotRecorded: 409,
  LossRefused: 409,
  ScheduleContended: 409,
  StageNotReached: 409,
  StageOutdated: 409,
  Cancelled: 409,
  HourRemoved: 410,
  // Well formed, and yet not to be had.
  DefinitionInvalid: 422,
  DashboardInvalid: 422,
  KeyReused: 422,
  TooManyRequests: 429,
  NoWorker: 503,
  LaunchPending: 504,
  StackUnavailable: 503,
  StoreUnavailable: 503,
  KafkaUnavailable: 503,
  ElasticsearchUnavailable: 503,
};

const finding = z.object({ path: z.string().describe('`body.hour`'), message: z.string() });

/** An error as everything but `/trigger-pipeline` tells it: RFC 9457. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('What the status means.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('One sentence: what was found, where, and what to do.'),
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]).describe('For programs; the list is closed.'),
    errors: z.array(finding).optional().describe('Of a request that cannot be read: everything that is wrong with it.'),
  })
  .meta({ id: 'Problem' });

export type HttpProblem = z.output<typeof problemSchema>;

/** Thrown where a request is refused before anything is done, with the status that says so best. */
export class RequestError extends SluiceError {
  readonly statusCode: number;

  constructor(statusCode: number, code: ErrorCode, message: string) {
    super(code, message);
    this.statusCode = statusCode;
  }
}

const UNANSWERED: readonly number[] = [1, 4, 14];
const NOT_LET_IN: readonly number[] = [7, 16];

/** How an error is told to whoever asked: never more than its sentence, and of what nobody foresaw not even that. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof SluiceError) {
    const status = error instanceof RequestError ? error.statusCode : (statuses[error.code] ?? 500);
    return problem(status, error.code, error.message);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const context = error.validationContext ?? 'body';
    const errors = error.validation.map(({ instancePath, message = 'is not valid' }) => ({
      path: [context, ...instancePath.split('/')].filter((part) => part !== '').join('.'),
      message,
    }));
    const all = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    return { ...problem(400, 'RequestInvalid', `The request is not valid: ${all}.`), errors };
  }
  const grpc = grpcCode(error);
  if (grpc !== undefined && UNANSWERED.includes(grpc))
    return problem(503, 'StackUnavailable', 'Temporal does not answer at the moment: try again.');
  if (grpc !== undefined && NOT_LET_IN.includes(grpc))
    return problem(503, 'StackUnavailable', 'Temporal does not let this API in: look at its TEMPORAL_* variables.');
  const { statusCode, code } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_HANDLER_TIMEOUT')
    return problem(503, 'StackUnavailable', 'No answer could be had in time: try again.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return problem(statusCode, codeOf(statusCode), refusals[statusCode] ?? `${sentenceOf(error).replace(/\.+$/, '')}.`);
  return problem(500, 'Unexpected', 'Something went wrong in the API itself: its log says what.');
}

/** In our words, where those of the HTTP framework say less. */
const refusals: Readonly<Record<number, string>> = {
  401: 'This API wants its token: send "Authorization: Bearer <token>".',
  413: 'The body is larger than this API takes.',
  415: 'The body must be JSON: send "Content-Type: application/json".',
};

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'RequestRefused';
  return status === 429 ? 'TooManyRequests' : 'RequestInvalid';
}

function problem(status: number, code: ErrorCode, detail: string): HttpProblem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The answers of a route: its own, and problem details for whatever else. */
export const answers = <Schema extends z.ZodType>(schema: Schema, description = 'Done.') => ({
  200: { description, content: { 'application/json': { schema } } },
  default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
});
