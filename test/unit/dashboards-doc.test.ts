import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDefinition } from '../../src/definition/parse.ts';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { ChartPanel } from '../../src/dashboards/panel.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { requestsOf, withAnswers } from '../../src/dashboards/requests.ts';
import { subjectOf, type Subject } from '../../src/dashboards/subject.ts';
import { marksOf, viewOf } from '../helpers/dashboard-lab.ts';
import { fakeAnswer } from '../helpers/fake-answer.ts';

const home = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(home, 'docs/dashboards.md'), 'utf8');
const broadband = readFileSync(join(home, 'pipelines/broadband.yaml'), 'utf8');

/** The one block of a language, without the indent of the list it stands in. */
function block(language: string): string {
  const [, indent = '', text = ''] =
    new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'm').exec(page) ?? [];
  return text.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

function parsed(text: string) {
  const found = parseDefinition(text);
  if (!('pipeline' in found)) throw new Error(JSON.stringify(found.problems));
  return found.pipeline;
}

async function marks(panel: ChartPanel): Promise<number> {
  const requests = requestsOf(panel.spec, { from: 'now-24h', to: 'now', filters: {} });
  const spec = withAnswers(
    panel.spec,
    requests,
    requests.map(({ body }) => fakeAnswer(body, 3)),
  );
  return marksOf(await viewOf(compileChart(spec, { mode: 'light', width: 400, height: 300 })));
}

describe('the worked examples of docs/dashboards.md', () => {
  it('by hand: the panel is taken by the definition that it names, and drawn', async () => {
    const indented = block('yaml').replaceAll(/^(?=.)/gm, '  ');
    const pipeline = parsed(broadband.replace(/^dashboards:\n/m, `dashboards:\n${indented}`));
    const panel = dataDashboard(pipeline).panels.at(-1) as ChartPanel;
    expect(panel).toMatchObject({
      id: 'broadband-error-by-band',
      needs: { usage_band: 'keyword', error_95: 'double' },
    });
    expect(await marks(panel)).toBe(3);
  });

  it('in code: the file is a panel of the shipped definition', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-doc-panel-'));
    const data = join(home, 'src/dashboards/panels/data');
    const code = block('ts').replaceAll(/from '(\.[^']+)'/g, (_, path: string) => `from '${join(data, path)}'`);
    writeFileSync(join(folder, 'by-category.ts'), code);
    const made = (await import(join(folder, 'by-category.ts'))) as { byCategory: (of: Subject) => ChartPanel };
    rmSync(folder, { recursive: true });
    const panel = made.byCategory(subjectOf(parsed(broadband)));
    expect(panel).toMatchObject({ id: 'broadband-usage-by-usage-band', title: 'Usage by usage band' });
    expect(await marks(panel)).toBe(3);
  });
});
