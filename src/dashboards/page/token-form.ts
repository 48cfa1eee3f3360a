import { element } from './dom.ts';
import { isToken, keepToken } from './token.ts';

const NO_TOKEN =
  'That can be no token: one has 16 characters or more, of plain letters, digits and signs, and no space. Copy it once more.';

/** Asked where the API wants a token. It is kept until the tab is closed. */
export function tokenForm(sentence: string | undefined, given: () => void): HTMLElement {
  const input = element('input', { type: 'password', id: 'token', autocomplete: 'off', required: true, minlength: 16 });
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.value.trim();
    wrong.textContent = isToken(token) ? '' : NO_TOKEN;
    if (!isToken(token)) return;
    keepToken(token);
    given();
  };
  const wrong = element('p', { class: 'wrong', role: 'alert' }, sentence);
  return element(
    'form',
    { class: 'token', onsubmit: submit },
    element('h1', { tabindex: -1 }, 'A token is needed'),
    element('p', {}, 'This API lets in who has its token (SLUICE_API_TOKEN). It is kept until this tab is closed.'),
    wrong,
    element('label', { for: 'token' }, 'Token'),
    input,
    element('button', { type: 'submit', class: 'main' }, 'Go on'),
  );
}
