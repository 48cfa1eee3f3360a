import { readFile } from 'node:fs/promises';
import { readSettings } from '../../connectors/settings.ts';
import { SearchConnector } from '../../connectors/search.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Dashboard } from '../../dashboards/panel.ts';
import { dashboardsOf } from '../../dashboards/registry.ts';
import { sentenceOfFinding, type Finding } from '../../dashboards/kibana/finding.ts';
import { kibanaObjects } from '../../dashboards/kibana/objects.ts';
import { ndjson, type SavedObject } from '../../dashboards/kibana/saved-object.ts';
import { checkAnswers } from '../../dashboards/kibana/validate-answers.ts';
import { validateNdjson, validateObjects, type Validated } from '../../dashboards/kibana/validate.ts';
import { pipelineOf } from './pipelines.ts';
import { writeWhole } from './whole-files.ts';

export interface DashboardFlags {
  readonly pipeline: string;
  readonly json?: boolean;
}

export interface BuildFlags extends DashboardFlags {
  readonly out: string;
}

export interface ValidateFlags {
  readonly pipeline?: string;
  readonly offline: boolean;
  readonly json?: boolean;
}

/** What Kibana is to have of a pipeline. */
export interface Built {
  readonly dashboards: readonly Dashboard[];
  readonly objects: readonly SavedObject[];
}

/** The dashboards of a definition as saved objects. @throws SluiceError as `pipelineOf` */
export async function built(definition: string): Promise<Built> {
  const dashboards = dashboardsOf([await pipelineOf(definition)]);
  return { dashboards, objects: kibanaObjects(dashboards) };
}

/** {@link built}, once nothing is wrong with them. @throws SluiceError `DashboardInvalid` with a sentence for each that is */
export async function soundlyBuilt(definition: string): Promise<Built> {
  const made = await built(definition);
  const { findings } = validateObjects(made.objects);
  if (findings.length > 0) throw new SluiceError('DashboardInvalid', findings.map(sentenceOfFinding).join('\n'));
  return made;
}

/** `sluice dashboards build`. The file is there whole, or as it was before. */
export async function build({ pipeline, out, json }: BuildFlags): Promise<number> {
  const { objects } = await soundlyBuilt(pipeline);
  await writeWhole(out, ndjson(objects));
  const named = objects.map(({ type, id }) => ({ type, id }));
  if (json) process.stdout.write(`${JSON.stringify({ out, objects: named })}\n`);
  else {
    const lines = named.map(({ type, id }) => `  ${type.padEnd(14)} ${id}`);
    process.stdout.write(`${out}: ${objects.length} saved objects\n${lines.join('\n')}\n`);
  }
  return 0;
}

/** `sluice dashboards validate`. @returns 0 where nothing is wrong, 1 where something is, 2 where nothing is named */
export async function validateDashboards(file: string | undefined, options: ValidateFlags): Promise<number> {
  const { pipeline, json } = options;
  if ((file === undefined) === (pipeline === undefined)) {
    process.stderr.write(
      'Which dashboards? Like: sluice dashboards validate --pipeline pipelines/broadband.yaml, or a file\n',
    );
    return 2;
  }
  const { objects, findings: still } = file === undefined ? await ofDefinition(pipeline ?? '') : await ofFile(file);
  // What is not sound by itself is not asked for.
  const findings = still.length > 0 || options.offline ? still : await onElasticsearch(objects);
  if (json) process.stdout.write(`${JSON.stringify({ valid: findings.length === 0, findings })}\n`);
  else if (findings.length === 0)
    process.stdout.write(`${objects.length} saved objects, and nothing is wrong with them\n`);
  else {
    process.stdout.write(`${findings.map(sentenceOfFinding).join('\n')}\n${problems(findings)}\n`);
  }
  return findings.length === 0 ? 0 : 1;
}

async function onElasticsearch(objects: Validated['objects']): Promise<Finding[]> {
  const search = new SearchConnector(readSettings(process.env).elasticsearch);
  try {
    return await checkAnswers(search, objects);
  } finally {
    await search.close();
  }
}

const problems = ({ length }: readonly Finding[]): string => `${length} ${length === 1 ? 'problem' : 'problems'}`;

const ofDefinition = async (definition: string): Promise<Validated> =>
  validateObjects((await built(definition)).objects);

async function ofFile(file: string): Promise<Validated> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SluiceError('DashboardInvalid', `The file ${file} cannot be read: ${sentenceOf(error)}.`);
  });
  return validateNdjson(text);
}
