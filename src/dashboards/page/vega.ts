import type * as Vega from 'vega';

declare global {
  // A script of its own: the only one here that is no module.
  var vega: typeof Vega | undefined;
}

export interface Drawing {
  readonly vega: typeof Vega;
  /** Vega’s expressions without `eval`, which the Content-Security-Policy forbids. */
  readonly interpreter: Exclude<Vega.ViewOptions['expr'], undefined>;
}

let loading: Promise<Drawing> | undefined;

/** Vega, once it is needed: a page of runs does without. */
export function loadVega(): Promise<Drawing> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Drawing> {
  await script('/dashboard/assets/vega.min.js');
  const { vega } = globalThis;
  if (!vega) throw new Error('Vega is not there');
  // It takes what it needs from `globalThis.vega`.
  const address: string = '/dashboard/assets/vega-interpreter.js';
  const { expressionInterpreter } = (await import(address)) as { expressionInterpreter: Drawing['interpreter'] };
  return { vega, interpreter: expressionInterpreter };
}

function script(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const tag = document.createElement('script');
    tag.src = address;
    tag.addEventListener('load', () => resolve());
    tag.addEventListener('error', () => reject(new Error(`${address} cannot be loaded`)));
    document.head.append(tag);
  });
}
