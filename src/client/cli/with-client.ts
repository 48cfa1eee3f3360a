import { SluiceClient } from '../sluice-client.ts';

/** Connects for as long as something takes. @throws SluiceError `StackUnavailable` where no Temporal server answers */
export async function withClient<T>(work: (client: SluiceClient) => Promise<T>): Promise<T> {
  const client = await SluiceClient.connect();
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
