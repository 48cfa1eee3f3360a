/** Addresses of these stand in an import record with their escapes. */
const ESCAPED = /^(?:https?|sftp):\/\//i;

/**
 * The name of a file without its folders: the last part of its address, or path, as an import record has it. Pages of CSV
 * are called as their address is.
 */
export function fileNameOf(address: string): string {
  const escaped = ESCAPED.test(address);
  // An address has no blank of its own, a path may.
  const whole = escaped ? address.replace(/, page [0-9]+$/, '') : address;
  const last = whole.split('/').findLast((part) => part !== '') ?? whole;
  if (escaped) return unescaped(last);
  // What decodeURI, which made the rest readable, leaves as it is.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? last.replaceAll('%23', '#').replaceAll('%3F', '?') : last;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
