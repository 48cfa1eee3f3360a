/** What stands in place of a secret. */
const HIDDEN = '***';

/** Shorter ones would take words of sentences along. */
const LEAST = 4;

/** Variables that hold a secret by their name: keys, tokens, passwords, SLUICE_SECRET_NAME, whatever that name ends in. Where secrets lie, or may go, is none. */
const holdsSecret =
  /(SECRET|TOKEN|PASSWORD|PASSPHRASE|API_KEY|PRIVATE_KEY|CLIENT_KEY_DATA|WEBHOOK|DEADMAN|OTLP_(?:TRACES_)?HEADERS)/;
const holdsNone = /_HOSTS$|^(?!SLUICE_SECRET_).*_(DIR|FILE|PATH|CA)$/;

const patterns: readonly (readonly [RegExp, string])[] = [
  // A login in an address.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{4,}/gi, `$1 ${HIDDEN}`],
  [/(hooks\.slack\.com\/(?:services|triggers|workflows)\/)[^\s"'\\)]+/gi, `$1${HIDDEN}`],
  // In a query, in a header or in JSON, itself perhaps in a string of JSON.
  [
    /((?:password|passwd|secret|token|api[-_]?key|authorization|signature|x-amz-(?:signature|credential|security-token))\\?["']?\s*[=:]\s*\\?["']?)(?!\*\*\*|bearer|basic)[^\s&"'\\,;})]{4,}/gi,
    `$1${HIDDEN}`,
  ],
];

/**
 * Takes secrets out of texts that are written down: the values that this process was given, as they are, in JSON, in an address and in base64; and
 * whatever looks like a login.
 * @param environment what the process was given
 * @param further takes out what the process has obtained since
 */
export function redactor(
  environment: Readonly<Record<string, string | undefined>>,
  further: (text: string) => string = (text) => text,
): (text: string) => string {
  const values = [...new Set(Object.entries(environment).flatMap(([name, value]) => secretsIn(name, value ?? '')))]
    .flatMap(writtenForms)
    // The longer first: one may be a part of another.
    .toSorted((a, b) => b.length - a.length);
  return (text) => {
    let clean = further(text);
    for (const value of values) clean = clean.replaceAll(value, HIDDEN);
    for (const [pattern, instead] of patterns) clean = clean.replaceAll(pattern, instead);
    return clean;
  };
}

function secretsIn(name: string, value: string): string[] {
  const found = holdsSecret.test(name) && !holdsNone.test(name) ? [value] : [];
  const login = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@]*?:([^\s/@]+)@/i.exec(value)?.[1];
  const all = login === undefined ? found : [...found, login, decoded(login)];
  return all.filter((secret) => secret.length >= LEAST);
}

function writtenForms(secret: string): string[] {
  const forms = [
    ...[secret, JSON.stringify(secret).slice(1, -1), JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ...[encodeURIComponent(secret.toWellFormed()), Buffer.from(secret).toString('base64')],
  ];
  return [...new Set(forms)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
