import type { MetricCounter, MetricGauge, MetricHistogram, MetricMeter } from '@temporalio/common';
import { bareName, metrics, type LabelsOf, type MetricName, type MetricNameOf } from '../definition/metrics.ts';

/** What is measured goes here, by the names of `definition/metrics.ts`. */
export interface Metrics {
  /** Nothing comes of adding 0 but that the series is there. */
  add<Name extends MetricNameOf<'counter'>>(name: Name, value: number, labels: LabelsOf<Name>): void;
  observe<Name extends MetricNameOf<'histogram'>>(name: Name, value: number, labels: LabelsOf<Name>): void;
  set<Name extends MetricNameOf<'gauge'>>(name: Name, value: number, labels: LabelsOf<Name>): void;
}

/** Where nobody asks. */
export const noMetrics: Metrics = { add: () => {}, observe: () => {}, set: () => {} };

/** Metrics of the SDK's own meter, so that one endpoint has both. Each is made when it is first used. What the meter would throw at is left out. */
export class MeteredMetrics implements Metrics {
  readonly #meter: MetricMeter;
  readonly #made = new Map<MetricName, MetricCounter | MetricHistogram | MetricGauge>();

  constructor(meter: MetricMeter) {
    this.#meter = meter;
  }

  add<Name extends MetricNameOf<'counter'>>(name: Name, value: number, labels: LabelsOf<Name>): void {
    if (!Number.isSafeInteger(value) || value < 0) return;
    this.#of(name, (bare, unit, help) => this.#meter.createCounter(bare, unit, help)).add(value, labels);
  }

  observe<Name extends MetricNameOf<'histogram'>>(name: Name, value: number, labels: LabelsOf<Name>): void {
    if (!Number.isFinite(value)) return;
    const make = (bare: string, unit: string, help: string): MetricHistogram =>
      this.#meter.createHistogram(bare, 'float', unit, help);
    // A clock that was set back in between.
    this.#of(name, make).record(Math.max(0, value), labels);
  }

  set<Name extends MetricNameOf<'gauge'>>(name: Name, value: number, labels: LabelsOf<Name>): void {
    const make = (bare: string, unit: string, help: string): MetricGauge =>
      this.#meter.createGauge(bare, 'float', unit, help);
    this.#of(name, make).set(value, labels);
  }

  #of<M extends MetricCounter | MetricHistogram | MetricGauge>(
    name: MetricName,
    make: (bare: string, unit: string, help: string) => M,
  ): M {
    const known = this.#made.get(name) as M | undefined;
    if (known) return known;
    const bare = bareName(name);
    const made = make(bare.name, bare.unit, metrics[name].help);
    this.#made.set(name, made);
    return made;
  }
}
