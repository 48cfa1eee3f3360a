import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

// A worker for the workflow that does nothing, in a process of its own, as `sluice worker` is.
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const worker = await Worker.create({
  connection,
  taskQueue: 'bench-floor',
  workflowsPath: fileURLToPath(new URL('floor-workflow.ts', import.meta.url)),
  activities: { nothing: async () => {} },
});
process.on('disconnect', () => worker.shutdown());
process.stdout.write('ready\n');
await worker.run();
await connection.close();
