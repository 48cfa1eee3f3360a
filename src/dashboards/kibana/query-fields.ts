import { isObject } from '../../definition/is-object.ts';
import type { Json } from '../panel.ts';
import { fieldsOfBody, type Asked } from './asked-fields.ts';
import { at } from './walk.ts';

/** A query as Kibana keeps it. */
interface Query {
  readonly query: string;
  readonly language: 'kuery' | 'lucene';
}

/** A text in quotes, a word with escaped signs in it, an operator. */
const TOKEN = /"(?:\\.|[^"\\])*"|(?:\\.|[^\s"():<>={}\\])+|<=|>=|[():<>{}]/gs;

/**
 * Fields that a query names; what it looks for everywhere names none. What `{ … }` holds is inside of the field before it. Lucene is read alike:
 * there, too, a name is what a colon follows.
 * Source: Kibana’s documentation of its query language.
 */
export function fieldsOfQuery({ query, language }: Query, where: string): Asked[] {
  const tokens = query.match(TOKEN) ?? [];
  const inside: string[] = [];
  const found: string[] = [];
  for (const [n, token] of tokens.entries()) {
    if (token === '}') inside.pop();
    if (/^[():<>{}]|^[<>]=$/.test(token) || !/^(:|[<>]=?)$/.test(tokens[n + 1] ?? '')) continue;
    const own = token.replace(/^"(.*)"$/s, '$1').replaceAll(/\\(.)/gs, '$1');
    const name = [...inside, own].join('.');
    if (tokens[n + 2] === '{') inside.push(own);
    else if (language === 'lucene' && name === '_exists_') found.push(tokens[n + 2] ?? '');
    else found.push(name);
  }
  return found.map((field) => ({ where: `${where}.query`, field, by: 'a query' }));
}

/** Fields that filters name, in their queries or, where those name none, as what they are about. */
export function fieldsOfFilters(filters: readonly Json[], where: string): Asked[] {
  return filters.flatMap((filter, n): Asked[] => {
    const place = `${where}[${n}]`;
    const query = at(filter, 'query');
    const asked = isObject(query) ? fieldsOfBody(query, `${place}.query`) : [];
    const about = at(filter, 'meta.key');
    if (asked.length > 0 || typeof about !== 'string') return asked;
    return [{ where: `${place}.meta.key`, field: about, by: 'a filter' }];
  });
}
