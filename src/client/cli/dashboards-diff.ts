import { KibanaConnector } from '../../connectors/kibana.ts';
import { readSettings } from '../../connectors/settings.ts';
import type { JsonObject } from '../../dashboards/panel.ts';
import { nameOf, type SavedObject } from '../../dashboards/kibana/saved-object.ts';
import { comparable } from '../../dashboards/kibana/standing.ts';
import { fromOrigin, type Standing } from '../../dashboards/kibana/origin.ts';
import { differencesOf, type Difference } from '../schedules/differences.ts';
import { soundlyBuilt, type DashboardFlags } from './dashboards.ts';
import { differenceLine } from './schedule-lines.ts';

/** How an object stands in Kibana. */
interface Compared {
  readonly type: string;
  readonly id: string;
  /** Ambiguous: more than one object comes from it, and an import would not know which of them to write over. */
  readonly state: 'same' | 'missing' | 'differs' | 'ambiguous';
  /** The ids under which it stands, where those are others. */
  readonly as?: readonly string[];
  readonly differences: readonly Difference[];
}

/** `sluice dashboards diff`. @returns 4 where there is a difference */
export async function diff({ pipeline, json }: DashboardFlags): Promise<number> {
  const { objects } = await soundlyBuilt(pipeline);
  const { standing, note } = await standingIn(new KibanaConnector(readSettings(process.env).kibana), objects);
  const compared = objects.map((object) => comparedWith(standing, object));
  const different = compared.filter(({ state }) => state !== 'same');
  if (json) {
    const noted = note === undefined ? {} : { note };
    process.stdout.write(`${JSON.stringify({ same: different.length === 0, objects: compared, ...noted })}\n`);
  } else {
    const lines = different.flatMap((one) => [lineOf(one), ...one.differences.map(differenceLine)]);
    const same = `${compared.length - different.length} of ${compared.length} saved objects stand as they are defined`;
    process.stdout.write(`${[...lines, ...(note === undefined ? [] : [note]), same].join('\n')}\n`);
  }
  return different.length === 0 ? 0 : 4;
}

/** The objects as they stand in the space: under their own ids, else under those that Kibana gave them there. The note says where the latter could not be looked for. */
async function standingIn(
  kibana: KibanaConnector,
  objects: readonly SavedObject[],
): Promise<{ standing: Standing; note?: string }> {
  const found = await kibana.export(objects);
  const named = new Set(found.map(nameOf));
  const types = new Set(objects.filter((object) => !named.has(nameOf(object))).map(({ type }) => type));
  const others = await kibana.exportTypes([...types]);
  if (typeof others !== 'string') return { standing: fromOrigin(objects, [...found, ...others]) };
  return {
    standing: fromOrigin(objects, found),
    note: `Copies under other ids could not be looked for, so what is missing may stand under one of those. ${others}`,
  };
}

function comparedWith(standing: Standing, object: SavedObject): Compared {
  const { type, id } = object;
  const found = standing.get(nameOf(object)) ?? [];
  const [only, ...more] = found;
  if (only === undefined) return { type, id, state: 'missing', differences: [] };
  const as = found.map((one) => one.id).toSorted();
  if (more.length > 0) return { type, id, state: 'ambiguous', as, differences: [] };
  const forms = comparable(object, only as unknown as JsonObject, standing);
  const differences = differencesOf(forms.standing, forms.wanted);
  const state = differences.length === 0 ? 'same' : 'differs';
  return { type, id, state, ...(only.id === id ? {} : { as }), differences };
}

function lineOf({ state, as = [], ...object }: Compared): string {
  if (state === 'missing') return `${nameOf(object)} is not in Kibana`;
  if (state === 'ambiguous')
    return `${nameOf(object)} is in Kibana more than once, as ${as.join(' and ')}: delete all but one`;
  return `${nameOf(object)} stands otherwise in Kibana${as.length === 0 ? '' : `, as ${as.join()}`}`;
}
