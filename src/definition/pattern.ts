import { SluiceError, sentenceOf } from './errors.ts';

/** A pattern of a definition, ready for all engines: RE2 (DuckDB), Java (Spark) and JavaScript. */
export interface Pattern {
  /** As written; RE2 reads it as it stands. */
  readonly re2: string;
  /** For the whole text. */
  readonly js: RegExp;
  /** The same in JavaScript's and in Java's own words, without anchors. */
  readonly jsSource: string;
  readonly java: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  // JavaScript's own \s knows more white space than RE2's.
  s: '\\t\\n\\f\\r ',
};
const PLAIN_ESCAPES = 'tnrfv';
const WORD = `[${ESCAPES['w']}]`;
/** Java's own \\b knows more letters than RE2's. */
const JAVA_BOUNDARY = {
  b: `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`,
  B: `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
} as const;
const RE2_REPEAT_LIMIT = 1_000;

/**
 * Compiles a pattern that RE2 (DuckDB), Java (Spark) and JavaScript understand alike, and refuses what they do not: look-around,
 * back-references, flags, named groups, possessive quantifiers, POSIX and Unicode classes.
 * @throws SluiceError `DefinitionInvalid`, naming the part that is not in the common subset.
 */
export function compilePattern(pattern: string): Pattern {
  const refuse = (what: string): SluiceError =>
    new SluiceError(
      'DefinitionInvalid',
      `The pattern ${JSON.stringify(pattern)} ${what}, which not every engine reads alike.`,
    );
  let js = '';
  let java = '';
  let at = 0;
  let inClass = false;
  while (at < pattern.length) {
    const char = pattern[at] ?? '';
    if (char === '\\') {
      const escaped = escape(pattern[at + 1] ?? '', inClass, refuse);
      js += escaped;
      java +=
        escaped === '\\v'
          ? '\\x0B'
          : escaped === '\\b' || escaped === '\\B'
            ? JAVA_BOUNDARY[escaped === '\\b' ? 'b' : 'B']
            : javaPlain(escaped, inClass);
      at += 2;
      continue;
    }
    if (inClass) {
      if (pattern.startsWith('[:', at)) throw refuse('has a POSIX class ([:…:])');
      if (char === ']') inClass = false;
      js += char === '[' ? '\\[' : char;
      java += javaPlain(char === '[' ? '\\[' : char, true);
      at++;
      continue;
    }
    if (char === '[') {
      const open = pattern[at + 1] === '^' ? '[^' : '[';
      if (pattern[at + open.length] === ']') throw refuse('has a class that begins with ]');
      inClass = true;
      js += open;
      java += open;
      at += open.length;
      continue;
    }
    if (char === '(' && pattern[at + 1] === '?' && pattern[at + 2] !== ':')
      throw refuse(`has a group (${pattern.slice(at + 1, at + 4)}…`);
    const repeat = /^\{(\d+)(?:,(\d*))?\}/.exec(pattern.slice(at));
    if (repeat && Math.max(Number(repeat[1]), Number(repeat[2] ?? 0)) > RE2_REPEAT_LIMIT) {
      throw refuse(`repeats more than ${RE2_REPEAT_LIMIT} times`);
    }
    if ((/[*+?]/.test(char) || repeat) && pattern[at + (repeat?.[0].length ?? 1)] === '+')
      throw refuse('has a possessive quantifier');
    const said = char === '.' ? '[^\\n]' : (repeat?.[0] ?? char);
    js += said;
    // Java's own ^ and $ also stand before a last line end.
    java += char === '^' ? '\\A' : char === '$' ? '\\z' : said;
    at += repeat?.[0].length ?? 1;
  }
  try {
    return { re2: pattern, js: new RegExp(`^(?:${js})$`, 'u'), jsSource: js, java };
  } catch (error) {
    throw new SluiceError(
      'DefinitionInvalid',
      `The pattern ${JSON.stringify(pattern)} cannot be read: ${sentenceOf(error)}.`,
      {
        cause: error,
      },
    );
  }
}

function escape(char: string, inClass: boolean, refuse: (what: string) => SluiceError): string {
  const set = ESCAPES[char.toLowerCase()];
  if (set !== undefined) {
    const negated = char !== char.toLowerCase();
    if (negated && inClass) throw refuse(`has \\${char} within a class`);
    return inClass ? set : `[${negated ? '^' : ''}${set}]`;
  }
  if (PLAIN_ESCAPES.includes(char) && char !== '') return `\\${char}`;
  if ((char === 'b' || char === 'B') && !inClass) return `\\${char}`;
  if (/[!-/:-@[-`{-~]/.test(char)) {
    const syntax = inClass ? /[\\\]^-]/ : /[$()*+./?[\\\]^{|}]/;
    return syntax.test(char) ? `\\${char}` : char;
  }
  throw refuse(char === '' ? 'ends with a backslash' : `has \\${char}`);
}

/** In Java, & and # have meanings of their own within a class. */
function javaPlain(char: string, inClass: boolean): string {
  return inClass && (char === '&' || char === '#') ? `\\${char}` : char;
}

/**
 * A pattern whose matches are replaced. It may match neither nothing nor a word boundary alone: engines go on behind an
 * empty match in different ways.
 * @throws SluiceError `DefinitionInvalid`
 */
export function compileReplaced(pattern: string): Pattern {
  const compiled = compilePattern(pattern);
  const bare = pattern.replaceAll(/\\[^bB]/g, '').replaceAll(/\[[^\]]*\]/g, '');
  if (compiled.js.test('') || /\\[bB]|[$^]/.test(bare)) {
    throw new SluiceError(
      'DefinitionInvalid',
      `The pattern ${JSON.stringify(pattern)} of a replacement matches an empty text or has an anchor, which not every engine replaces alike.`,
    );
  }
  return compiled;
}
