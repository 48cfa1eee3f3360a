import { grammars, LOCAL_TIMESTAMP } from '../../definition/lexical.ts';
import { months, type TimeForm, type TimePart } from '../../definition/time-format.ts';

/** What `ISO` stands for: a date, or a timestamp with or without its zone. */
export const ISO_GRAMMAR = `${grammars.date}|${grammars.timestamp}|${LOCAL_TIMESTAMP}`;

const compiled = new Map<string, RegExp>();

function wholeMatch(grammar: string): RegExp {
  const before = compiled.get(grammar);
  if (before) return before;
  const made = new RegExp(`^(?:${grammar})$`);
  compiled.set(grammar, made);
  return made;
}

/** The ISO text of the first form that fits; undefined where none does. Whether the day exists is not looked at. */
export function assembled(forms: readonly TimeForm[], text: string): string | undefined {
  for (const form of forms) {
    if (form.kind === 'iso') {
      if (wholeMatch(ISO_GRAMMAR).test(text)) return text;
      continue;
    }
    const match = wholeMatch(form.grammar).exec(text);
    if (!match) continue;
    if (form.kind === 'unix') return new Date(Number(text) * (form.milliseconds ? 1 : 1_000)).toISOString();
    return form.parts.map((part) => partText(part, (group) => match[group] ?? '')).join('');
  }
  return undefined;
}

function partText(part: TimePart, of: (group: number) => string): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'digits':
      return of(part.group).padStart(2, '0');
    case 'as-is':
      return of(part.group);
    case 'century':
      return (of(part.group) < '69' ? '20' : '19') + of(part.group);
    case 'month':
      return String(months.findIndex((name) => name === of(part.group).slice(0, 3).toLowerCase()) + 1).padStart(2, '0');
    case 'hour12': {
      const afternoon = of(part.half).toLowerCase() === 'pm' ? 12 : 0;
      return String((Number(of(part.group)) % 12) + afternoon).padStart(2, '0');
    }
  }
}
