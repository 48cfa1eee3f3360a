import { LOCAL_TIMESTAMP } from '../../definition/lexical.ts';
import type { Pattern } from '../../definition/pattern.ts';
import type { TimeForm } from '../../definition/time-format.ts';
import type { LocalOffset } from '../../definition/zone-offsets.ts';
import { caseTable } from './letter-case.ts';
import { assembled } from './written-time.ts';
import { plainNumber, type WrittenNumber } from './written-number.ts';

/** What is done to the text of a cell before it is judged, one step after the other. */
export type TextStep =
  | { readonly kind: 'trim' }
  | { readonly kind: 'normalise' }
  | { readonly kind: 'find'; readonly find: string; readonly by: string }
  | { readonly kind: 'pattern'; readonly pattern: Pattern; readonly by: string }
  | { readonly kind: 'case'; readonly to: 'upper' | 'lower' }
  /** These texts mean: no value. */
  | { readonly kind: 'missing'; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly written: WrittenNumber }
  | { readonly kind: 'time'; readonly forms: readonly TimeForm[] }
  | { readonly kind: 'zone'; readonly offsets: readonly LocalOffset[] }
  | { readonly kind: 'pad'; readonly width: number };

/** What JavaScript's `trim` takes off. */
export const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/** What stands for a text that is written in none of the declared ways: no type takes it, and so the row is rejected. */
export const NO_TIME = 'no time';

const localTimestamp = new RegExp(`^(?:${LOCAL_TIMESTAMP})$`);

/** One step; null where the text means: no value. */
export function applyStep(step: TextStep, text: string): string | null {
  switch (step.kind) {
    case 'trim':
      return text.trim();
    case 'normalise':
      return text.normalize('NFC');
    case 'find':
      return text.replaceAll(step.find, () => step.by);
    case 'pattern':
      return text.replaceAll(new RegExp(step.pattern.jsSource, 'gu'), () => step.by);
    case 'case': {
      const { map } = caseTable(step.to);
      return Array.from(text, (letter) => map.get(letter) ?? letter).join('');
    }
    case 'missing':
      return step.words.includes(text) ? null : text;
    case 'number':
      return plainNumber(step.written, text);
    case 'time':
      return assembled(step.forms, text) ?? NO_TIME;
    case 'zone':
      return localTimestamp.test(text) ? zoned(step.offsets, text) : text;
    case 'pad': {
      const length = Array.from(text).length;
      return length < step.width ? '0'.repeat(step.width - length) + text : text;
    }
  }
}

function zoned(offsets: readonly LocalOffset[], text: string): string {
  const local = localSecond(text);
  const { offset } = offsets.findLast(({ from }) => from <= local) ?? { offset: null };
  return offset === null ? NO_TIME : text + offset;
}

const localSecond = (text: string): string => `${text.slice(0, 10)}T${`${text}:00`.slice(11, 19)}`;

/** All steps of a column. */
export function applySteps(steps: readonly TextStep[], source: string): string | null {
  let text: string | null = source;
  for (const step of steps) {
    if (text === null) return null;
    text = applyStep(step, text);
  }
  return text;
}
