import type { SparkWork } from '../../definition/spark-work.ts';
import { element } from './dom.ts';
import { bytes, counted, duration, number } from './format.ts';
import { tableOf } from './table.ts';

const sizes = ['readBytes', 'shuffleReadBytes', 'shuffleWriteBytes', 'spillBytes'] as const;

/** How much it was in all, and its longest stages; undefined where Spark did nothing, or nobody knows what. */
export function sparkOf(spark: SparkWork | undefined): HTMLElement | undefined {
  if (spark === undefined) return undefined;
  const { all, stages } = spark;
  const rows = stages.map((stage) => [
    stage.step,
    String(stage.stage),
    duration(stage.ms),
    `${number(stage.tasks)}${stage.failedTasks > 0 ? `, ${number(stage.failedTasks)} failed` : ''}`,
    duration(stage.runMs),
    ...sizes.map((size) => bytes(stage[size])),
  ]);
  const columns = [
    { title: 'For' },
    ...['Stage', 'Took', 'Tasks', 'Tasks ran', 'Read', 'Shuffle read', 'Shuffle written', 'Spilled'].map((title) => ({
      ...{ title, numeric: true },
    })),
  ];
  const much = [counted(all.jobs, 'job'), counted(all.stages, 'stage'), counted(all.tasks, 'task')].join(', ');
  return element(
    'div',
    {},
    element('p', {}, `${much}; shuffled ${bytes(all.shuffleBytes)}, spilled ${bytes(all.spillBytes)}.`),
    tableOf({ columns, rows }, 'Spark’s longest stages'),
  );
}
