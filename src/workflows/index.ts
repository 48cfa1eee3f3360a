// What the worker bundles, and what clients know workflows by. With it goes trace-headers.ts, which is no workflow but stands around them.
export { backfill } from './backfill.ts';
export { consumer } from './consumer.ts';
export { incident } from './incident.ts';
export { launch } from './launch.ts';
export { maintenance } from './maintenance.ts';
export { notifier } from './notifier.ts';
export { pipeline } from './pipeline.ts';
export { reindex } from './reindex.ts';
export { slot } from './slot.ts';
export { watchdog } from './watchdog.ts';
