import type { Settings } from '../../connectors/settings.ts';
import type { Source } from '../../definition/source.ts';

/** What a file is asked for with. */
export interface SourceRequest {
  readonly url: URL;
  readonly source: Source;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** Bytes that an earlier attempt has stored: only the rest is wanted, if the file is still the same. */
  readonly resume?: { readonly bytes: number; readonly validator: string };
  /** What an earlier hour was told of the file: it need not be sent again if it is still so. */
  readonly known?: { readonly etag?: string; readonly lastModified?: string };
  /** Ask for bytes as they are, so that they can be resumed. */
  readonly plain?: boolean;
  /** What goes with the request besides what the source says: the query of a page, a token. */
  readonly extra?: {
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

/** An open file: its bytes as they come, and what the source said of them. */
export interface SourceBytes {
  /** Where the bytes come from in the end, after redirects. */
  readonly url: URL;
  readonly etag?: string;
  readonly lastModified?: string;
  /** `rest`: what is behind the bytes that were stored already. `unchanged`: nothing, the known file is the current one. */
  readonly holds: 'all' | 'rest' | 'unchanged';
  /** By what the same file is known later on; absent where it cannot be resumed. */
  readonly validator?: string;
  /** The next page, where the source names it in a header. */
  readonly next?: URL;
  /** What a reader should know. */
  readonly notes?: readonly string[];
  /** @throws SluiceError `SourceCut`, `SourceStalled`, `SourceTooSlow`, `SourceLengthWrong`, `SourceTooLarge`, `SourceUnavailable` */
  readonly bytes: AsyncIterable<Buffer>;
}

/** Bytes of nothing. */
export async function* noBytes(): AsyncGenerator<Buffer> {}
