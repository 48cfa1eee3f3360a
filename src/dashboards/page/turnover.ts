/** A run that is followed, or was until it ended. */
export interface Followed {
  readonly id: string;
  readonly isOver: boolean;
  /** Its events broke off, and say nothing of how it went. */
  readonly isLost: boolean;
}

/**
 * Which runs go, and which come.
 * @param shown the one that came first in front
 * @param running the newest in front
 * @param most so many are followed at a time
 * @param anew whether others are wanted than before: what runs on, and is not among them, goes, too
 */
export function turnover(
  shown: readonly Followed[],
  running: readonly string[],
  most: number,
  anew: boolean,
): { readonly go: readonly string[]; readonly come: readonly string[] } {
  const stay = shown.filter(({ id, isLost }) => !isLost && (!anew || running.includes(id)));
  const following = stay.filter(({ isOver }) => !isOver).length;
  const come = running.filter((id) => !stay.some((one) => one.id === id)).slice(0, Math.max(0, most - following));
  // What has ended stands until others take its place: its reader should see how.
  const ended = stay.filter(({ id, isOver }) => isOver && !running.includes(id));
  const over = ended.slice(0, Math.max(0, stay.length + come.length - most));
  const kept = stay.filter((one) => !over.includes(one));
  return { go: shown.filter((one) => !kept.includes(one)).map(({ id }) => id), come };
}
