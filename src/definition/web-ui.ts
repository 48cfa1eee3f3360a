/** The page of a run in Temporal's Web UI. @param ui where that is, with or without a slash at its end @param runId the newest run where left out */
export function webUiPage(ui: string, namespace: string, workflowId: string, runId?: string): string {
  const page = `${ui.replace(/\/+$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  return runId === undefined ? page : `${page}/${runId}`;
}

/** Where the Web UI is: as the environment says; that of a Temporal at its usual place on this machine is known without. @param address host:port of Temporal */
export function webUiOf(given: string | undefined, address: string): string | undefined {
  if (given !== undefined && given !== '') return given;
  return /^(127\.0\.0\.1|localhost):7233$/.test(address) ? 'http://127.0.0.1:8233' : undefined;
}
