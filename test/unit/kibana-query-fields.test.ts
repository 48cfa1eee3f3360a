import { describe, expect, it } from 'vitest';
import { kql } from '../../src/dashboards/kibana/lens.ts';
import { fieldsOfFilters, fieldsOfQuery } from '../../src/dashboards/kibana/query-fields.ts';

const named = (query: string, language: 'kuery' | 'lucene' = 'kuery'): string[] =>
  fieldsOfQuery({ query, language }, 'q').map(({ field }) => field);

describe('M6: the fields that a query of Kibana names', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['just words', []],
    ['"a: phrase"', []],
    ['state: CA', ['state']],
    ['state:CA', ['state']],
    ['not state : "C: A" and (usage >= 0.5 or usage<0.1)', ['state', 'usage', 'usage']],
    ['state: (CA or TX) or "the field": x', ['state', 'the field']],
    [String.raw`a\:b: http\://x and c\"d > 1`, ['a:b', 'c"d']],
    ['items: { name: x and parts: { size > 3 } } and state: *', ['items.name', 'items.parts.size', 'state']],
    ['machine.os*: win', ['machine.os*']],
    [kql('state', 'C"A\\: b'), ['state']],
  ])('are those of %j', (query, fields) => {
    expect(named(query)).toEqual(fields);
  });

  it('are those of Lucene, too', () => {
    expect(named('state:CA AND usage:[0 TO 1] AND _exists_:hour "x:y"', 'lucene')).toEqual(['state', 'usage', 'hour']);
  });

  it('are those of filters: of their queries, or what they are about', () => {
    const filters = [
      { meta: { key: 'a' }, query: { bool: { should: [{ match_phrase: { b: 1 } }, { exists: { field: 'c' } }] } } },
      { meta: { key: 'd' }, query: {} },
      { meta: {} },
    ];
    expect(fieldsOfFilters(filters, 'f').map(({ where, field }) => [where, field])).toEqual([
      ['f[0].query.bool.should[0].match_phrase.b', 'b'],
      ['f[0].query.bool.should[1].exists.field', 'c'],
      ['f[1].meta.key', 'd'],
    ]);
  });
});
