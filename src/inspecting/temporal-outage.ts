/** What tells of Temporal's absences, and therefore without it. */
export { tellDirectly, type DirectlyTold } from '../stages/alerting/tell-directly.ts';
export { Outages, type Outage } from '../stages/watching/outside/outages.ts';
export { recipientsOf, speakersFor } from '../stages/watching/outside/recipients.ts';
