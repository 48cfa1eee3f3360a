/** As many of a field’s values as the API lets a request have, and characters of one. */
export const MOST_CHOSEN = 60;
const MOST_TEXT = 200;

/** What `GET /dashboards/:id/filters/:field` answers. */
export interface Values {
  readonly values: readonly string[];
  /** There are more than these. */
  readonly more?: boolean;
}

/** Values to choose from, those that are chosen among them, and what there is to say of those that are not. */
export function offered(
  { values, more = false }: Values,
  chosen: Iterable<string>,
): { readonly values: readonly string[]; readonly notes: readonly string[] } {
  const fit = values.filter((value) => value.length > 0 && value.length <= MOST_TEXT);
  return {
    values: [...new Set([...fit, ...chosen])],
    notes: [
      ...(more ? [`These are the first ${values.length} values; there are more.`] : []),
      ...(fit.length < values.length
        ? [`Empty values, and those of more than ${MOST_TEXT} characters, cannot be chosen.`]
        : []),
    ],
  };
}
