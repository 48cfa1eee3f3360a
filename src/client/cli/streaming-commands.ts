import { type Command, InvalidArgumentError } from 'commander';
import type { ConsumerFlags, LossFlags } from './consumer.ts';
import type { DlqFlags, DlqReplayFlags, DlqShowFlags } from './dlq.ts';

/** What concerns the way from the topic to the object store: consumers, and records that could not be landed. */
export function streamingCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  consumerCommands(program, json, done);
  deadLetterCommands(program, json, done);
}

const dataset = ['--dataset <name>', 'main, or the name of an aggregate'] as const;

function consumerCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  const consumer = program.command('consumer').description('the consumers that land a pipeline’s topics');
  const load = async () => import('./consumer.ts');
  consumer
    .command('status <definition>')
    .description('mode, problem, and how far each partition has landed; exit code 1 where one has halted')
    .option(...dataset)
    .option(...json)
    .action(async (file: string, options: ConsumerFlags) => done(await (await load()).status(file, options)));
  const words = {
    pause: 'stop reading until "resume"; nothing is lost',
    resume: 'read again; one that halted checks again first',
    drain: 'end them; the next run of an hour starts others',
  } as const;
  for (const word of ['pause', 'resume', 'drain'] as const) {
    consumer
      .command(`${word} <definition>`)
      .description(words[word])
      .option(...dataset)
      .option(...json)
      .action(async (file: string, options: ConsumerFlags) => done(await (await load()).tell(word, file, options)));
  }
  consumer
    .command('accept-loss <definition>')
    .description('give up offsets that are lost, so that a halted consumer reads on behind them')
    .requiredOption('--partition <n>', 'of the topic', wholeNumber)
    .requiredOption('--from <offset>', 'the consumer’s position, as "status" shows it', offset)
    .requiredOption('--to <offset>', 'the last offset to give up', offset)
    .requiredOption('--reason <text>', 'why; it is kept for good')
    .option(...dataset)
    .option(...json)
    .action(async (file: string, options: LossFlags) => done(await (await load()).acceptLoss(file, options)));
}

function deadLetterCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  const dlq = program.command('dlq').description('dead letters: records of the topic that could not be landed');
  const load = async () => import('./dlq.ts');
  const chosen = (command: Command): Command =>
    command
      .option(...dataset)
      .option('--reason <code>', 'only those: foreign, epoch or unreadable')
      .option('--at <partition:offset...>', 'only those', places)
      .option(...json);
  chosen(dlq.command('list <definition>').description('how many there are, and why')).action(
    async (file: string, options: DlqFlags) => done(await (await load()).list(file, options)),
  );
  chosen(dlq.command('show <definition>').description('the records: place, reason, key, value, headers'))
    .option('--limit <n>', 'so many, the newest', wholeNumber, 20)
    .option('--out <file>', 'all of them to a file, a line of JSON each')
    .action(async (file: string, options: DlqShowFlags) => done(await (await load()).show(file, options)));
  chosen(dlq.command('replay <definition>').description('send them to the topic again; each once, unless it is killed'))
    .option('--dry-run', 'only say how many', false)
    .action(async (file: string, options: DlqReplayFlags) => done(await (await load()).replay(file, options)));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function offset(text: string): string {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('must be an offset: digits alone');
  return text.replace(/^0+(?=\d)/, '');
}

function places(text: string, before: readonly string[] = []): string[] {
  if (!/^\d+:\d+$/.test(text)) throw new InvalidArgumentError('must be partition:offset, like 0:17');
  return [...before, text];
}
