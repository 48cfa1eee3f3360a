/** One thing that is wrong with a definition, and where. */
export interface Problem {
  /** `columns.ZIP.type`; empty for the file as a whole. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A problem before its place in the file is known. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** It is about the name at the end of the path, not about its value. */
  readonly atKey?: boolean;
}
