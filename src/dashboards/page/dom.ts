type Listener = (event: Event) => void;
/** Attributes by name; what begins with `on` is a listener. `true` is an attribute without a value, `false` and undefined are none. */
type Attributes = Readonly<Record<string, string | number | boolean | Listener | undefined>> & {
  // Refused by the Content-Security-Policy.
  readonly style?: never;
};
type Child = Node | string | undefined;

/** An element with attributes and children. Texts are texts: nothing in them is markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export const button = (text: string, onclick: () => void, attributes: Attributes = {}): HTMLButtonElement =>
  element('button', { type: 'button', onclick, ...attributes }, text);

/** A choice with a label before it. @param options [value, text] @param id by which the focus is found again once the view is drawn anew */
export function choice(
  label: string,
  options: readonly (readonly [string, string])[],
  chosen: string,
  changed: (value: string) => void,
  id?: string,
): HTMLLabelElement {
  const select = element(
    'select',
    { id, onchange: () => changed(select.value) },
    ...options.map(([value, text]) => element('option', { value, selected: value === chosen }, text)),
  );
  return element('label', { class: 'field' }, element('span', {}, label), select);
}

/** Said to whoever listens to the page. */
export function say(sentence: string): void {
  const room = document.querySelector('#said');
  if (room) room.textContent = sentence;
}

/** An error in one sentence, and a way to try again. */
export function failed(sentence: string, again: () => void): HTMLElement {
  return element('div', { class: 'failed' }, element('p', { role: 'alert' }, sentence), button('Try again', again));
}
