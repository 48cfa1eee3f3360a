import { z } from 'zod';
import { SluiceError } from '../definition/errors.ts';
import { logLevels } from '../definition/log-record.ts';

const schema = z.object({
  SLUICE_LOG_LEVEL: z.enum(logLevels).default('warn'),
  SLUICE_LOG_FORMAT: z.enum(['text', 'json']).default('text'),
  SLUICE_LOG_DIR: z.string().optional(),
  SLUICE_LOG_DAYS: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'needs a number of days')
    .default('7')
    .transform(Number),
});

/** How a worker process writes down what it does. */
export interface LogSettings {
  /** What is less is not written to stderr; to the files from `info` on at the latest. */
  readonly level: (typeof logLevels)[number];
  readonly format: 'text' | 'json';
  /** A file a process and day; absent: none. */
  readonly files?: { readonly folder: string; readonly days: number };
}

/** @throws SluiceError `SettingsInvalid`, naming each variable that is wrong */
export function readLogSettings(environment: Readonly<Record<string, string | undefined>>): LogSettings {
  const set = Object.entries(environment).filter(([, value]) => value !== '');
  const parsed = schema.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new SluiceError('SettingsInvalid', `The environment is not right: ${problems.join('. ')}.`);
  }
  const {
    SLUICE_LOG_LEVEL: level,
    SLUICE_LOG_FORMAT: format,
    SLUICE_LOG_DIR: folder,
    SLUICE_LOG_DAYS: days,
  } = parsed.data;
  return { level, format, ...(folder === undefined ? {} : { files: { folder, days } }) };
}
