import { sentenceOf } from '../definition/errors.ts';
import { usualBundle, writeBundle } from './bundle.ts';

/** `sluice bundle [file]`: the workflows as one file, for workers that start without making it. @returns the exit code */
export async function bundleCommand(argv: readonly string[]): Promise<number> {
  const [file = usualBundle, ...more] = argv;
  if (more.length > 0 || file.startsWith('-')) {
    process.stderr.write(`"sluice bundle" takes a file to write to, and got "${argv.join(' ')}".\n`);
    return 2;
  }
  try {
    const { files, bytes } = await writeBundle(file);
    process.stdout.write(`${file}: ${files} files of workflows, ${(bytes / 2 ** 20).toFixed(1)} MiB\n`);
    return 0;
  } catch (error) {
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    process.stderr.write(`The workflows were not bundled: ${sentenceOf(error)}\n`);
    return 1;
  }
}
