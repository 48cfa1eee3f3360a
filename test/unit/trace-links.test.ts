import { describe, expect, it, vi } from 'vitest';
import { withTraceLink } from '../../src/client/api/run-routes.ts';
import { reportSchema } from '../../src/client/api/run-schemas.ts';
import { runPage } from '../../src/dashboards/run-page/page.ts';
import { traceLink } from '../../src/definition/trace-links.ts';
import { runReport } from '../helpers/operations.ts';

describe('the link to a trace in reports', () => {
  const trace = '7de723c16abdb9c07c4f94d657884682';
  const given = 'http://127.0.0.1:16686/trace/{traceId}';
  const page = `http://127.0.0.1:16686/trace/${trace}`;
  const problem = expect.stringMatching(/^SLUICE_TRACE_URL: needs an address/) as string;
  const shown = (traceUrl?: string, of = trace): string =>
    runPage({
      report: { ...runReport(), trace: of },
      madeAt: new Date(0),
      ...(traceUrl === undefined ? {} : { traceUrl }),
    });

  it('is its page, or a sentence that says why there is none', () => {
    expect(traceLink(given, trace)).toEqual({ page });
    expect(traceLink(undefined, trace)).toEqual({});
    for (const wrong of ['javascript:alert({traceId})', 'data:text/html,{traceId}', 'http://a:hush@b/{traceId}']) {
      expect(traceLink(wrong, trace)).toEqual({ problem });
      expect(traceLink(wrong, trace).problem).not.toContain('hush');
    }
  });

  it('stands in the HTML page of a run', () => {
    const link = `<a href="${page}" rel="noreferrer"><code class="long">${trace}</code></a>`;
    expect(shown(given)).toContain(link);
    expect(shown()).toContain(`<code class="long">${trace}</code>`);
    expect(shown()).not.toContain('<a ');
    const wrong = shown('javascript:{traceId}');
    expect(wrong).not.toContain('<a ');
    expect(wrong).toContain(`${trace}</code> (SLUICE_TRACE_URL: needs an address`);
  });

  it('is text there, whatever stands in a report or an address', () => {
    const hostile = '"><script>alert(1)</script>\uD800';
    expect(shown(`${given}?q="><script>`, hostile)).not.toContain('<script');
    expect(traceLink(given, '../$&?x#y').page).toBe('http://127.0.0.1:16686/trace/..%2F%24%26%3Fx%23y');
  });

  it('comes with the report by HTTP, and is left out where nobody said where traces are looked at', () => {
    const report = { ...runReport(), trace };
    expect(withTraceLink(report, given)).toEqual({ ...report, traceLink: { page } });
    expect(withTraceLink(report, 'jaeger')).toEqual({ ...report, traceLink: { problem } });
    expect(withTraceLink(report, undefined)).toBe(report);
    expect(withTraceLink(runReport(), given)).not.toHaveProperty('traceLink');
    // As it goes out.
    expect(reportSchema.parse(withTraceLink(report, given))).toMatchObject({ trace, traceLink: { page } });
  });

  it('stands on the built-in page, and leads nowhere but to a page', async () => {
    const { traceOf } = (await import(new URL('../../src/dashboards/page/report-trace.ts', import.meta.url).href)) as {
      traceOf: (trace: string, link?: object) => unknown[];
    };
    const made = { attributes: {} as Record<string, string>, text: '' };
    const setAttribute = (name: string, value: string): void => void (made.attributes[name] = value);
    vi.stubGlobal('document', {
      createElement: (tag: string) => ({ tag, setAttribute, append: (text: string) => void (made.text += text) }),
    });
    try {
      expect(traceOf(trace, { page })).toEqual([expect.objectContaining({ tag: 'a' })]);
      expect(made).toEqual({ attributes: { href: page, rel: 'noreferrer' }, text: trace });
      expect(traceOf(trace, { page: 'javascript:alert(1)' })).toEqual([trace]);
      expect(traceOf(trace, { problem: 'It is none.' })).toEqual([trace, ' (It is none.)']);
      expect(traceOf(trace)).toEqual([trace]);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
