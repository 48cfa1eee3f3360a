import { stripVTControlCharacters, styleText } from 'node:util';
import { countText } from '../../definition/amounts.ts';
import type { RunReport } from '../../workflows/messages.ts';

const stream = process.stderr;

/** Lines on stderr: lasting ones, and on a terminal some at the bottom that are written over. */
export class Screen {
  #live: readonly string[] = [];

  say(line: string): void {
    this.#clear();
    stream.write(`${line}\n`);
    this.#draw();
  }

  /** What happens now. Without a terminal nothing is shown: the lasting lines say enough. */
  live(...lines: readonly string[]): void {
    if (!stream.isTTY) return;
    this.#clear();
    this.#live = lines.map((line) => cut(line, Math.max(20, stream.columns - 1)));
    this.#draw();
  }

  end(): void {
    this.#clear();
    this.#live = [];
  }

  #draw(): void {
    stream.write(this.#live.join('\n'));
  }

  #clear(): void {
    if (this.#live.length === 0) return;
    const up = this.#live.length - 1;
    stream.write(`\r${up > 0 ? `\u001B[${up}A` : ''}\u001B[0J`);
  }
}

/** At most so many columns; a line that is cut ends in `…`. Colours take no column, and are closed. */
export function cut(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line;
  let left = columns - 1;
  // Codes and what is between them, by turns.
  const parts = line.split(colourCode).map((part, n) => {
    if (n % 2 === 1) return part;
    const kept = part.slice(0, left);
    left -= kept.length;
    return kept;
  });
  return `${parts.join('')}…`;
}

// eslint-disable-next-line no-control-regex -- that is what they begin with
const colourCode = /(\u001B\[[0-9;]*m)/;

/** Text in a style where that stream takes colours: a terminal, unless NO_COLOR is set, or FORCE_COLOR is. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
export const styled = (style: Style, text: string, to: NodeJS.WriteStream = stream): string =>
  styleText(style, text, { stream: to });
/** For what goes to stderr. */
export const bold = (text: string): string => styled('bold', text);
/** For what goes to stdout. */
export const boldOut = (text: string): string => styled('bold', text, process.stdout);
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
/** A number with its thousands marked. */
export const count = countText;

/** What these lines are made of: a report, of a run that may be on its way. */
type Reported = Omit<RunReport, 'outcome' | 'endedAt'>;

/** The row equation of each data set, as two lines. */
export function equationLines({ equations }: Reported, to: NodeJS.WriteStream = stream): string[] {
  return equations.flatMap(({ dataset, rows, holds, broken }) => [
    `${styled('bold', dataset, to)}: read ${count(rows.read)} = clean ${count(rows.clean)} + duplicates ${count(rows.duplicates)} + ` +
      `filtered ${count(rows.filtered)} + rejected ${count(rows.rejected)}`,
    `${' '.repeat(dataset.length)}  clean ${count(rows.clean)} = published ${count(rows.published)} = landed ${count(rows.landed)} = ` +
      `indexed ${count(rows.indexed)}   ${holds ? 'holds' : `DOES NOT HOLD: ${broken ?? ''}`}`,
  ]);
}

/** What was made or changed for the run, and what stands otherwise than the definition says. */
export function preparedLines({ prepared }: Reported): string[] {
  return [
    ...(prepared?.changes ?? []).map((change) => `prepared: ${change}`),
    ...(prepared?.warnings ?? []).map((warning) => `warning: ${warning}`),
  ];
}

/** What the import had to say, and that an hour repeats another. */
export function importLines({ source, sameAs }: Reported): string[] {
  return [
    ...(source?.notes ?? []).map((note) => `note: ${note}`),
    ...(source?.notModifiedSince === undefined
      ? []
      : [`the source has not changed since ${source.notModifiedSince}; nothing was fetched`]),
    ...(sameAs === undefined
      ? []
      : [
          `unchanged: the file and the definition are those of ${sameAs}; nothing was published (--force does it all the same)`,
        ]),
  ];
}

/** Which hours a run made stale, in one line. */
export function staleLines({ hour, madeStale }: Reported): string[] {
  if (!madeStale) return [];
  const { hours, count: later, itself } = madeStale;
  const named = hours.slice(0, 3).join(', ') + (later > 3 ? ` and ${count(later - 3)} more` : '');
  const what = [
    ...(later > 0 ? [`${count(later)} later ${later === 1 ? 'hour' : 'hours'} (${named})`] : []),
    ...(itself ? [`${hour} itself, as an earlier hour was committed meanwhile`] : []),
  ];
  const them = later + (itself ? 1 : 0) === 1 ? 'it' : 'them';
  return [`stale now: ${what.join(', and ')}; run ${them} again, --force is not needed`];
}

/** A line every two seconds where there is no terminal, at once where there is one. */
export function paced(screen: Screen, file: string): (note: string) => void {
  let told = Date.now();
  return (note) => {
    screen.live(`${file}: ${note}`);
    if (stream.isTTY || Date.now() - told < 2_000) return;
    told = Date.now();
    screen.say(`${file}: ${note}`);
  };
}
