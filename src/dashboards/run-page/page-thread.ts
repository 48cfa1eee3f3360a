import { parentPort, workerData } from 'node:worker_threads';
import { SearchConnector } from '../../connectors/search.ts';
import type { Settings } from '../../connectors/settings.ts';
import type { ThreadMessage } from '../../stages/cleaning/thread.ts';
import { makeRunPage, type RunPageInput } from './make-run-page.ts';

/** What the thread is given to make a page from. */
export type PageJob = Omit<RunPageInput, 'search'> & { readonly elasticsearch: Settings['elasticsearch'] };

const { elasticsearch, ...input } = workerData as PageJob;
const search = new SearchConnector(elasticsearch);
const message: ThreadMessage<string> = { result: await makeRunPage({ ...input, search }) };
parentPort?.postMessage(message);
await search.close();
