import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { MailConnector } from '../../connectors/mail.ts';
import { readSettings } from '../../connectors/settings.ts';
import { channelsOf, type Channel } from '../../definition/deliveries.ts';
import { didYouMean } from '../../definition/did-you-mean.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { previewOf, testNotice, tryChannel, type ChannelTried } from '../../inspecting/alert-channels.ts';
import { pipelineOf } from './pipelines.ts';

export interface AlertsTestFlags {
  readonly channel?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * `sluice alerts test`: sends by each channel what says of itself that it is a test, with the secrets of this process.
 * @returns 1 where one of them did not take it, or may not have
 */
export async function testAlerts(given: string, { channel: name, dryRun, json }: AlertsTestFlags): Promise<number> {
  const pipeline = await pipelineOf(given);
  const channels = chosen(pipeline, name);
  const settings = readSettings(process.env);
  const { temporalUi, apiUrl } = settings;
  const addresses = {
    namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default',
    ...(temporalUi === undefined ? {} : { temporalUi }),
    ...(apiUrl === undefined ? {} : { apiUrl }),
  };
  const notice = testNotice(pipeline.name, randomUUID(), new Date().toISOString(), hostname());
  if (dryRun) {
    const previews = channels.map((channel) => previewOf(channel, notice, addresses));
    if (json) process.stdout.write(`${JSON.stringify({ pipeline: pipeline.name, previews })}\n`);
    else
      process.stdout.write(
        previews.map(({ channel, kind, shown }) => `--- ${channel} (${kind})\n${shown.trimEnd()}\n`).join('\n'),
      );
    return 0;
  }
  const deps = { settings, mail: new MailConnector(settings.mail) };
  const tried = await Promise.all(channels.map((channel) => tryChannel(deps, pipeline, channel, notice, addresses)));
  if (json) process.stdout.write(`${JSON.stringify({ pipeline: pipeline.name, channels: tried })}\n`);
  else process.stdout.write(tried.map(line).join(''));
  return tried.every(({ ok }) => ok) ? 0 : 1;
}

const line = ({ channel, kind, ok, sentence }: ChannelTried): string =>
  `${ok ? 'ok  ' : 'FAIL'}  ${channel.padEnd(14)} ${kind.padEnd(8)} ${sentence}\n`;

/** @throws SluiceError `DefinitionInvalid` where there is none, or none of that name */
function chosen({ name: pipeline, alerts }: Pipeline, name: string | undefined): readonly Channel[] {
  const all = channelsOf(alerts);
  if (all.length === 0) {
    const message = `${pipeline} has no channel: define alerts.email, alerts.slack, alerts.webhook or one in alerts.channels.`;
    throw new SluiceError('DefinitionInvalid', message);
  }
  if (name === undefined) return all;
  const names = all.map((channel) => channel.name);
  const found = all.filter((channel) => channel.name === name);
  if (found.length > 0) return found;
  const message = `${pipeline} has no channel "${name}".${didYouMean(name, names) || ` There are ${names.join(', ')}.`}`;
  throw new SluiceError('DefinitionInvalid', message);
}
