import { styleText } from 'node:util';
import type { RunReport } from '../../workflows/messages.ts';

const stream = process.stderr;

/** Lines on stderr: lasting ones, and on a terminal one at the bottom that is written over. */
export class Screen {
  #live = '';

  say(line: string): void {
    this.#clear();
    stream.write(`${line}\n`);
    if (this.#live !== '') stream.write(this.#live);
  }

  /** What happens now. Without a terminal nothing is shown: the lasting lines say enough. */
  live(text: string): void {
    if (!stream.isTTY) return;
    this.#clear();
    this.#live = text.slice(0, Math.max(20, (stream.columns ?? 80) - 1));
    stream.write(this.#live);
  }

  end(): void {
    this.#clear();
    this.#live = '';
  }

  #clear(): void {
    if (this.#live !== '') stream.write('\r\u001B[2K');
  }
}

export const bold = (text: string): string => styleText('bold', text, { stream });
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
/** A number with its thousands marked. */
export const count = (n: number): string => n.toLocaleString('en-US');

/** The row equation of each data set, as two lines. */
export function equationLines({ equations }: RunReport): string[] {
  return equations.flatMap(({ dataset, rows, holds, broken }) => [
    `${bold(dataset)}: read ${count(rows.read)} = clean ${count(rows.clean)} + duplicates ${count(rows.duplicates)} + ` +
      `filtered ${count(rows.filtered)} + rejected ${count(rows.rejected)}`,
    `${' '.repeat(dataset.length)}  clean ${count(rows.clean)} = published ${count(rows.published)} = landed ${count(rows.landed)} = ` +
      `indexed ${count(rows.indexed)}   ${holds ? 'holds' : `DOES NOT HOLD: ${broken ?? ''}`}`,
  ]);
}

/** What was made or changed for the run, and what stands otherwise than the definition says. */
export function preparedLines({ prepared }: RunReport): string[] {
  return [
    ...(prepared?.changes ?? []).map((change) => `prepared: ${change}`),
    ...(prepared?.warnings ?? []).map((warning) => `warning: ${warning}`),
  ];
}

/** What the import had to say, and that an hour repeats another. */
export function importLines({ source, sameAs }: RunReport): string[] {
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
export function staleLines({ hour, madeStale }: RunReport): string[] {
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
