/** A row that is sound so far: its canonical values, variants behind. */
export interface SoundRow {
  readonly file: number;
  readonly row: number;
  readonly values: readonly (string | null)[];
}
