import type { FastifyRequest } from 'fastify';
import { hourKey } from '../../definition/hour.ts';
import { hourOfRun } from '../../definition/names.ts';
import { webUiOf, webUiPage } from '../../definition/web-ui.ts';
import type { TemporalPlace } from '../../connectors/temporal.ts';
import type { Links } from './schemas.ts';

/** Where a run can be looked at: here, and in Temporal's Web UI where its address is known. */
export class RunLinks {
  readonly #webUi: string | undefined;
  readonly #namespace: string;
  readonly #own: string | undefined;

  /**
   * @param own what links to this API begin with; what the request came by where left out
   * @param webUi SLUICE_TEMPORAL_UI_URL; of a Temporal at its usual place on this machine it is known without
   */
  constructor(own: string | undefined, webUi: string | undefined, { address, namespace }: TemporalPlace) {
    this.#own = own;
    this.#webUi = webUiOf(webUi, address);
    this.#namespace = namespace;
  }

  of({ headers }: Pick<FastifyRequest, 'headers'>, workflowId: string, runId?: string): Links {
    const { pipeline = '', hour = '' } = hourOfRun(workflowId) ?? {};
    // It has no TLS of its own.
    const run = `${this.#own ?? `http://${headers.host}`}/runs/${pipeline}/${hourKey(hour)}`;
    const query = runId === undefined ? '' : `?run=${runId}`;
    return {
      run,
      report: `${run}/report${query}`,
      events: `${run}/events`,
      ...(this.#webUi === undefined ? {} : { temporal: webUiPage(this.#webUi, this.#namespace, workflowId, runId) }),
    };
  }
}
