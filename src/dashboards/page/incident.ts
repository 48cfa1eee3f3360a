import type { Incident } from '../../definition/incidents.ts';

/** The same problem may have had several, one after the other. */
export const keyOf = ({ id, openedAt }: Incident): string => `${id} ${openedAt}`;
