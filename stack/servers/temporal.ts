import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../src/definition/names.ts';
import { LOOPBACK, type Server } from './server.ts';

export const temporal: Server = {
  name: 'temporal',
  title: 'Temporal with its Web UI',
  ports: { temporal: 7233, temporalUi: 8233, temporalMetrics: 7243 },
  prepare: async () => {},
  launch: ({ home, folder, ports }) => ({
    program: join(home, 'temporal'),
    args: [
      ...['server', 'start-dev', '--ip', LOOPBACK, '--ui-ip', LOOPBACK],
      ...['--port', String(ports['temporal']), '--ui-port', String(ports['temporalUi'])],
      ...['--metrics-port', String(ports['temporalMetrics'])],
      ...['--db-filename', join(folder, 'temporal.db'), '--log-level', 'warn'],
      ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ],
  }),
  answers: async ({ ports }) => {
    const connection = await Connection.connect({ address: `${LOOPBACK}:${ports['temporal']}`, connectTimeout: 2_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
    } finally {
      await connection.close();
    }
  },
  environment: ({ ports }) => ({
    TEMPORAL_ADDRESS: `${LOOPBACK}:${ports['temporal']}`,
    SLUICE_TEMPORAL_UI_URL: `http://${LOOPBACK}:${ports['temporalUi']}`,
  }),
  link: ({ ports }) => `http://${LOOPBACK}:${ports['temporalUi']}`,
};
