// Before the first paint, and a script of its own for that: a page that its reader wants dark must not flash.
try {
  const chosen = localStorage.getItem('sluice-mode');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['mode'] = chosen;
} catch {
  // Where the browser keeps nothing, its own mode is taken.
}
