import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkDefinition } from '../../src/definition/check-definition.ts';
import { planDeliveries } from '../../src/definition/deliveries.ts';
import { incidentRules, type IncidentRule, type Severity } from '../../src/definition/incidents.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { noticeOf, transition } from '../helpers/notices.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'alerts.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const rowsBelow = (heading: string): string[][] => {
  const [, table = ''] = new RegExp(`^\\| ${heading} [^\\n]*\\n\\|[-| ]*\\n((?:\\|[^\\n]*\\n)+)`, 'm').exec(page) ?? [];
  return table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
};

function defined(yaml: string): Pipeline {
  const checked = checkDefinition({
    ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'] },
    ...{ columns: { id: { name: 'id', required: true } }, ...(parse(yaml) as object) },
  });
  if ('findings' in checked) throw new Error(JSON.stringify(checked.findings));
  return checked.pipeline;
}

describe('docs/alerts.md', () => {
  it('has definitions that are sound', () => {
    expect(examples.length).toBeGreaterThan(3);
    for (const yaml of examples) expect(Object.keys(defined(yaml).alerts)).toContain('email');
  });

  it('names every rule', () => {
    expect(rowsBelow('Rule').map(([rule]) => rule)).toEqual([...incidentRules]);
  });

  it('says rightly who is told by the routes of its example', () => {
    const { alerts } = defined(examples.find((yaml) => yaml.includes('routes:')) ?? '');
    const rows = rowsBelow('Found');
    expect(rows.length).toBeGreaterThan(3);
    for (const [rule, severity, at, told] of rows) {
      const notice = noticeOf(transition({ rule: rule as IncidentRule, severity: severity as Severity }));
      const names = planDeliveries(alerts, notice, `${at}:00Z`).map(({ name }) => name);
      expect([rule, at, names.join(', ')]).toEqual([rule, at, told]);
    }
  });
});
