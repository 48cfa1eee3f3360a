import type { Incident } from '../definition/incidents.ts';

/** How an incident stands, as Markdown: what the Web UI shows of it. */
export function incidentDetails(incident: Incident): string {
  const { severity, state, sentence, openedAt, lastSeenAt, endedAt, occurrences, hours, facts } = incident;
  const { acknowledged, escalatedAt, silencedUntil, workflowId } = incident;
  const hour = hours.at(-1);
  const rows = [
    ['Opened', openedAt],
    ['Last seen', lastSeenAt],
    ['Seen', `${occurrences} ${occurrences === 1 ? 'time' : 'times'}`],
    ...(hour === undefined ? [] : [['Hours', hours.length === 1 ? hour : `${hours.length}, the newest ${hour}`]]),
    ...(acknowledged
      ? [['Acknowledged', `by ${acknowledged.by}, ${acknowledged.at}${noteOf(acknowledged.note)}`]]
      : []),
    ...(escalatedAt === undefined ? [] : [['Escalated', escalatedAt]]),
    ...(silencedUntil === undefined ? [] : [['Silenced until', silencedUntil]]),
    ...(endedAt === undefined ? [] : [[state === 'closed' ? 'Closed' : 'Recovered', endedAt]]),
    ...(workflowId === undefined ? [] : [['Workflow', `\`${workflowId}\``]]),
    ...facts.map(({ name, value }) => [name, value]),
  ];
  const table = ['| | |', '|---|---|', ...rows.map(([name = '', value = '']) => `| ${cell(name)} | ${cell(value)} |`)];
  return [`**${state}** · ${severity}`, sentence, table.join('\n')].join('\n\n');
}

const noteOf = (note: string | undefined): string => (note === undefined ? '' : `: ${note}`);
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
