import type { ReportSoFar } from '../../workflows/messages.ts';
import { printedServerLines } from './server-lines.ts';
import { boldOut, count, equationLines, importLines, preparedLines, seconds, staleLines, styled } from './screen.ts';
import { bottleneckLines, profileLines, stageTable } from './timing-lines.ts';

/** A run's report, for people: what it came to, where its time went, what became of its rows. */
export function reportLines(report: ReportSoFar): string[] {
  const { pipeline, hour, outcome = 'running', startedAt, endedAt, runId, error, clean } = report;
  const took = seconds((endedAt === undefined ? Date.now() : Date.parse(endedAt)) - Date.parse(startedAt));
  const colour =
    outcome === 'running' ? 'yellow' : outcome === 'completed' || outcome === 'unchanged' ? 'green' : 'red';
  return [
    `${boldOut(pipeline)} ${hour}  ${styled(colour, outcome, process.stdout)} in ${took}`,
    `run ${runId}, ${startedAt.slice(0, 19)}Z ${endedAt === undefined ? 'until now' : `to ${endedAt.slice(0, 19)}Z`}`,
    ...(error ? [styled('red', `${error.code} in ${error.stage}: ${error.message}`, process.stdout)] : []),
    ...bottleneckLines(report),
    '',
    ...stageTable(report),
    ...profileLines(report),
    ...(report.equations.length > 0 ? ['', ...equationLines(report, process.stdout)] : []),
    ...(clean?.quality ?? [])
      .filter(({ level }) => level !== 'ok')
      .map(({ level, sentence }) => `gate ${level}s: ${sentence}`),
    ...discardedLines(report),
    ...(report.warnings ?? []).map((warning) => `warning: ${warning}`),
    ...[preparedLines, importLines, staleLines].flatMap((linesOf) => linesOf(report)),
    ...(report.servers ?? []).flatMap((found) => [
      '',
      boldOut(`${found.server} warned of`),
      ...printedServerLines(found),
    ]),
  ];
}

/** What a cancelled run removed of what it had made. */
function discardedLines({ discarded }: ReportSoFar): string[] {
  const { tallies = [], failed } = discarded ?? {};
  return [
    ...tallies.map(({ what, objects, bytes }) => `removed ${count(objects)} × ${what}, ${count(bytes)} bytes`),
    ...(failed ? [`could not tidy up: ${failed.code}: ${failed.message}`] : []),
  ];
}
