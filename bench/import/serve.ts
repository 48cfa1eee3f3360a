import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// Serves one file to whoever asks; prints its port.
const [file = ''] = process.argv.slice(2);
const server = createServer((_request, response) => {
  response.setHeader('content-length', statSync(file).size);
  createReadStream(file, { highWaterMark: 1_048_576 }).pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
