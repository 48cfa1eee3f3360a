import type { SearchConnector } from '../connectors/search.ts';
import { answerChart, answerMetric } from './answering.ts';
import type { Panel } from './panel.ts';
import { panelSvg, type PictureLook } from './render.ts';
import type { PanelContext } from './requests.ts';

/** Pixels of a column of a dashboard's 48, and of one of its rows. */
const COLUMN = 25;
const ROW = 20;

/** A panel as an SVG, with what Elasticsearch answers now. @throws SluiceError `ElasticsearchUnavailable` */
export async function panelPicture(
  search: SearchConnector,
  panel: Panel,
  context: PanelContext,
  look: PictureLook,
): Promise<string> {
  return panel.kind === 'chart'
    ? panelSvg({ panel, spec: await answerChart(search, panel, context) }, look)
    : panelSvg({ panel, ...(await answerMetric(search, panel, context)) }, look);
}

/** As large as a panel is on a dashboard 1,200 pixels wide. */
export const usualSize = ({ size }: Panel): { width: number; height: number } => ({
  width: size.w * COLUMN,
  height: size.h * ROW,
});
