import { messageOf } from './api.ts';
import { button, element } from './dom.ts';

/** What a dialog asks for. */
export interface Question {
  readonly title: string;
  /** What comes of it. */
  readonly consequence: string;
  /** On the button that does it. */
  readonly yes: string;
  readonly fields: readonly HTMLElement[];
  /** What is wrong with what the fields hold; undefined where nothing is. */
  readonly wrong: () => string | undefined;
  /** Does it; until it has, nobody can say no any more. Where it throws, the dialog stands, and says why. */
  readonly send: () => Promise<void>;
}

let numbered = 0;

/** Asks in a dialog, which keeps the focus until it is answered: Escape and “Leave it” are a no. @returns whether it was done */
export function askIn({ title, consequence, yes, fields, wrong, send }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const id = `question-${++numbered}`;
    const trouble = element('p', { class: 'wrong', role: 'alert' });
    const done = element('button', { type: 'submit', class: 'main' }, yes);
    const leave = button('Leave it', () => dialog.close('no'));
    const sends = (isSending: boolean): void => void (done.disabled = leave.disabled = isSending);
    const submit = async (): Promise<void> => {
      trouble.textContent = wrong() ?? '';
      if (trouble.textContent !== '') return;
      sends(true);
      try {
        await send();
        dialog.close('yes');
      } catch (error) {
        trouble.textContent = messageOf(error);
      } finally {
        sends(false);
      }
    };
    const form = element(
      'form',
      {
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          if (!done.disabled) void submit();
        },
      },
      element('h2', { id }, title),
      element('p', { id: `${id}-consequence` }, consequence),
      ...fields,
      trouble,
      element('div', { class: 'actions' }, leave, done),
    );
    const dialog = element(
      'dialog',
      { class: 'asking', 'aria-labelledby': id, 'aria-describedby': `${id}-consequence` },
      form,
    );
    dialog.addEventListener('cancel', (event) => {
      if (done.disabled) event.preventDefault();
    });
    dialog.addEventListener('close', () => {
      // A browser heeds that no longer where Escape is pressed twice.
      if (done.disabled) return dialog.showModal();
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
