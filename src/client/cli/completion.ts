import type { Argument, Command, Option } from 'commander';

/** What fits where someone pressed Tab, and what it is. */
export interface Candidate {
  readonly word: string;
  readonly what: string;
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * What fits in the place of the last of these words. Nothing where a value is wanted that the commands do not list: the shell then offers
 * files.
 * @param words of the command line, without `sluice` itself; the last is what has been typed of the word, and may be empty
 */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const typed = words.at(-1) ?? '';
  let command = program;
  let place = 0;
  let value: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (value) value = undefined;
    else if (word.startsWith('-')) {
      const option = command.options.find(({ short, long }) => word === short || word === long);
      value = option?.required || option?.optional ? option : undefined;
    } else {
      const below = place === 0 ? visible(command).find((one) => one.name() === word) : undefined;
      if (below) command = below;
      else place += 1;
    }
  }
  const fits = ({ word }: Candidate): boolean => word.startsWith(typed);
  if (value) return (value.argChoices ?? []).map((word) => ({ word, what: '' })).filter(fits);
  if (typed.startsWith('-')) return optionsOf(command).filter(fits);
  const argument: Argument | undefined = command.registeredArguments[place];
  const choices = (argument?.argChoices ?? []).map((word) => ({ word, what: '' }));
  const below = place === 0 ? visible(command).map((one) => ({ word: one.name(), what: one.description() })) : [];
  return [...below, ...choices].filter(fits);
}

const visible = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

function optionsOf(command: Command): Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return options.flatMap(({ long, description }) => (long ? [{ word: long, what: description }] : []));
}

/** A candidate a line, as the scripts take them. */
export const candidateLines = (found: readonly Candidate[]): string =>
  found.map(({ word, what }) => `${word}\t${what}\n`).join('');

/** What makes a shell ask `sluice complete` when Tab is pressed. No word of the line is evaluated; nothing else has to be installed. */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# Completion of sluice. To use it: source <(sluice completion bash)
_sluice() {
  local word IFS=$'\\n'
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <(sluice complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
# Completion of sluice. To use it: source <(sluice completion zsh)
_sluice() {
  local line
  local -a found
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(sluice complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)
  if (( \${#found} )); then _describe sluice found; else _files; fi
}
if (( \${+functions[compdef]} )); then compdef _sluice sluice; else autoload -Uz compinit && compinit && compdef _sluice sluice; fi
`,
  fish: `# Completion of sluice. To use it: sluice completion fish | source
function __sluice
    set -l words (commandline -opc) (commandline -ct)
    sluice complete -- $words[2..-1] 2>/dev/null
end
complete -c sluice -a '(__sluice)'
`,
};
