/** A mail as the inbox server has it. */
export interface InboxMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Names of what is attached. */
  readonly attachments: readonly string[];
  /** The values of a header. */
  header(name: string): readonly string[];
}

/** The mails that the stack's mail server has for an address, the oldest first. */
export async function mailsTo(
  environment: Readonly<Record<string, string | undefined>>,
  address: string,
): Promise<InboxMail[]> {
  const json = async (path: string): Promise<unknown> => {
    const response = await fetch(new URL(path, environment['SLUICE_INBOX_URL']));
    if (!response.ok) throw new Error(`the inbox answers ${response.status} to ${path}`);
    return response.json();
  };
  const { messages } = (await json(`/api/v1/search?query=${encodeURIComponent(`to:${address}`)}&limit=200`)) as {
    messages: { ID: string }[];
  };
  const newestFirst = await Promise.all(
    messages.map(async ({ ID }): Promise<InboxMail> => {
      const mail = (await json(`/api/v1/message/${ID}`)) as {
        Subject: string;
        Text: string;
        HTML: string;
        Attachments: { FileName: string }[];
      };
      const headers = (await json(`/api/v1/message/${ID}/headers`)) as Record<string, string[]>;
      return {
        ...{ subject: mail.Subject, text: mail.Text, html: mail.HTML },
        attachments: mail.Attachments.map(({ FileName }) => FileName),
        header: (name) => headers[name] ?? [],
      };
    }),
  );
  return newestFirst.toReversed();
}
