import { writeFile } from 'node:fs/promises';
import { KafkaConnector } from '../../connectors/kafka.ts';
import { kafkaLog } from '../../connectors/kafka-log.ts';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { deadLetterTopic, mainDataset } from '../../definition/names.ts';
import { streamOf, type Stream } from '../../definition/streams.ts';
import { readDeadLetters, replayDeadLetters, type DeadLetterView, type Which } from '../../inspecting/dead-letters.ts';
import { pipelineOf } from './pipelines.ts';
import { boldOut, Screen, count } from './screen.ts';

export interface DlqFlags {
  readonly dataset?: string;
  readonly reason?: string;
  readonly at?: readonly string[];
  readonly json?: boolean;
}

export interface DlqShowFlags extends DlqFlags {
  readonly limit: number;
  readonly out?: string;
}

export interface DlqReplayFlags extends DlqFlags {
  readonly dryRun?: boolean;
}

/** `sluice dlq list`: how many, why, since when. */
export async function list(file: string, flags: DlqFlags): Promise<number> {
  const { stream, letters } = await found(file, flags);
  const reasons = new Map<string, DeadLetterView[]>();
  for (const letter of letters) reasons.set(letter.reason, [...(reasons.get(letter.reason) ?? []), letter]);
  const rows = [...reasons].map(([reason, of]) => ({
    reason,
    count: of.length,
    replayed: of.filter(({ replayed }) => replayed).length,
    first: of[0]?.time,
    last: of.at(-1)?.time,
    example: of.at(-1)?.explanation,
  }));
  if (flags.json) process.stdout.write(`${JSON.stringify({ topic: deadLetterTopic(stream.topic), reasons: rows })}\n`);
  else if (rows.length === 0) process.stdout.write(`No dead letters in ${deadLetterTopic(stream.topic)}.\n`);
  else
    for (const row of rows)
      process.stdout.write(
        `${boldOut(row.reason)}  ${count(row.count)}, ${count(row.replayed)} of them replayed, ${row.first} to ${row.last}\n` +
          `    ${row.example}\n`,
      );
  return 0;
}

/** `sluice dlq show`: the records themselves. */
export async function show(file: string, flags: DlqShowFlags): Promise<number> {
  const { letters } = await found(file, flags);
  if (flags.out !== undefined) {
    await writeFile(flags.out, letters.map((letter) => `${JSON.stringify(plain(letter))}\n`).join(''));
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ letters: letters.length, out: flags.out })}\n`
        : `${count(letters.length)} records written to ${flags.out}\n`,
    );
    return 0;
  }
  const some = letters.slice(-flags.limit);
  if (flags.json) process.stdout.write(`${JSON.stringify({ letters: some.map(plain), of: letters.length })}\n`);
  else {
    for (const letter of some) process.stdout.write(`${lines(letter).join('\n')}\n`);
    if (some.length < letters.length)
      process.stdout.write(
        `… the newest ${count(some.length)} of ${count(letters.length)}; --out FILE writes all of them.\n`,
      );
    if (letters.length === 0) process.stdout.write('No dead letters of that kind.\n');
  }
  return 0;
}

/** `sluice dlq replay`: to their topic again, after what stood in their way was mended. */
export async function replay(file: string, flags: DlqReplayFlags): Promise<number> {
  const { stream, letters, deps } = await found(file, flags);
  const due = letters.filter(({ replayed }) => !replayed);
  const screen = new Screen();
  const sent = flags.dryRun
    ? 0
    : await replayDeadLetters(deps, stream, due, (n) => screen.live(`sent ${count(n)} of ${count(due.length)}`));
  screen.end();
  const already = letters.length - due.length;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ sent, due: due.length, replayedBefore: already, dryRun: flags.dryRun === true })}\n`
      : `${flags.dryRun ? `${count(due.length)} would be sent` : `${count(sent)} sent`} to ${stream.topic}; ${count(already)} had been before.\n`,
  );
  return 0;
}

async function found(file: string, { dataset, reason, at }: DlqFlags) {
  const stream: Stream = streamOf(await pipelineOf(file), dataset ?? mainDataset);
  const settings = readSettings(process.env);
  const deps = { store: new ObjectStore(settings.store), log: kafkaLog(new KafkaConnector(settings.kafka)) };
  const which: Which = { ...(reason === undefined ? {} : { reason }), ...(at === undefined ? {} : { at }) };
  return { stream, deps, letters: await readDeadLetters(deps, stream, which, new AbortController().signal) };
}

/** Bytes that are no text are shown as base64. */
function text(bytes: Buffer | null): { text?: string; base64?: string } | null {
  if (bytes === null) return null;
  const decoded = bytes.toString();
  return Buffer.from(decoded).equals(bytes) ? { text: decoded } : { base64: bytes.toString('base64') };
}

const plain = (letter: DeadLetterView) => ({ ...letter, key: text(letter.key), value: text(letter.value) });

function lines({
  partition,
  offset,
  time,
  reason,
  explanation,
  key,
  value,
  headers,
  replayed,
}: DeadLetterView): string[] {
  const shown = (bytes: Buffer | null): string => {
    const as = text(bytes);
    return as === null ? 'null' : JSON.stringify(as.text ?? `base64 ${as.base64}`).slice(0, 200);
  };
  return [
    `${boldOut(`${partition}:${offset}`)}  ${time}  ${reason}${replayed ? ', replayed' : ''}: ${explanation}`,
    `    key ${shown(key)}  value ${shown(value)}`,
    ...(Object.keys(headers).length > 0 ? [`    headers ${JSON.stringify(headers).slice(0, 200)}`] : []),
  ];
}
