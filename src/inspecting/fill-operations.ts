/** What is indexed of runs, made anew from their reports, and of incidents, from how they stand. */
export { fillOperations, type Filled } from '../stages/accounting/operations.ts';
export { indexIncidents } from '../stages/accounting/incident-documents.ts';
export { keptFrom, keptIncidents } from '../stages/accounting/kept-incidents.ts';
