/**
 * A line of CSV as Sluice and DuckDB's `COPY … (NULLSTR '')` write it, without the line end: null is nothing, an empty
 * text is `""`.
 */
export function csvLine(values: readonly (string | null)[]): string {
  return values.map(csvField).join(',');
}

function csvField(value: string | null): string {
  if (value === null) return '';
  if (value !== '' && !/[",\r\n#]/.test(value)) return value;
  return `"${value.replaceAll('"', '""')}"`;
}
