/** Tells, as far as that can be had: what cannot be told is no reason for the work that it is about to fail. */
export function tellSafely(tell: () => void, failed: (why: unknown) => void): void {
  try {
    tell();
  } catch (error) {
    failed(error);
  }
}
