import type { Answer, Asked } from './http-proxy.ts';

interface BulkAnswer {
  errors: boolean;
  items: { index: Record<string, unknown> }[];
}

/** Whether a request is one of Elasticsearch's bulk. */
export const isBulk = ({ path }: Asked): boolean => path.split('?')[0]?.endsWith('/_bulk') ?? false;

/** A whole request refused for overload. */
export const overloaded: Answer = {
  status: 429,
  headers: {
    'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
    'x-elastic-product': 'Elasticsearch',
  },
  body: Buffer.from(
    JSON.stringify({ error: { type: 'es_rejected_execution_exception', reason: 'the queue is full' }, status: 429 }),
  ),
};

/** Passes on a bulk request but for the documents that `refuse` picks by their id: those are answered with 429, and not applied. */
export async function refuseItems(
  asked: Asked,
  pass: (body?: Buffer) => Promise<Answer>,
  refuse: (id: string) => boolean,
): Promise<Answer> {
  const lines = asked.body.toString().trimEnd().split('\n');
  const pairs = Array.from({ length: lines.length / 2 }, (_, at) => {
    const action = lines[at * 2] ?? '';
    const id = (JSON.parse(action) as { index: { _id: string } }).index._id;
    return { id, text: `${action}\n${lines[at * 2 + 1]}\n`, refused: refuse(id) };
  });
  const taken = pairs.filter(({ refused }) => !refused);
  const answer = taken.length > 0 ? await pass(Buffer.from(taken.map(({ text }) => text).join(''))) : undefined;
  const applied = answer ? (JSON.parse(answer.body.toString()) as BulkAnswer).items : [];
  const error = { type: 'es_rejected_execution_exception', reason: 'the queue is full' };
  const items = pairs.map(({ id, refused }) =>
    refused ? { index: { _id: id, status: 429, error } } : (applied.shift() ?? { index: {} }),
  );
  const body = Buffer.from(JSON.stringify({ took: 1, errors: true, items } satisfies BulkAnswer & { took: number }));
  return { status: 200, headers: overloaded.headers, body };
}
