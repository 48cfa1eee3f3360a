import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import { sendWithPage, type AlertPage } from '../alerting/mail-with-page.ts';
import type { StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import type { Alerted, AlertInput } from '../run-report.ts';

/**
 * Tells by mail that an hour failed, or is late, where `alerts.email` says whom. Once for an hour and a subject, by itself the error's code: the claim is stored
 * create-once before the mail goes out, and taken back only where the server surely did not accept it.
 * @param makePage makes what is attached; where it fails, or where the server does not take a mail with it, the mail goes out without
 * @throws SluiceError `MailUnavailable`
 */
export async function sendFailureAlert(
  deps: Pick<StageDeps, 'store' | 'mail'>,
  input: AlertInput,
  makePage: () => Promise<AlertPage>,
): Promise<{ sent: boolean }> {
  const { email } = input.pipeline.alerts;
  const { report } = input;
  if (!email || !report.error) return { sent: false };
  const what = report.error.code === 'DeadlineNear' ? 'is late in' : 'failed in';
  const key = keys.alert(report.pipeline, report.hour, input.subject ?? report.error.code);
  const messageId = `<${sha256Hex(key).slice(0, 32)}@sluice>`;
  if ((await deps.store.findJson(key)) !== undefined) return { sent: false };
  // Before the claim: a worker that dies between that and the mail has told nobody, for good.
  const page = await makePage().catch((error: unknown) => ({ missing: sentenceOf(error) }));
  const claim = { messageId, runId: report.runId, claimedAt: new Date().toISOString() };
  const { value } = await deps.store.createJson(key, claim);
  if (value.runId !== claim.runId || value.claimedAt !== claim.claimedAt) return { sent: false };
  const mail = {
    to: email.to,
    messageId,
    subject: `Sluice: ${report.pipeline} ${hourKey(report.hour)} ${what} ${report.error.stage} (${report.error.code})`,
  };
  try {
    const text = (attached = ''): string => `${textOf(report)}\n\n${attached}`;
    await sendWithPage(deps.mail, { ...mail, text }, page);
    return { sent: true };
  } catch (error) {
    if (error instanceof SluiceError && error.facts['accepted'] === false) await deps.store.remove([key]);
    throw error;
  }
}

function textOf(report: Alerted): string {
  const { error } = report;
  const lines = [
    error?.message ?? '',
    '',
    `Pipeline   ${report.pipeline}`,
    `Hour       ${report.hour}`,
    `Stage      ${error?.stage ?? ''}`,
    `Error      ${error?.code ?? ''}`,
    `Workflow   ${report.workflowId}`,
    `Run        ${report.runId}`,
    '',
    'Stages',
    ...report.stages.map(({ stage, ms }) => `  ${stage.padEnd(24)} ${(ms / 1000).toFixed(1)} s`),
  ];
  return lines.join('\n');
}
