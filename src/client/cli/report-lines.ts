import { traceLink } from '../../definition/trace-links.ts';
import type { ReportSoFar } from '../../workflows/messages.ts';
import { printedServerLines } from './server-lines.ts';
import { boldOut, count, equationLines, importLines, preparedLines, seconds, staleLines, styled } from './screen.ts';
import { sparkLines } from './spark-lines.ts';
import { bottleneckLines, profileLines, stageTable } from './timing-lines.ts';

/**
 * A run's report, for people: what it came to, where its time went, what became of its rows.
 * @param traceUrl `SLUICE_TRACE_URL`
 */
export function reportLines(report: ReportSoFar, traceUrl?: string): string[] {
  const { pipeline, hour, outcome = 'running', startedAt, endedAt, runId, error, clean } = report;
  const took = seconds((endedAt === undefined ? Date.now() : Date.parse(endedAt)) - Date.parse(startedAt));
  const colour =
    outcome === 'running' ? 'yellow' : outcome === 'completed' || outcome === 'unchanged' ? 'green' : 'red';
  return [
    `${boldOut(pipeline)} ${hour}  ${styled(colour, outcome, process.stdout)} in ${took}`,
    `run ${runId}, ${startedAt.slice(0, 19)}Z ${endedAt === undefined ? 'until now' : `to ${endedAt.slice(0, 19)}Z`}`,
    ...traceLines(report, traceUrl),
    ...(error ? [styled('red', `${error.code} in ${error.stage}: ${error.message}`, process.stdout)] : []),
    ...bottleneckLines(report),
    '',
    ...stageTable(report),
    ...profileLines(report),
    ...sparkLines(report),
    ...(report.equations.length > 0 ? ['', ...equationLines(report, process.stdout)] : []),
    ...(clean?.quality ?? [])
      .filter(({ level }) => level !== 'ok')
      .map(({ level, sentence }) => `gate ${level}s: ${sentence}`),
    ...anomalyLines(report),
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

function traceLines({ trace }: ReportSoFar, traceUrl: string | undefined): string[] {
  if (trace === undefined) return [];
  const { page, problem } = traceLink(traceUrl, trace);
  return [`trace ${trace}${page === undefined ? '' : `  ${page}`}${problem === undefined ? '' : `  (${problem})`}`];
}

/** What the monitors found odd, or that they found nothing. */
function anomalyLines({ anomalies = [], watched }: ReportSoFar): string[] {
  if (!watched) return [];
  const { judged, learning, runs } = watched;
  const known = `${count(judged)} series judged by ${count(runs)} earlier runs`;
  const still = learning > 0 ? `, ${count(learning)} still learning` : '';
  return [
    ...anomalies.map(({ rule, subject, severity, sentence, muted, facts = [] }) => {
      const word = styled(severity === 'critical' ? 'red' : 'yellow', severity, process.stdout);
      const offBy = facts.find(({ name }) => name === 'off by')?.value;
      const off = offBy === undefined ? '' : ` Off by ${offBy}.`;
      return `${word} ${rule}${subject === undefined ? '' : ` of ${subject}`}${muted ? ' (muted)' : ''}: ${sentence}${off}`;
    }),
    `monitors: ${anomalies.length === 0 ? 'nothing odd' : `${count(anomalies.length)} odd`}; ${known}${still}`,
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
