// The command line writes what was inspected; formats themselves are behind this room.
export { csvHeader, csvRows } from '../formats/csv-writer.ts';
