import { keepToken } from './api.ts';
import { element } from './dom.ts';

/** Asked where the API wants a token. It is kept until the tab is closed. */
export function tokenForm(sentence: string | undefined, given: () => void): HTMLElement {
  const input = element('input', { type: 'password', id: 'token', autocomplete: 'off', required: true, minlength: 16 });
  const submit = (event: Event): void => {
    event.preventDefault();
    keepToken(input.value.trim());
    given();
  };
  return element(
    'form',
    { class: 'token', onsubmit: submit },
    element('h1', { tabindex: -1 }, 'A token is needed'),
    element('p', {}, 'This API lets in who has its token (SLUICE_API_TOKEN). It is kept until this tab is closed.'),
    sentence === undefined ? undefined : element('p', { class: 'wrong', role: 'alert' }, sentence),
    element('label', { for: 'token' }, 'Token'),
    input,
    element('button', { type: 'submit', class: 'main' }, 'Go on'),
  );
}
