import { type Aval, checkHost, type HostArray, hostZeros } from "./aval.js";
import { InternalError } from "./errors.js";
import { type Atom, type Eqn, type Jaxpr, Literal, type Var } from "./jaxpr.js";
import { type AnyPrimitive, ruleOf } from "./primitive.js";

/** A scalar as a host array. */
export function hostScalar(value: number, type: Aval): HostArray {
  const h = hostZeros(type);
  h.data[0] = value;
  return h;
}

/** Evaluates one primitive by its plain rule and checks that the results are what its abstract rule promises. */
export function evaluatePrimitive(
  primitive: AnyPrimitive,
  inputs: readonly HostArray[],
  params: unknown,
  outAvals: readonly Aval[],
): readonly HostArray[] {
  const outs = ruleOf(primitive.evaluate, primitive, "plain evaluation")(inputs, params as never);
  if (outs.length !== outAvals.length) {
    throw new InternalError(
      `${primitive.name} evaluated to ${outs.length} results where ${outAvals.length} were promised`,
    );
  }
  return outs.map((o, i) => {
    const promised = outAvals[i]!;
    checkHost(o, promised, primitive.name);
    return { aval: promised, data: o.data };
  });
}

/** Sees each operation that is evaluated on the host, those of inner jaxprs before what they are in. */
export type Watcher = (eqn: Eqn, inputs: readonly HostArray[], outs: readonly HostArray[]) => void;
let watcher: Watcher | undefined;

/** Runs `body` with all evaluation of jaxprs on the host watched. */
export function watchEvaluation<R>(watch: Watcher, body: () => R): R {
  const outer = watcher;
  watcher = watch;
  try {
    return body();
  } finally {
    watcher = outer;
  }
}

/**
 * Evaluates a jaxpr on the host, equation by equation, through the primitives' plain rules. It shares nothing with the
 * compiler: it is the oracle that compiled programs are compared with, and the evaluation rule of primitives that hold jaxprs.
 */
export function evaluateJaxpr(jaxpr: Jaxpr, args: readonly HostArray[]): HostArray[] {
  if (args.length !== jaxpr.inVars.length) {
    throw new InternalError(`a jaxpr of ${jaxpr.inVars.length} inputs was given ${args.length}`);
  }
  const env = new Map<Var, HostArray>();
  jaxpr.inVars.forEach((v, i) => env.set(v, { aval: v.aval, data: args[i]!.data }));
  const read = (a: Atom): HostArray => {
    if (a instanceof Literal) return hostScalar(a.value, a.aval);
    const x = env.get(a);
    if (!x) throw new InternalError("a variable is read before it is written");
    return x;
  };
  for (const eqn of jaxpr.eqns) {
    const inputs = eqn.inputs.map(read);
    const outs = evaluatePrimitive(
      eqn.primitive,
      inputs,
      eqn.params,
      eqn.outs.map((v) => v.aval),
    );
    watcher?.(eqn, inputs, outs);
    outs.forEach((o, i) => env.set(eqn.outs[i]!, o));
  }
  return jaxpr.outs.map(read);
}
