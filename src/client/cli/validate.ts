import { readFile } from 'node:fs/promises';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { jsonSchema } from '../../definition/json-schema.ts';
import { describeProblems } from '../../definition/load.ts';
import { parseDefinition, type Parsed } from '../../definition/parse.ts';
import { streamsOf } from '../../definition/streams.ts';
import { scheduleWords } from '../schedules/words.ts';

/** `sluice validate`. @returns 0 where the definition is sound, 1 where it is not, 2 without a definition */
export async function validate(
  file: string | undefined,
  options: { schema: boolean; json?: boolean },
): Promise<number> {
  if (options.schema) {
    process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return 0;
  }
  if (file === undefined) {
    process.stderr.write('Which definition? Like: sluice validate pipelines/broadband.yaml\n');
    return 2;
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SluiceError('DefinitionInvalid', `The definition ${file} cannot be read: ${sentenceOf(error)}.`);
  });
  const parsed = await parsedWhole(text);
  const problems = 'problems' in parsed ? parsed.problems : [];
  if (options.json) {
    const found = 'pipeline' in parsed ? { pipeline: parsed.pipeline } : {};
    process.stdout.write(`${JSON.stringify({ file, valid: problems.length === 0, problems, ...found })}\n`);
  } else if ('problems' in parsed) {
    process.stdout.write(
      `${describeProblems(file, problems)}\n${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n`,
    );
  } else {
    const { pipeline } = parsed;
    const sets = streamsOf(pipeline).map(({ dataset, output }) => `${dataset} (${output.length} columns)`);
    process.stdout.write(
      `${file} is sound: pipeline ${pipeline.name}, ${scheduleWords(pipeline).join('; ')}, data sets ${sets.join(', ')}\n`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}

/** Vega is there for those alone that hold panels. */
async function parsedWhole(text: string): Promise<Parsed> {
  const parsed = parseDefinition(text);
  if (!('pipeline' in parsed) || parsed.pipeline.dashboards.panels === undefined) return parsed;
  return parseDefinition(text, (await import('../../dashboards/drawable.ts')).undrawableIn);
}
