import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/client/schedules/differences.ts';
import type { JsonObject } from '../../src/dashboards/panel.ts';
import { comparable } from '../../src/dashboards/kibana/standing.ts';
import { inSpec, sampleObjects, within, type Loose } from '../helpers/kibana-dashboards.ts';

const sample = sampleObjects();

/** The paths in which an object that stands in Kibana is otherwise than it is defined. */
function differing(change: (objects: Loose[]) => void): string[] {
  const standing = structuredClone(sample) as Loose[];
  change(standing);
  return sample.flatMap((object, at) => {
    const forms = comparable(object, standing[at] as JsonObject);
    return differencesOf(forms.standing, forms.wanted).map(({ path }) => `${object.type} ${path}`);
  });
}

const of = (type: string, objects: Loose[]): Loose => objects.find((one) => one.type === type).attributes;
const view = (objects: Loose[]): Loose => of('index-pattern', objects);
const column = (objects: Loose[]): Loose =>
  of('lens', objects).state.datasourceStates.formBased.layers.layer.columns.value;
const panels =
  (change: (all: Loose) => void) =>
  (objects: Loose[]): void => {
    const board = of('dashboard', objects);
    board.panelsJSON = within(board.panelsJSON, change);
  };
const controls =
  (change: (all: Loose) => void) =>
  (objects: Loose[]): void => {
    const group = of('dashboard', objects).controlGroupInput;
    group.panelsJSON = within(group.panelsJSON, change);
  };
const options =
  (change: (all: Loose) => void) =>
  (objects: Loose[]): void => {
    const board = of('dashboard', objects);
    board.optionsJSON = within(board.optionsJSON, change);
  };

const C = 'dashboard attributes.controlGroupInput.panelsJSON';

describe('what stands in Kibana', () => {
  it('is as it is defined where nobody changed it', () => {
    expect(differing(() => {})).toEqual([]);
  });

  it.each<[string, (objects: Loose[]) => void, ...string[]]>([
    [
      'the format of a field',
      (o) => (view(o).fieldFormatMap = '{"usage":{"id":"percent"}}'),
      'index-pattern attributes.fieldFormatMap.usage',
    ],
    [
      'a runtime field',
      (o) => (view(o).runtimeFieldMap = '{"a.b":{"type":"long"}}'),
      'index-pattern attributes.runtimeFieldMap.a.b',
    ],
    [
      'a label of a field',
      (o) => (view(o).fieldAttrs = '{"usage":{"customLabel":"Use","count":2}}'),
      'index-pattern attributes.fieldAttrs',
    ],
    [
      'a filter of fields',
      (o) => (view(o).sourceFilters = '[{"value":"x*"}]'),
      'index-pattern attributes.sourceFilters',
    ],
    ['a control', controls((all) => (all.mine = { order: 1, type: 'rangeSliderControl' })), `${C}.mine`],
    [
      'another search technique of a control',
      controls((all) => (all['filter-state'].explicitInput.searchTechnique = 'exact')),
      `${C}.filter-state.explicitInput.searchTechnique`,
    ],
    [
      'a choice in a control',
      controls((all) => (all['filter-state'].explicitInput.selectedOptions = ['CA'])),
      `${C}.filter-state.explicitInput.selectedOptions`,
    ],
    [
      'a title of a panel’s own',
      panels((all) => (all[1].embeddableConfig.title = 'Mine')),
      'dashboard attributes.panelsJSON.0.embeddableConfig.title',
    ],
    [
      'a time range of a panel’s own',
      panels((all) => (all[1].embeddableConfig.timeRange = { from: 'now-7d', to: 'now' })),
      'dashboard attributes.panelsJSON.0.embeddableConfig.timeRange',
    ],
    [
      'a drilldown',
      panels((all) => (all[1].embeddableConfig.enhancements = { dynamicActions: { events: [{ eventId: 'a' }] } })),
      'dashboard attributes.panelsJSON.0.embeddableConfig.enhancements.dynamicActions',
    ],
    ['a panel', panels((all) => all.push({ ...all[0], panelIndex: 'mine' })), 'dashboard attributes.panelsJSON'],
    ['a section', (o) => (of('dashboard', o).sections = [{ title: 'Mine' }]), 'dashboard attributes.sections'],
    ['an option', options((all) => (all.hidePanelBorders = true)), 'dashboard attributes.optionsJSON.hidePanelBorders'],
    ['a member of a spec', inSpec((s) => (s.title = 'Mine')), 'visualization attributes.visState.params.spec.title'],
    [
      'a member of a spec that takes something away',
      inSpec((s) => (s.encoding.x.axis = null)),
      'visualization attributes.visState.params.spec.encoding.x.axis',
    ],
    [
      'less in a spec',
      inSpec((s) => delete s.encoding.y.sort),
      'visualization attributes.visState.params.spec.encoding.y.sort',
    ],
    [
      'a colour of a tile',
      (o) => (of('lens', o).state.visualization.color = '#f00'),
      'lens attributes.state.visualization.color',
    ],
    [
      'a column of a tile of another window of time',
      (o) => (column(o).timeShift = '1d'),
      'lens attributes.state.datasourceStates.formBased.layers.layer.columns.value.timeShift',
    ],
    [
      'a filter of the dashboard',
      (o) => {
        const meta = of('dashboard', o).kibanaSavedObjectMeta;
        meta.searchSourceJSON = within(meta.searchSourceJSON, (source) => source.filter.push({ meta: {} }));
      },
      'dashboard attributes.kibanaSavedObjectMeta.searchSourceJSON.filter',
    ],
  ])('differs by %s', (_, change, ...paths) => {
    expect(differing(change)).toEqual(paths);
  });

  it.each<[string, (objects: Loose[]) => void]>([
    ['versions', (o) => Object.assign(of('lens', o), { version: 2 })],
    ['the version of a dashboard', (o) => (of('dashboard', o).version = 3)],
    ['the version of a panel', panels((all) => (all[0].version = '9.2.0'))],
    ['hits', (o) => (of('dashboard', o).hits = 0)],
    ['how often somebody looked at a field', (o) => (view(o).fieldAttrs = '{"a.b":{"count":5},"count":{"count":1}}')],
    [
      'what stands for nothing',
      (o) => Object.assign(view(o), { sourceFilters: '[]', fields: '[]', typeMeta: '{}', allowHidden: false }),
    ],
    ['that nothing is enhanced', panels((all) => (all[0].embeddableConfig.enhancements = { dynamicActions: {} }))],
    [
      'the defaults of a control',
      controls((all) =>
        Object.assign(all['filter-state'].explicitInput, {
          ...{ searchTechnique: 'prefix', sort: { direction: 'desc', by: '_count' }, exclude: false },
        }),
      ),
    ],
    [
      'the default of an option',
      options((all) => Object.assign(all, { autoApplyFilters: true, hidePanelBorders: false })),
    ],
    ['that it dropped what is empty', (o) => delete view(o).runtimeFieldMap],
    ['that it dropped enhancements', panels((all) => delete all[0].embeddableConfig.enhancements)],
    ['the order of panels', panels((all) => all.reverse())],
    ['the order of a spec', inSpec((s) => (s.data = Object.fromEntries(Object.entries(s.data).toReversed())))],
  ])('does not differ by %s', (_, change) => {
    expect(differing(change)).toEqual([]);
  });
});
