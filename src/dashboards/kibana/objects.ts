import { explicitMoment, LAST_DAY } from '../../definition/moment.ts';
import type { ChartPanel, Dashboard, JsonObject, Panel } from '../panel.ts';
import { layOut } from './layout.ts';
import { lensObject } from './lens.ts';
import { ids, savedObject, type Reference, type SavedObject } from './saved-object.ts';

const noQuery = JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] });

/** Dashboards as Kibana’s saved objects: what is referred to comes first. */
export function kibanaObjects(dashboards: readonly Dashboard[]): SavedObject[] {
  const views = new Map<string, SavedObject>();
  for (const asked of dashboards.flatMap((dashboard) => [dashboard, ...dashboard.panels])) {
    views.set(ids.view(asked), dataView(asked));
  }
  const panels = dashboards.flatMap((dashboard) => dashboard.panels.map((panel) => panelObject(dashboard, panel)));
  return [...views.values(), ...panels, ...dashboards.map(dashboardObject)];
}

function dataView(asked: Pick<Panel, 'index' | 'timeField'>): SavedObject {
  const { index, timeField } = asked;
  return savedObject('index-pattern', ids.view(asked), {
    ...{ title: index, name: `${index} by ${timeField}`, timeFieldName: timeField },
    ...{ fieldFormatMap: '{}', runtimeFieldMap: '{}' },
  });
}

function panelObject(dashboard: Dashboard, panel: Panel): SavedObject {
  const id = ids.panel(dashboard, panel);
  return panel.kind === 'metric' ? lensObject(id, panel) : vegaObject(id, panel);
}

/** The spec is JSON in JSON, and this in the file’s: Kibana keeps it as the text that its editor shows. */
function vegaObject(id: string, { title, question, spec }: ChartPanel): SavedObject {
  const visState = { title, type: 'vega', aggs: [], params: { spec: specText(spec) } };
  return savedObject('visualization', id, {
    ...{ title, description: question, version: 1, uiStateJSON: '{}', visState: JSON.stringify(visState) },
    kibanaSavedObjectMeta: { searchSourceJSON: noQuery },
  });
}

/** As people would write it; map shapes, which nobody reads, on one line. */
function specText({ datasets, ...spec }: JsonObject): string {
  const text = JSON.stringify(spec, null, 2);
  return datasets === undefined ? text : text.replace(/\n}$/, () => `,\n  "datasets": ${JSON.stringify(datasets)}\n}`);
}

function dashboardObject(dashboard: Dashboard): SavedObject {
  const { title, description, panels, range = LAST_DAY } = dashboard;
  const places = layOut(panels.map(({ size }) => size));
  const references: Reference[] = [];
  const shown = panels.map((panel, at) => {
    const { id: panelIndex, kind } = panel;
    const type = kind === 'metric' ? 'lens' : 'visualization';
    const panelRefName = `panel_${panelIndex}`;
    references.push({ name: `${panelIndex}:${panelRefName}`, type, id: ids.panel(dashboard, panel) });
    return {
      ...{ version: '8.8.0', type, panelIndex, panelRefName },
      gridData: { ...places[at], i: panelIndex },
      // A metric has its title inside of the tile.
      embeddableConfig: { enhancements: {}, ...(kind === 'metric' ? { hidePanelTitles: true } : {}) },
    };
  });
  const controls = controlGroup(dashboard);
  const attributes = {
    ...{ title, description, version: 1, timeRestore: true },
    // Of a day Kibana would take the reader's midnight.
    ...{ timeFrom: explicitMoment(range.from, 'from'), timeTo: explicitMoment(range.to, 'to') },
    refreshInterval: { pause: true, value: 60_000 },
    optionsJSON: JSON.stringify({
      ...{ useMargins: true, syncColors: false, syncCursor: true, syncTooltips: false, hidePanelTitles: false },
    }),
    panelsJSON: JSON.stringify(shown),
    ...(controls === undefined ? {} : { controlGroupInput: controls.input }),
    kibanaSavedObjectMeta: { searchSourceJSON: noQuery },
  };
  const all = [...references, ...(controls?.references ?? [])];
  return savedObject('dashboard', ids.dashboard(dashboard), attributes, all);
}

/** A list of values to choose from for each of the dashboard’s filters. */
function controlGroup(dashboard: Dashboard): { input: JsonObject; references: Reference[] } | undefined {
  const { filters } = dashboard;
  if (filters.length === 0) return undefined;
  const panels = filters.map(({ field, title }, order) => {
    const id = `filter-${field}`;
    const explicitInput = { id, fieldName: field, title, selectedOptions: [], enhancements: {} };
    return [id, { order, width: 'medium', grow: false, type: 'optionsListControl', explicitInput }] as const;
  });
  return {
    input: {
      ...{ controlStyle: 'oneLine', chainingSystem: 'HIERARCHICAL' },
      panelsJSON: JSON.stringify(Object.fromEntries(panels)),
      ignoreParentSettingsJSON: JSON.stringify({
        ...{ ignoreFilters: false, ignoreQuery: false, ignoreTimerange: false, ignoreValidations: false },
      }),
    },
    references: panels.map(([id]) => ({
      ...{ name: `controlGroup_${id}:optionsListDataView`, type: 'index-pattern', id: ids.view(dashboard) },
    })),
  };
}
