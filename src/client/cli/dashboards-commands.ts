import type { Command } from 'commander';
import { fillCommand } from './dashboards-fill-command.ts';
import { kibanaCommands } from './dashboards-kibana-commands.ts';
import { renderCommand } from './dashboards-render-command.ts';

/** What people look at. */
export function dashboardsCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const dashboards = program.command('dashboards').description('panels over what is indexed, of data and of runs');
  renderCommand(dashboards, json, done);
  fillCommand(dashboards, json, done);
  kibanaCommands(dashboards, json, done);
}
