import { findingsOf, type Finding } from './finding.ts';
import { COLUMNS, type Place } from './layout.ts';
import type { DecodedDashboard } from './schemas.ts';

/** Panels and their places: each once, inside of the grid, and none on top of another. */
export function checkGrid(object: DecodedDashboard): Finding[] {
  const { all, add } = findingsOf(object);
  const panels = object.attributes.panelsJSON;
  for (const [at, { panelIndex, gridData }] of panels.entries()) {
    const where = `attributes.panelsJSON[${at}]`;
    const { x, y, w, h, i } = gridData;
    if (i !== panelIndex) {
      add(`${where}.gridData.i`, `is "${i}" and panelIndex "${panelIndex}": Kibana wants them to be the same`);
    }
    if (panels.findIndex((other) => other.panelIndex === panelIndex) < at) {
      add(
        `${where}.panelIndex`,
        `"${panelIndex}" is that of another panel, too: give one of them another id, or rename the column that it is made of`,
      );
    }
    if (w < 1 || h < 1) add(`${where}.gridData`, `is ${w} by ${h}, and a panel has one column and row at least`);
    if (x < 0 || y < 0 || x + w > COLUMNS) {
      add(`${where}.gridData`, `reaches out of the ${COLUMNS} columns: it begins at ${x} and is ${w} wide`);
    }
    for (const other of panels.slice(0, at)) {
      if (overlap(gridData, other.gridData)) {
        add(`${where}.gridData`, `lies on top of panel "${other.panelIndex}": give them places of their own`);
      }
    }
  }
  for (const [id, { explicitInput }] of Object.entries(object.attributes.controlGroupInput?.panelsJSON ?? {})) {
    if (explicitInput.id !== id) {
      const where = `attributes.controlGroupInput.panelsJSON.${id}.explicitInput.id`;
      add(where, `is "${explicitInput.id}": Kibana wants it to be the control’s own`);
    }
  }
  return all;
}

const overlap = (a: Place, b: Place): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
