import { Argument, type Command } from 'commander';
import type { Shell } from './completion.ts';
import { shells } from './completion.ts';

/** Help for shells. `complete` is what their scripts ask. */
export function completionCommands(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(shells))
    .description('print what completes commands and options in a shell: source <(sluice completion bash)')
    .action(async (shell: Shell) => {
      process.stdout.write((await import('./completion.ts')).scripts[shell]);
    });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const { candidateLines, candidates } = await import('./completion.ts');
      process.stdout.write(candidateLines(candidates(program, words)));
    });
}
