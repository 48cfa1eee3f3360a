import type { WatchdogState } from './watchdog-messages.ts';

/** What is watched and how it stands, as Markdown: what the Web UI shows of it. */
export function watchdogDetails(state: WatchdogState): string {
  const { lookedAt, everyMs, pipelines, consumers, queues, open, problems, deadman } = state;
  const rows = [
    ['Looked', `${lookedAt}, every ${everyMs / 1_000} s`],
    ['Schedules', String(pipelines.length)],
    ['Consumers', String(consumers)],
    ...Object.entries(queues).map(([queue, seen]) => [`Last seen on ${queue}`, seen]),
    ...(deadman ? [["Dead man's switch", deadman.problem ?? `told ${deadman.at}`]] : []),
  ];
  const table = ['| | |', '|---|---|', ...rows.map(([name = '', value = '']) => `| ${name} | ${cell(value)} |`)];
  return [
    open.length === 0 ? '**Nothing is wrong**' : `**${open.length} ${open.length === 1 ? 'problem' : 'problems'}**`,
    open.map(({ pipeline, rule, sentence }) => `- **${pipeline}**, ${rule}: ${cell(sentence)}`).join('\n'),
    table.join('\n'),
    problems
      .map(
        ({ check, pipeline, why }) =>
          `- not looked at: ${check}${pipeline === undefined ? '' : ` of ${pipeline}`}: ${cell(why)}`,
      )
      .join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
