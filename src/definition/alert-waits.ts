/** So long anybody waits for a reminder or an escalation, in milliseconds; what is longer is meant to be `never`. */
export const LONGEST_WAIT_MS = 366 * 86_400_000;
