import { type Command, InvalidArgumentError, Option } from 'commander';
import { momentPattern } from '../../definition/moment.ts';
import type { RenderFlags } from './dashboards-render.ts';

/** `sluice dashboards render`. */
export function renderCommand(
  dashboards: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  dashboards
    .command('render [panels...]')
    .description('panels as SVG or PNG, with what Elasticsearch answers now; all of the dashboard where none is named')
    .option('--pipeline <pipeline>', 'its definition, or its name where it has a schedule')
    .option('--operations', 'the panels of runs instead of those of a pipeline’s data', false)
    .option('--out <path>', 'FILE.svg or FILE.png for one panel, a folder for several')
    .option('--list', 'show which panels there are, and draw none', false)
    .option(
      '--from <time>',
      'like now-7d or 2026-11-24T03 (UTC); what the dashboard shows at first where left out',
      timeArgument,
    )
    .option('--to <time>', 'like now or 2026-11-24T09 (UTC); likewise', timeArgument)
    .option('--filter <field=value>', 'like state=CA; several values of a field: any of them', filterArgument, {})
    .addOption(new Option('--mode <mode>', 'colours').choices(['light', 'dark']).default('light'))
    .addOption(new Option('--format <format>', 'of the files in a folder; svg where left out').choices(['svg', 'png']))
    .option('--width <pixels>', 'as on a page 1,200 pixels wide where left out', pixelsArgument)
    .option('--height <pixels>', 'as on that page where left out', pixelsArgument)
    .option('--scale <n>', 'pixels of a PNG for each of its width and height, 1 to 4', scaleArgument, 2)
    .option(...json)
    .action(async (panels: string[], options: RenderFlags) =>
      done(await (await import('./dashboards-render.ts')).render(panels, options)),
    );
}

function timeArgument(text: string): string {
  if (momentPattern.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is no time: write it like now-24h or 2026-11-24T03 (UTC).`);
}

function filterArgument(text: string, before: RenderFlags['filter']): RenderFlags['filter'] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError(`"${text}" is no filter: write it like state=CA.`);
  const field = text.slice(0, at);
  const earlier = Object.hasOwn(before, field) ? (before[field] ?? []) : [];
  return { ...before, [field]: [...earlier, text.slice(at + 1)] };
}

function pixelsArgument(text: string): number {
  const pixels = Number(text);
  if (!/^\d{2,4}$/.test(text) || pixels < 40 || pixels > 4_000) {
    throw new InvalidArgumentError('must be a number from 40 to 4000');
  }
  return pixels;
}

function scaleArgument(text: string): number {
  if (!/^[1-4]$/.test(text)) throw new InvalidArgumentError('must be 1, 2, 3 or 4');
  return Number(text);
}
