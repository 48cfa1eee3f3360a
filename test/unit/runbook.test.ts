import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Backfills, ConsumerControl, MaintenanceRuns, Rebuilds, Runs, Schedules } from '../../src/client/index.ts';
import { errorCodes } from '../../src/definition/errors.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const runbook = page.slice(page.indexOf('\n## What to do when\n'));
const rows = runbook
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));

describe('the runbook of docs/operations.md', () => {
  it.each(Object.entries(errorCodes).flatMap(([code, kind]) => (kind === 'final' ? [code] : [])))(
    'says what %s is about and what to do',
    (code) => {
      const [row, ...more] = rows.filter(([, codes = '']) => codes.split(', ').includes(`\`${code}\``));
      expect(more).toEqual([]);
      expect(row?.slice(2, 4).filter((cell) => cell.length > 5)).toHaveLength(2);
    },
  );

  it('names no code that is none', () => {
    const named = rows.flatMap(([, codes = '']) =>
      [...codes.matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g)].map(([, code]) => code),
    );
    expect(named.length).toBeGreaterThan(35);
    expect(named.filter((code) => !Object.hasOwn(errorCodes, code ?? ''))).toEqual([]);
  });

  it('leads to places that are there', () => {
    const slug = (title: string): string =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-');
    const titles = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => slug(title));
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !titles.includes(link ?? ''))).toEqual([]);
  });

  it('has something below every heading', () => {
    const lines = page
      .replaceAll(/^```.*?^```$/gms, '…')
      .split('\n')
      .filter((line) => line.trim() !== '');
    const level = (line = ''): number => /^#+ /.exec(line)?.[0].length ?? Infinity;
    const empty = lines.filter((line, n) => level(line) < Infinity && level(lines[n + 1] ?? '#') <= level(line));
    expect(empty).toEqual([]);
  });

  it('names all that the client has', () => {
    const programs = page.slice(page.indexOf('\n## Programs\n'), page.indexOf('\n## What to do when\n'));
    const groups = {
      runs: Runs,
      backfills: Backfills,
      schedules: Schedules,
      consumers: ConsumerControl,
      maintenance: MaintenanceRuns,
      rebuilds: Rebuilds,
    };
    for (const [group, { prototype }] of Object.entries(groups)) {
      const row = programs.split('\n').find((line) => line.startsWith(`| \`${group}\``)) ?? '';
      const told = new Set([...row.matchAll(/`(\w+)`/g)].map(([, name]) => name).slice(1));
      const has = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
      expect(told).toEqual(new Set(has));
    }
  });

  it('tells of each situation what is seen, what to do, and when it is over', () => {
    const parts = runbook.split(/^### /m).slice(1);
    const missing = parts.flatMap((part) => {
      const [title = ''] = part.split('\n');
      return /_Over:_|It is over/.test(part) || title === 'A run has failed' ? [] : [title];
    });
    expect(parts.length).toBeGreaterThan(18);
    expect(missing).toEqual([]);
  });
});
