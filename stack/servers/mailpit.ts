import { join } from 'node:path';
import { expectOk, LOOPBACK, type Server } from './server.ts';

export const mailpit: Server = {
  name: 'mailpit',
  title: 'Mailpit, an inbox for every mail',
  ports: { smtp: 1025, inbox: 8025 },
  prepare: async () => {},
  launch: ({ home, folder, ports }) => ({
    program: join(home, 'mailpit'),
    args: [
      ...['--smtp', `${LOOPBACK}:${ports['smtp']}`, '--listen', `${LOOPBACK}:${ports['inbox']}`],
      ...['--database', join(folder, 'mailpit.db'), '--disable-version-check', '--quiet'],
    ],
  }),
  answers: async ({ ports }) => {
    await expectOk(`http://${LOOPBACK}:${ports['inbox']}/readyz`);
  },
  environment: ({ ports }) => ({
    SLUICE_SMTP_URL: `smtp://${LOOPBACK}:${ports['smtp']}`,
    SLUICE_INBOX_URL: `http://${LOOPBACK}:${ports['inbox']}`,
  }),
  link: ({ ports }) => `http://${LOOPBACK}:${ports['inbox']}`,
};
