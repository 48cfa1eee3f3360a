import { stripVTControlCharacters } from 'node:util';

/** Text from a log or a history as it can stand in a line of a terminal: what would steer the terminal is taken out, and line ends and tabs are spaces. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/[\t\r\n]+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '');
