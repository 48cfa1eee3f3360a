import type { StoredStages } from '../activities/index.ts';
import type { RunInput } from './messages.ts';
import type { RunLog } from './run-log.ts';

/** Stages that are over once an hour is committed. */
type BeforeCommit = 'save' | 'quality' | 'publish' | 'land';

/**
 * What the hour has stored of the stages that a run does not go through again: undefined where it begins at `import` or `clean`. These go
 * through every stage, and import alone does otherwise: it fetches anew, or nothing.
 */
export async function storedReferences(input: RunInput, run: RunLog): Promise<StoredStages | undefined> {
  return beginsBehindClean(input) ? run.stage('reuse', () => findStored(input, run)) : undefined;
}

/** Looks once more, as whoever was ahead may have changed what the hour was compared with. */
export async function stillStored(input: RunInput, run: RunLog): Promise<void> {
  if (beginsBehindClean(input)) await findStored(input, run);
}

/** Runs stages that are left out where the hour is committed already. */
export function stagesBeforeCommit(stored: StoredStages | undefined, run: RunLog) {
  return async (stage: BeforeCommit, work: () => Promise<unknown>): Promise<void> => {
    if (!stored?.committed) await run.stage(stage, work);
  };
}

type BehindClean = RunInput & { readonly startFrom: 'publish' | 'index' };

const beginsBehindClean = (input: RunInput): input is BehindClean =>
  input.startFrom === 'publish' || input.startFrom === 'index';

function findStored({ pipeline, hour, startFrom: from }: BehindClean, run: RunLog): Promise<StoredStages> {
  return run.activities('light', `${hour}, from ${from}`).findStored({ pipeline, hour, from });
}
