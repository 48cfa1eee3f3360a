import type { Pipeline } from '../../definition/pipeline.ts';
import type { Settings } from '../../connectors/settings.ts';

/** What a source is asked with. */
export interface SourceRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: Pipeline['source']['limits'];
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/** An open source: its bytes as they come, and what it said of them. */
export interface SourceBytes {
  /** Where the bytes come from in the end, after redirects. */
  readonly url: URL;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly contentType?: string;
  /** @throws SluiceError `SourceCut`, `SourceTooLarge`, `SourceUnavailable` */
  readonly bytes: AsyncIterable<Buffer>;
}
