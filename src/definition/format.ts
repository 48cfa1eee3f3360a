import { z } from 'zod';

/** Encodings that can be declared. `latin1` and `iso-8859-1` are read as windows-1252, as browsers do. */
export const encodings = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'windows-1253',
  'windows-1254',
  'windows-1255',
  'windows-1256',
  'windows-1257',
  'windows-1258',
  'windows-874',
  'latin1',
  'iso-8859-1',
  'iso-8859-2',
  'iso-8859-3',
  'iso-8859-4',
  'iso-8859-5',
  'iso-8859-6',
  'iso-8859-7',
  'iso-8859-8',
  'iso-8859-10',
  'iso-8859-13',
  'iso-8859-14',
  'iso-8859-15',
  'iso-8859-16',
  'macintosh',
  'x-mac-cyrillic',
  'ibm866',
  'koi8-r',
  'koi8-u',
  'gbk',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-jp',
  'euc-kr',
] as const;
export type Encoding = (typeof encodings)[number];

const oneCharacter = z.string().regex(/^[\x21-\x7e]?$/, 'must be one character of ASCII, or empty for none');

/** How the bytes of a file are text, and the text is rows. What is left out is found on the first MiB and shown. */
export const formatSchema = z
  .strictObject({
    compression: z
      .enum(['none', 'gzip', 'zstd', 'bzip2', 'zip'])
      .optional()
      .describe('Found by content where left out. A zip must have one member.'),
    encoding: z.enum(encodings).optional().describe('UTF-8, or what a byte order mark says, where left out.'),
    invalidBytes: z
      .enum(['reject', 'replace', 'fail'])
      .default('reject')
      .describe('Bytes that are no text: reject the row, put U+FFFD in their place, or fail the run.'),
    delimiter: z
      .string()
      .min(1)
      .max(8)
      .regex(/^[^\r\n"]+$/, 'must not hold a line end or a quote')
      .optional(),
    quote: oneCharacter.optional().describe('Empty: no field is quoted.'),
    escape: oneCharacter
      .optional()
      .describe('Takes the meaning off a quote, a delimiter or itself. Quotes are doubled where left out.'),
    comment: z.string().max(8).optional().describe('Lines that begin with this are no rows.'),
    spaces: z.enum(['keep', 'trim']).default('keep').describe('Spaces and tabs around fields and their quotes.'),
    skipRows: z.int().min(0).max(10_000).optional().describe('Lines above the header. Found where left out.'),
    headerRows: z.int().min(0).max(2).default(1).describe('0: there is none; 2: two are joined.'),
    header: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Names of the columns, in place of what the file says.'),
    decimal: z.enum(['.', ',']).default('.').describe('The decimal mark of numbers.'),
    thousands: z.enum(['', ',', '.', ' ', "'", '_']).default('').describe('Stands between groups of three digits.'),
    missing: z
      .array(z.string())
      .default([''])
      .describe('Texts that mean: no value, for columns that say nothing of it.'),
  })
  .refine(({ quote, delimiter }) => quote === undefined || quote === '' || delimiter?.includes(quote) !== true, {
    path: ['delimiter'],
    message: 'must not hold the quote',
  })
  .refine(({ decimal, thousands }) => decimal !== thousands, {
    path: ['thousands'],
    message: 'must not be the decimal mark',
  });

export type DeclaredFormat = z.infer<typeof formatSchema>;
