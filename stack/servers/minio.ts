import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expectOk, LOOPBACK, type Server } from './server.ts';

export const minio: Server = {
  name: 'minio',
  title: 'MinIO, the object store',
  ports: { minio: 9000, minioConsole: 9001 },
  prepare: async ({ folder }) => {
    await mkdir(join(folder, 'data'), { recursive: true });
  },
  launch: ({ home, folder, ports, credentials }) => ({
    program: join(home, 'minio'),
    args: [
      ...['server', '--quiet', '--address', `${LOOPBACK}:${ports['minio']}`],
      ...['--console-address', `${LOOPBACK}:${ports['minioConsole']}`, join(folder, 'data')],
    ],
    environment: {
      MINIO_ROOT_USER: credentials.user,
      MINIO_ROOT_PASSWORD: credentials.password,
      MINIO_UPDATE: 'off',
      MINIO_CALLHOME_ENABLE: 'off',
    },
  }),
  answers: async ({ ports }) => {
    await expectOk(`http://${LOOPBACK}:${ports['minio']}/minio/health/ready`);
  },
  environment: ({ ports, credentials }) => ({
    SLUICE_S3_ENDPOINT: `http://${LOOPBACK}:${ports['minio']}`,
    SLUICE_S3_ACCESS_KEY: credentials.user,
    SLUICE_S3_SECRET_KEY: credentials.password,
    SLUICE_S3_CONSOLE_URL: `http://${LOOPBACK}:${ports['minioConsole']}`,
  }),
  link: ({ ports }) => `http://${LOOPBACK}:${ports['minioConsole']}`,
};
