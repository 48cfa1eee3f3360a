import type { Incident } from '../../definition/incidents.ts';
import type { StageContext } from '../deps.ts';
import { incidentDocument } from './incident-documents.ts';

/** Which open incidents have been indexed, and how they stood then: each is indexed again only where something of it has changed. */
export class IndexedIncidents {
  readonly #index: (incidents: readonly Incident[], ctx: StageContext) => Promise<unknown>;
  #indexed: ReadonlyMap<string, string> = new Map();

  constructor(index: (incidents: readonly Incident[], ctx: StageContext) => Promise<unknown>) {
    this.#index = index;
  }

  /** Indexes what has changed since the last time. What that fails of is tried again the next time. @param open all that are open */
  async are(open: readonly Incident[], ctx: StageContext): Promise<void> {
    const standing = open.map((incident) => {
      const { id, ...document } = incidentDocument(incident);
      return { incident, id, document: JSON.stringify(document) };
    });
    const changed = standing.filter(({ id, document }) => this.#indexed.get(id) !== document);
    if (changed.length > 0)
      await this.#index(
        changed.map(({ incident }) => incident),
        ctx,
      );
    // Those that are over are indexed as they end, and nobody asks for them here again.
    this.#indexed = new Map(standing.map(({ id, document }) => [id, document]));
  }
}
