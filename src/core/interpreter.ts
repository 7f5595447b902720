import type { NDArray } from "./array.js";
import { InternalError } from "./errors.js";
import { type Atom, type Jaxpr, Literal, type Var } from "./jaxpr.js";
import { scalarOf } from "./literal.js";
import { withSource } from "./source.js";
import { bind } from "./trace.js";

/** Evaluates a jaxpr by binding its equations one after another: so evaluating is itself traced by whatever is running. */
export function evalJaxpr(jaxpr: Jaxpr, args: readonly NDArray[]): NDArray[] {
  if (args.length !== jaxpr.inVars.length)
    throw new InternalError(`a jaxpr of ${jaxpr.inVars.length} inputs was given ${args.length}`);
  const env = new Map<Var, NDArray>();
  jaxpr.inVars.forEach((v, i) => env.set(v, args[i]!));
  const read = (a: Atom): NDArray => {
    if (a instanceof Literal) return scalarOf(a.value, a.aval);
    const x = env.get(a);
    if (!x) throw new InternalError("a variable is read before it is written");
    return x;
  };
  for (const eqn of jaxpr.eqns) {
    const { primitive, params, source } = eqn;
    const inputs = eqn.inputs.map(read);
    const outs =
      source === undefined
        ? bind(primitive, inputs, params as never)
        : withSource(source, () => bind(primitive, inputs, params as never));
    for (let i = 0; i < outs.length; i++) env.set(eqn.outs[i]!, outs[i]!);
  }
  return jaxpr.outs.map(read);
}
