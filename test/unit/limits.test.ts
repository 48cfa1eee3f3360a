import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { workStages } from '../../src/definition/names.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { retriesOf } from '../../src/definition/retries.ts';

const sound: PipelineInput = {
  name: 'p',
  source: { url: 'https://example.org/a.csv' },
  columns: { ID: { name: 'id' } },
};

/** What is wrong with the definition, in which these parts may be of any form. */
function problemsOf(parts: object): { path: string; message: string }[] {
  const parsed = parseDefinition(stringify({ ...sound, ...parts }));
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => ({ path, message })) : [];
}

const retries = (input: PipelineInput['retries']): Pipeline['retries'] =>
  pipelineSchema.parse({ ...sound, retries: input }).retries;

describe('retries and deadlines of a definition', () => {
  it('are three more tries and no deadline where nothing is said', () => {
    const { retries: all, deadlines } = pipelineSchema.parse(sound);
    expect(all).toEqual({ attempts: 4, initialInterval: '2s', maximumInterval: '1m' });
    expect(deadlines).toEqual({ warnAt: 0.8 });
  });

  it('may be others for each stage that works, and for no other', () => {
    const stages = Object.fromEntries(workStages.map((stage) => [stage, { attempts: 2 }]));
    const limits = Object.fromEntries(workStages.map((stage) => [stage, '5m']));
    expect(problemsOf({ retries: { stages }, deadlines: { run: '5m', stages: limits, warnAt: 0.5 } })).toEqual([]);
    for (const waiting of ['turn', 'slot', 'quality', 'report']) {
      expect(problemsOf({ deadlines: { stages: { [waiting]: '5m' } } })).toMatchObject([
        { path: `deadlines.stages.${waiting}`, message: expect.stringContaining('is not known here') as unknown },
      ]);
    }
  });

  it('of a stage take from those of all what they leave out', () => {
    const given = retries({ attempts: 3, maximumInterval: '5m', stages: { import: { attempts: 9 }, clean: {} } });
    expect(retriesOf(given, 'import')).toEqual({ attempts: 9, initialInterval: '2s', maximumInterval: '5m' });
    const all = { attempts: 3, initialInterval: '2s', maximumInterval: '5m' };
    expect(retriesOf(given, 'clean')).toEqual(all);
    expect(retriesOf(given, 'turn')).toEqual(all);
    expect(retriesOf(retries({}), 'publish')).toEqual({ attempts: 4, initialInterval: '2s', maximumInterval: '1m' });
  });

  it.each([
    ['a stage that is none', { retries: { stages: { imports: {} } } }, 'retries.stages.imports', /mean "import"/],
    ['its deadline', { deadlines: { stages: { cleen: '5m' } } }, 'deadlines.stages.cleen', /mean "clean"/],
    ['a word that is none', { deadlines: { warmAt: 0.5 } }, 'deadlines.warmAt', /mean "warnAt"/],
    ['no tries', { retries: { stages: { import: { attempts: 0 } } } }, 'retries.stages.import.attempts', /1/],
    ['a duration without a unit', { deadlines: { run: '50' } }, 'deadlines.run', /number with a unit/],
    ['no time for a run', { deadlines: { run: '0m' } }, 'deadlines.run', /no time/],
    ['no time for a stage', { deadlines: { stages: { land: '0s' } } }, 'deadlines.stages.land', /no time/],
    ['a warning at the end', { deadlines: { run: '5m', warnAt: 1 } }, 'deadlines.warnAt', /0\.99/],
    [
      'a stage that may take longer than the run',
      { deadlines: { run: '50m', stages: { import: '1h' } } },
      'deadlines.stages.import',
      /longer than deadlines.run \(50m\)/,
    ],
    ['waits that begin at zero', { retries: { initialInterval: '0s' } }, 'retries.initialInterval', /no time/],
    [
      'waits that shrink',
      { retries: { initialInterval: '5m' } },
      'retries.initialInterval',
      /longer than maximumInterval \(1m\)/,
    ],
    [
      'waits of one stage that shrink',
      { retries: { initialInterval: '30s', stages: { publish: { maximumInterval: '5s' } } } },
      'retries.stages.publish.maximumInterval',
      /shorter than initialInterval \(30s\)/,
    ],
  ])('refuse %s', (_what, parts, path, sentence) => {
    expect(problemsOf(parts)).toMatchObject([{ path, message: expect.stringMatching(sentence) as unknown }]);
  });
});
