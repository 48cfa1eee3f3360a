// Where `sluice` begins: each part is loaded only when it is asked for, so that --help does not wait for a worker's libraries.
const [command, ...rest] = process.argv.slice(2);
/** Whatever else there is works on servers. */
const needNoServers = ['start', 'stack', 'validate', 'inspect', 'init', 'completion', 'complete', 'help', 'bundle'];
// Whoever reads the other end of a pipe may have seen enough.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}
const asksForHelp = rest.includes('--help') || rest.includes('-h');
if (command !== undefined && !command.startsWith('-') && !needNoServers.includes(command) && !asksForHelp) {
  const { adoptLocalStack } = await import('./client/cli/local-stack.ts');
  await adoptLocalStack(process.env);
}
if (command === 'worker' && !asksForHelp) {
  const { main } = await import('./workers/main.ts');
  // A worker that was made and never ran, as Temporal went away meanwhile, would keep the process: it would look alive, and do nothing.
  process.exit(await main(rest));
} else if (command === 'bundle' && !asksForHelp) {
  const { bundleCommand } = await import('./workers/bundle-command.ts');
  process.exitCode = await bundleCommand(rest);
} else if (command === 'stack') {
  const { main } = await import('../stack/main.ts');
  process.exitCode = await main(rest);
} else {
  const { main } = await import('./client/cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
