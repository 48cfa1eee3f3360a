import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaConnector } from '../../src/connectors/kafka.ts';
import { MailConnector } from '../../src/connectors/mail.ts';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { SearchConnector } from '../../src/connectors/search.ts';
import { readSettings, type Settings } from '../../src/connectors/settings.ts';
import type { StageDeps } from '../../src/stages/deps.ts';

/** The stages' dependencies on the servers of an environment, with a bucket of their own where one is named. */
export function stageDeps(environment: Readonly<Record<string, string | undefined>>, bucket?: string): StageDeps {
  const settings: Settings = readSettings({
    SLUICE_WORK_DIR: mkdtempSync(join(tmpdir(), 'sluice-test-work-')),
    ...environment,
    ...(bucket === undefined ? {} : { SLUICE_S3_BUCKET: bucket }),
  });
  return {
    settings,
    store: new ObjectStore(settings.store),
    kafka: new KafkaConnector(settings.kafka),
    search: new SearchConnector(settings.elasticsearch),
    mail: new MailConnector(settings.mail),
  };
}
