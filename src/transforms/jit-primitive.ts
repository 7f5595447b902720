import type { NDArray } from "../core/array.js";
import { formatAval, sameShape } from "../core/aval.js";
import { checkedCall } from "../core/checks.js";
import { InternalError } from "../core/errors.js";
import { evaluateJaxpr } from "../core/host-interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { isLinear, type Tangent } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { definePrimitive, type PrimitiveDefinition } from "../primitives/all.js";
import { jvpJaxpr } from "./jvp.js";
import { linearizeJaxpr } from "./linearize.js";
import { transposeJaxpr } from "./transpose.js";
import { batchJaxpr } from "./vmap.js";

/** A call of a staged function: everything it captured is among its operands. */
export interface JitParams {
  readonly name: string;
  readonly jaxpr: Jaxpr;
  /** Operands whose storage the call may take over. */
  readonly donated?: readonly boolean[];
}

const call = (name: string, jaxpr: Jaxpr, inputs: readonly NDArray[]): readonly NDArray[] =>
  bind(jitPrimitive, inputs, { name, jaxpr });
const present = (ts: readonly Tangent[]): NDArray[] => ts.filter((t): t is NDArray => !isZero(t));

/** Spreads the results of a program that leaves zeros out over all of its results. */
function spread(values: readonly NDArray[], nonzero: readonly boolean[], zero: (i: number) => Zero): Tangent[] {
  let next = 0;
  return nonzero.map((is, i) => (is ? values[next++]! : zero(i)));
}

/** A nested jitted function. Its rules give jit equations back, memoised by the inner jaxpr, so that any nest compiles once. */
export const jitPrimitive: PrimitiveDefinition<JitParams> = definePrimitive<JitParams>({
  name: "jit",
  abstract(avals, { jaxpr, name }) {
    jaxpr.inVars.forEach((v, i) => {
      const got = avals[i];
      if (!got || got.dtype !== v.aval.dtype || !sameShape(got.shape, v.aval.shape)) {
        throw new InternalError(
          `jit ${name}: operand ${i} is ${got ? formatAval(got) : "missing"}, its jaxpr takes ${formatAval(v.aval)}`,
        );
      }
    });
    return jaxpr.outs.map((a) => a.aval);
  },
  evaluate: (inputs, { jaxpr }) => evaluateJaxpr(jaxpr, inputs),
  jvp(primals, tangents, { name, jaxpr }) {
    const inner = jvpJaxpr(
      jaxpr,
      tangents.map((t) => !isZero(t)),
    );
    const results = call(name, inner.jaxpr, [...primals, ...present(tangents)]);
    const outs = results.slice(0, jaxpr.outs.length);
    return { outs, tangents: spread(results.slice(outs.length), inner.outNonzero, (i) => new Zero(outs[i]!.aval)) };
  },
  linearize(primals, nonzero, { name, jaxpr }) {
    const { primal, linear, numOuts, outNonzero } = linearizeJaxpr(jaxpr, nonzero);
    const results = call(name, primal, primals);
    const outs = results.slice(0, numOuts);
    const residuals = results.slice(numOuts);
    return {
      outs,
      linear: (tangents) =>
        outNonzero.some(Boolean)
          ? spread(call(name, linear, [...residuals, ...present(tangents)]), outNonzero, (i) => new Zero(outs[i]!.aval))
          : outs.map((x) => new Zero(x.aval)),
    };
  },
  transpose(cts, inputs, { name, jaxpr }) {
    const linear = inputs.map(isLinear);
    const inner = transposeJaxpr(
      jaxpr,
      linear,
      cts.map((ct) => !isZero(ct)),
    );
    const known = inputs.filter((x): x is NDArray => !isLinear(x));
    const grads = inner.outNonzero.some(Boolean) ? call(name, inner.jaxpr, [...known, ...present(cts)]) : [];
    const linearAvals = inputs.filter(isLinear).map((x) => x.aval);
    const spreaded = spread(grads, inner.outNonzero, (i) => new Zero(linearAvals[i]!));
    let next = 0;
    return linear.map((is) => (is ? spreaded[next++]! : null));
  },
  batch(size, inputs, dims, { name, jaxpr }, axisName) {
    const inner = batchJaxpr(jaxpr, size, dims, axisName);
    return { outs: call(name, inner.jaxpr, inputs), dims: inner.outDims };
  },
  lower: { kind: "call", jaxpr: (p) => p.jaxpr },
  facts: {},
  checked: checkedCall((inputs, params) => bind(jitPrimitive, inputs, params)),
  printParams: ({ name, jaxpr }) => ({ name, jaxpr }),
  jaxprs: (p) => [p.jaxpr],
});
