let of = 'Sluice';
let open = 0;

/** What the tab is called. */
export function setTitle(title: string): void {
  of = title;
  write();
}

/** So many incidents are open: it stands before the title, where it is seen from other tabs. */
export function setOpen(count: number): void {
  open = count;
  write();
}

const write = (): void => {
  document.title = `${open > 0 ? `(${open}) ` : ''}${of} · Sluice`;
};
