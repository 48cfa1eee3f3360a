// Before the first paint, and a script of its own for that: a page that its reader wants dark must not flash.
try {
  const chosen = localStorage.getItem('sluice-mode');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['mode'] = chosen;
} catch {
  // Where the browser keeps nothing, its own mode is taken.
}
// Charts are what most readers come for; other views do without.
if (!new URLSearchParams(location.search).has('view')) {
  for (const [rel, name] of [
    ['preload', '/dashboard/assets/vega.min.js'],
    ['modulepreload', '/dashboard/assets/vega-interpreter.js'],
  ] as const) {
    const link = document.createElement('link');
    link.rel = rel;
    if (rel === 'preload') link.as = 'script';
    link.href = name;
    document.head.append(link);
  }
}
