import { button, element } from './dom.ts';

/** Asks before something is done. Escape and “Leave it” are a no; the focus goes back to where it was. */
export function confirmed(question: string, consequence: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = element(
      'dialog',
      { 'aria-labelledby': 'confirm-question', 'aria-describedby': 'confirm-consequence' },
      element('h2', { id: 'confirm-question' }, question),
      element('p', { id: 'confirm-consequence' }, consequence),
      element(
        'div',
        { class: 'actions' },
        button('Leave it', () => dialog.close('no')),
        button(yes, () => dialog.close('yes'), { class: 'main' }),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
