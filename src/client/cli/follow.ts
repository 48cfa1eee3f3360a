import type { RunReport } from '../../workflows/messages.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { RunView } from './run-view.ts';
import type { Screen } from './screen.ts';

const REDRAW_EVERY_MS = 120;
const SAY_EVERY_MS = 10_000;

/** Shows a run stage by stage until it ends. @throws SluiceError what failed it */
export async function follow(client: SluiceClient, workflowId: string, screen: Screen): Promise<RunReport> {
  const terminal = process.stderr.isTTY;
  const view = new RunView(terminal);
  let said = Date.now();
  const tick = (): void => {
    if (terminal) screen.live(...view.live(Date.now()));
    else if (Date.now() - said > SAY_EVERY_MS) {
      const now = view.now();
      if (now !== undefined) screen.say(now);
      said = Date.now();
    }
  };
  const ticking = setInterval(tick, terminal ? REDRAW_EVERY_MS : SAY_EVERY_MS / 10);
  try {
    return await client.runs.wait(workflowId, {
      onProgress: (event) => {
        for (const line of view.take(event)) {
          screen.say(line);
          said = Date.now();
        }
        tick();
      },
    });
  } finally {
    clearInterval(ticking);
    screen.end();
  }
}
