import { KafkaConnector } from '../connectors/kafka.ts';
import { kafkaLog } from '../connectors/kafka-log.ts';
import { MailConnector } from '../connectors/mail.ts';
import { ObjectStore } from '../connectors/object-store.ts';
import { redactor } from '../connectors/redaction.ts';
import { SearchConnector } from '../connectors/search.ts';
import { ServerLogs } from '../connectors/server-logs.ts';
import { readSettings } from '../connectors/settings.ts';
import { SparkConnector } from '../connectors/spark/spark.ts';
import { ZooKeeperConnector } from '../connectors/zookeeper.ts';
import type { StageDeps } from '../stages/deps.ts';

/**
 * The stages' dependencies of a process, from its environment.
 * @throws SluiceError `SettingsInvalid`
 */
export function stageDepsOf(environment: Readonly<Record<string, string | undefined>>): StageDeps {
  const settings = readSettings(environment);
  const kafka = new KafkaConnector(settings.kafka);
  return {
    settings,
    store: new ObjectStore(settings.store),
    kafka,
    log: kafkaLog(kafka),
    search: new SearchConnector(settings.elasticsearch),
    mail: new MailConnector(settings.mail),
    ...(settings.zookeeper ? { zookeeper: new ZooKeeperConnector(settings.zookeeper) } : {}),
    ...(settings.serverLogs === undefined
      ? {}
      : {
          serverLogs: new ServerLogs(
            settings.serverLogs,
            redactor(environment, (text) => settings.secrets.redacted(text)),
          ),
        }),
    ...(settings.spark ? { spark: new SparkConnector(settings.spark) } : {}),
  };
}
