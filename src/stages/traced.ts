// For activities, which know connectors by stages alone.
export { traced, traceHere, type Span } from '../connectors/tracing.ts';
