import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Of these the first that stands in PATH. */
const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find(isExecutable);

/** Why tests in a browser are skipped; undefined where there is one. */
export const noBrowser = program === undefined ? `no browser is in PATH (${names.join(', ')})` : undefined;
if (noBrowser !== undefined) console.error(`Tests in a browser are skipped: ${noBrowser}.`);

/** Starts the installed browser. As root it has no sandbox of its own. */
export function startBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error(noBrowser);
  return chromium.launch({ executablePath: program, chromiumSandbox: process.getuid?.() !== 0 });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
