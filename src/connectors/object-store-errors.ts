import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { ObjectRef } from '../definition/refs.ts';

const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchBucket']);
const REFUSED = new Set(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch']);

/** S3's word for what went wrong; empty where the server gave none. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Whether there is no such object, or no bucket yet. */
export const isMissing = (error: unknown): boolean => MISSING.has(codeOf(error));

/** What a failed request comes to; what is no failure of the store stays as it is. @param what the object or bucket it was about */
export function storeError(endpoint: string, what: string, error: unknown): unknown {
  if (error instanceof SluiceError || (error instanceof Error && error.name === 'AbortError')) return error;
  const code = codeOf(error);
  if (REFUSED.has(code)) {
    return new SluiceError(
      'SettingsInvalid',
      `The object store at ${endpoint} refused ${what} (${code}): check SLUICE_S3_ACCESS_KEY and SLUICE_S3_SECRET_KEY.`,
      { cause: error },
    );
  }
  const sentence = `The object store at ${endpoint} failed on ${what}: ${code || sentenceOf(error)}.`;
  return new SluiceError('StoreUnavailable', sentence, { cause: error });
}

/** @throws SluiceError `ObjectCorrupt` where an object's bytes are not those of its reference */
export function checkHash(ref: ObjectRef, sha256: string): void {
  if (sha256 === ref.sha256) return;
  throw new SluiceError('ObjectCorrupt', `${ref.uri} has sha256 ${sha256}, not ${ref.sha256}: it was changed or cut.`);
}
