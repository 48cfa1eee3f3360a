import type { Alerted, RunReport } from '../../stages/run-report.ts';

/** What a page can tell of a run: all of its report, or as much as there is of one that is on its way. */
export type ReportOnPage = Alerted & Partial<Omit<RunReport, keyof Alerted>>;
