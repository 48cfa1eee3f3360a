/** What is asked of a Spark session, in the order in which it is. */
export type Statement =
  | { readonly kind: 'sql' | 'ask'; readonly text: string }
  | { readonly kind: 'view'; readonly name: string; readonly paths: readonly string[] };

/** The same statements for another scratch folder. */
export function movedTo(statements: readonly Statement[], from: string, to: string): Statement[] {
  return JSON.parse(JSON.stringify(statements).replaceAll(from, to)) as Statement[];
}
