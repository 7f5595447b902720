import { ArgumentError } from "./errors.js";
import type { Jaxpr } from "./jaxpr.js";
import type { AnyPrimitive } from "./primitive.js";

/** An axis that a transformation maps over, under the name by which operations inside of it speak to other examples. */
export interface NamedAxis {
  readonly name: string;
  readonly size: number;
}

const noNames: readonly string[] = [];
const ofJaxprs = new WeakMap<Jaxpr, readonly string[]>();

/** The named axes that an operation runs over, itself or anywhere in the jaxprs that it holds. */
export function axisNamesOf(primitive: AnyPrimitive, params: unknown): readonly string[] {
  if (primitive.axisNames !== undefined) return primitive.axisNames(params as never);
  if (primitive.jaxprs === undefined) return noNames;
  const inner = primitive.jaxprs(params as never);
  return inner.length === 1 ? axisNamesIn(inner[0]!) : union(inner.map(axisNamesIn));
}

/** The named axes that equations of a jaxpr run over. */
export function axisNamesIn(jaxpr: Jaxpr): readonly string[] {
  let names = ofJaxprs.get(jaxpr);
  if (names === undefined) {
    names = union(jaxpr.eqns.map((e) => axisNamesOf(e.primitive, e.params)));
    ofJaxprs.set(jaxpr, names);
  }
  return names;
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  const all = new Set<string>();
  for (const l of lists) for (const name of l) all.add(name);
  return all.size === 0 ? noNames : [...all];
}

/** The error about a name that no enclosing transformation has given to an axis. */
export function unboundAxis(op: string, name: string, bound: readonly NamedAxis[]): ArgumentError {
  return new ArgumentError({
    code: "axis-unbound",
    message: `${op}: no axis named ${JSON.stringify(name)} is bound here`,
    details: [
      [
        "bound axes",
        bound.length === 0 ? "none" : bound.map((a) => `${JSON.stringify(a.name)} (${a.size})`).join(", "),
      ],
    ],
    hint: `call it in a function that is mapped under this name: vmap(f, {axisName: ${JSON.stringify(name)}})`,
  });
}
