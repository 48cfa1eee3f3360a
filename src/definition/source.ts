import { z } from 'zod';
import { formatSchema } from './format.ts';

const address = z
  .string()
  .regex(/^(https?|file|s3|sftp):\/\//, 'must begin with http://, https://, file://, s3:// or sftp://');

/** Text by name; `${secret:NAME}` may stand in the values. */
const texts = z.record(z.string().min(1), z.string());
const body = z.union([z.string(), z.record(z.string(), z.json())]);
const httpsAddress = z.string().regex(/^https?:\/\//, 'must begin with http:// or https://');

const token = z
  .strictObject({
    url: httpsAddress,
    method: z.enum(['POST', 'GET']).default('POST'),
    headers: texts.default({}),
    form: texts.optional().describe('Sent as application/x-www-form-urlencoded.'),
    body: body.optional().describe('Sent as it is, or as JSON.'),
    field: z.string().min(1).default('access_token').describe('Where the token stands in the JSON answer: `a.b`.'),
    header: z.string().min(1).default('authorization'),
    scheme: z.string().default('Bearer').describe('Stands before the token; empty for none.'),
  })
  .describe('Asked before each fetch; the answer’s token goes to the source’s own host as a header.');

const paging = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('cursor'),
      field: z
        .string()
        .min(1)
        .describe('Where the next cursor stands in the JSON answer: `meta.next`. The last page has none.'),
      parameter: z
        .string()
        .min(1)
        .describe('The query parameter that takes it. An address as cursor is asked as it is.'),
    }),
    z.strictObject({
      kind: z.literal('page'),
      parameter: z.string().min(1).default('page'),
      first: z.int().min(0).default(1),
    }),
    z.strictObject({ kind: z.literal('link') }).describe('The `Link: <…>; rel="next"` header.'),
  ])
  .describe('How the next page is found. Pages by number end with the first that holds no row.');

const sftp = z
  .strictObject({
    user: z.string().min(1),
    password: z.string().optional().describe('A `${secret:NAME}`.'),
    privateKey: z.string().optional().describe('A `${secret:NAME}` of a key in PEM or OpenSSH form.'),
    passphrase: z.string().optional().describe('A `${secret:NAME}`.'),
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be SHA256: and 43 characters, as "ssh-keygen -lf" prints it')
      .optional()
      .describe('The server’s key; the worker’s known_hosts where left out.'),
  })
  .describe('How to sign in to an sftp:// source.');

export const sourceSchema = z.strictObject({
  url: z
    .union([address, z.array(address).min(1).max(1_000)])
    .describe(
      'Where the CSV is, or several of them. `${hour:YYYY-MM-DD-HH}` stands for the logical hour; file://, s3:// and sftp:// take *, ? and **.',
    ),
  headers: texts.default({}).describe('Request headers. `${secret:NAME}` is put in by the worker.'),
  query: texts.default({}).describe('Query parameters, added to those of the address.'),
  method: z.enum(['GET', 'POST']).default('GET'),
  body: body.optional().describe('Sent as it is, or as JSON.'),
  token: token.optional(),
  answer: z
    .strictObject({
      format: z.enum(['csv', 'json']).default('csv'),
      rows: z
        .string()
        .default('')
        .describe('Where the rows stand in a JSON answer: `data.items`. Empty: it is the list.'),
    })
    .prefault({})
    .describe('What the source sends.'),
  paging: paging.optional(),
  sftp: sftp.optional(),
  nameColumn: z
    .string()
    .regex(/^\S(?:.*\S)?$/, 'must not be blank, or have blanks at its ends')
    .optional()
    .describe(
      'A column of this name is put behind those of each file, and holds the file’s name: the last part of its address. The columns have to name it.',
    ),
  onUnchanged: z
    .enum(['finish', 'snapshot'])
    .default('finish')
    .describe('What an hour does whose file and definition are those of the hour before: finish early, or go on.'),
  format: formatSchema.prefault({}),
  limits: z
    .strictObject({
      bytes: z.int().min(1).default(2_147_483_648).describe('Of each file as it is fetched.'),
      expandedBytes: z.int().min(1).default(21_474_836_480).describe('Of each file without its compression.'),
      expansion: z
        .int()
        .min(2)
        .default(250)
        .describe('How many times larger a file may be without its compression, once it passes 64 MiB.'),
      rows: z.int().min(1).default(50_000_000),
      columns: z.int().min(1).max(10_000).default(1_000),
      fieldLength: z.int().min(1).max(16_777_216).default(131_072).describe('Characters of one field.'),
      files: z.int().min(1).max(1_000).default(1_000).describe('Files of a glob.'),
      pages: z.int().min(1).max(100_000).default(10_000),
      seconds: z.int().min(1).default(1_800).describe('For the whole of each download.'),
      connectSeconds: z.int().min(1).default(10),
      idleSeconds: z.int().min(1).default(30).describe('Without a byte.'),
      redirects: z.int().min(0).max(20).default(5),
    })
    .prefault({}),
});

export type Source = z.infer<typeof sourceSchema>;

/** The addresses of a source. */
export function addressesOf(source: Pick<Source, 'url'>): readonly string[] {
  return typeof source.url === 'string' ? [source.url] : source.url;
}

/** Every text of a source that may hold a reference to a secret, and where it stands. */
export function secretTexts(source: Source): { readonly path: readonly string[]; readonly text: string }[] {
  const { headers, query, body: sent, token: asked, sftp: login } = source;
  return [
    ...textsIn(['headers'], headers),
    ...textsIn(['query'], query),
    ...textsIn(['body'], sent),
    ...textsIn(['token', 'headers'], asked?.headers),
    ...textsIn(['token', 'form'], asked?.form),
    ...textsIn(['token', 'body'], asked?.body),
    ...textsIn(['sftp', 'password'], login?.password),
    ...textsIn(['sftp', 'privateKey'], login?.privateKey),
    ...textsIn(['sftp', 'passphrase'], login?.passphrase),
  ];
}

/** All texts in a value, and where each stands. */
export function textsIn(
  path: readonly string[],
  value: unknown,
): { readonly path: readonly string[]; readonly text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsIn([...path, name], inner));
}
