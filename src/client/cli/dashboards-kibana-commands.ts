import { type Command, InvalidArgumentError } from 'commander';
import type { BuildFlags, DashboardFlags, ValidateFlags } from './dashboards.ts';
import type { ApplyFlags } from './dashboards-apply.ts';

const pipeline = ['--pipeline <definition>', 'the definition, a YAML file, or the name of a schedule'] as const;

/** Dashboards as Kibana has them. */
export function kibanaCommands(
  dashboards: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const load = async () => import('./dashboards.ts');
  const loadApply = async () => import('./dashboards-apply.ts');
  dashboards
    .command('build')
    .description('write dashboards for Kibana as a file that Kibana imports; needs no server')
    .requiredOption(...pipeline)
    .requiredOption('--out <file>', 'where to, as NDJSON')
    .option(...json)
    .action(async (options: BuildFlags) => done(await (await load()).build(options)));
  dashboards
    .command('validate [file]')
    .description(
      'check what Kibana is to have, or such a file: form, references, places, charts, and the searches on Elasticsearch',
    )
    .option(...pipeline)
    .option('--offline', 'without Elasticsearch', false)
    .option(...json)
    .action(async (file: string | undefined, options: ValidateFlags) =>
      done(await (await load()).validateDashboards(file, options)),
    );
  dashboards
    .command('apply')
    .description('import dashboards into Kibana, over what is there under the same ids')
    .requiredOption(...pipeline)
    .option('--wait <seconds>', 'for a Kibana that starts', seconds, 0)
    .option(...json)
    .action(async (options: ApplyFlags) => done(await (await loadApply()).apply(options)));
  dashboards
    .command('diff')
    .description('compare dashboards with what stands in Kibana; exit code 4 where there is a difference')
    .requiredOption(...pipeline)
    .option(...json)
    .action(async (options: DashboardFlags) => done(await (await import('./dashboards-diff.ts')).diff(options)));
}

function seconds(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('must be a number of seconds, 0 to 9999');
  return Number(text);
}
