import { SluiceError } from '../../../definition/errors.ts';

/** What is waited for no longer than that, so that one server which is silent keeps nobody from looking at the others. @throws SluiceError `Unexpected` */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SluiceError('Unexpected', `No answer within ${ms / 1_000} s.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
