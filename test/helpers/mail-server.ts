import { createServer, type AddressInfo, type Server } from 'node:net';

export type Breaks = 'is silent' | 'closes' | 'resets';

export interface MailManners {
  /** What it answers to a message, where it does not take it. */
  readonly refuses?: (message: string) => string | undefined;
  /** What it answers to a command, where that is not what it should. */
  readonly answers?: (command: string) => string | undefined;
  /** What it does once it has kept a message, instead of an answer; or as soon as a command begins so. */
  readonly breaks?: { readonly how: Breaks; readonly at: 'the message' | 'HELLO' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' };
}

/** Mail servers on loopback with manners of their own; each keeps what it takes. */
export class MailServers {
  readonly #open = new Set<Server>();

  async open({ refuses, answers, breaks }: MailManners = {}): Promise<{ url: string; taken: string[] }> {
    const taken: string[] = [];
    const server = createServer((socket) => {
      let message: string | undefined;
      const breakOff = (): void => {
        if (breaks?.how === 'closes') socket.destroy();
        if (breaks?.how === 'resets') socket.resetAndDestroy();
      };
      if (breaks?.at === 'HELLO') breakOff();
      else socket.write('220 here\r\n');
      socket.on('data', (chunk: Buffer) => {
        const text = chunk.toString();
        if (message !== undefined) {
          message += text;
          if (!message.endsWith('\r\n.\r\n')) return;
          const refused = refuses?.(message);
          if (refused === undefined) taken.push(message);
          message = undefined;
          if (breaks?.at === 'the message') breakOff();
          else socket.write(`${refused ?? '250 taken'}\r\n`);
        } else if (breaks && text.startsWith(breaks.at)) {
          breakOff();
        } else if (answers?.(text) !== undefined) {
          socket.write(`${answers(text)}\r\n`);
        } else if (/^DATA/i.test(text)) {
          message = '';
          socket.write('354 go on\r\n');
        } else {
          socket.write(/^QUIT/i.test(text) ? '221 bye\r\n' : '250 fine\r\n');
        }
      });
      socket.on('error', () => {});
    });
    this.#open.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
  }

  close(): void {
    for (const server of this.#open) server.close();
    this.#open.clear();
  }
}
