import { isGrpcServiceError } from '@temporalio/client';

export const INVALID_ARGUMENT = 3;
export const NOT_FOUND = 5;

/** The gRPC code of what the SDK threw, wrapped or not. */
export function grpcCode(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcCode(error.cause) : undefined;
}
