import { None, parse, View, type Loader, type Spec } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';

/**
 * A chart without a screen: its expressions are interpreted and not made into code, and it loads nothing. Whoever asks for it ends it with `finalize`.
 * @throws Error what Vega says of a spec that it cannot draw
 */
export const headlessView = (spec: Spec): View =>
  new View(parse(spec, undefined, { ast: true }), {
    expr: expressionInterpreter,
    loader: loadsNothing,
    renderer: 'none',
    logLevel: None,
  });

/** All that a panel shows is in its spec. */
const loadsNothing = {
  load: (address: string) => refuse(address),
  http: (address: string) => refuse(address),
  file: (address: string) => refuse(address),
  // Where this rejects, Vega leaves a rejection that nobody handles.
  sanitize: () => Promise.resolve({ href: '' }),
} as unknown as Loader;

function refuse(address: string): Promise<never> {
  return Promise.reject(new Error(`a panel loads nothing, and was to load ${address}`));
}
