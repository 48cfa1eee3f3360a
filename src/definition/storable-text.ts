/** Whether every engine and every server keeps a text: it holds no NUL and no half of a character. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
