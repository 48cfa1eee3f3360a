import { Command } from 'commander';
import { workerFlags } from '../connectors/worker-flags.ts';

/**
 * The options of `sluice worker` that were given, each by the variable that it stands for.
 * @throws CommanderError, which has said what is wrong, where one is unknown
 */
export function givenOptions(argv: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {};
  const command = new Command('sluice worker').exitOverride().showHelpAfterError('(add --help for what there is)');
  for (const { flags, variable } of workerFlags) {
    const option = command.createOption(flags).argParser((text) => (given[variable] = text));
    command.addOption(option);
  }
  command.action(() => {}).parse([...argv], { from: 'user' });
  return given;
}
