import type { NDArray } from "../core/array.js";
import { type Aval, strengthen } from "../core/aval.js";
import { ArgumentError, invariant } from "../core/errors.js";
import { type Atom, type Eqn, type Jaxpr, Literal, type Var } from "../core/jaxpr.js";
import { scalarOf } from "../core/literal.js";
import { memoize } from "../core/memo.js";
import { isLinear, Linear, ruleOf, type Tangent } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import { withBackwardSource, withSource } from "../core/source.js";
import { bind } from "../core/trace.js";
import { flatten, sameStructure, unflatten } from "../core/tree.js";
import type { ArraysOfAll, In, Ins, Structure } from "../core/types.js";
import { isZero, Zero } from "../core/zero.js";
import { addTangents, instantiate } from "../primitives/all.js";
import { fitTangent, flattenArrays, nameOf, requireFunction } from "./arguments.js";

/**
 * Pulls cotangents back through a jaxpr that is linear in the inputs given as `Linear`. What does not depend on those is
 * evaluated first; then the linear equations' transpose rules run in reverse.
 * @returns cotangents of the linear inputs, in order.
 */
export function backwardPass(
  jaxpr: Jaxpr,
  inputs: readonly (NDArray | Linear)[],
  cotangents: readonly Tangent[],
): Tangent[] {
  const known = new Map<Var, NDArray>();
  const linear = new Set<Var>();
  jaxpr.inVars.forEach((v, i) => {
    const x = inputs[i]!;
    if (isLinear(x)) linear.add(v);
    else known.set(v, x);
  });
  const isLinearAtom = (a: Atom): a is Var => !(a instanceof Literal) && linear.has(a);
  const valueOf = (a: Atom): NDArray => {
    if (a instanceof Literal) return scalarOf(a.value, a.aval);
    const x = known.get(a);
    invariant(x, "transpose reads a value that is neither known nor linear");
    return x;
  };

  const backward: Eqn[] = [];
  for (const eqn of jaxpr.eqns) {
    if (eqn.inputs.some(isLinearAtom)) {
      backward.push(eqn);
      for (const v of eqn.outs) linear.add(v);
    } else {
      const outs = withSource(eqn.source, () => bind(eqn.primitive, eqn.inputs.map(valueOf), eqn.params as never));
      eqn.outs.forEach((v, i) => known.set(v, outs[i]!));
    }
  }

  const grads = new Map<Var, Tangent>();
  const accumulate = (v: Var, ct: Tangent): void => {
    const old = grads.get(v);
    grads.set(v, old ? addTangents(old, ct) : ct);
  };
  jaxpr.outs.forEach((a, i) => {
    if (isLinearAtom(a)) accumulate(a, cotangents[i]!);
  });
  for (let k = backward.length - 1; k >= 0; k--) {
    const eqn = backward[k]!;
    const cts = eqn.outs.map((v) => grads.get(v) ?? new Zero(v.aval));
    for (const v of eqn.outs) grads.delete(v);
    if (cts.every(isZero)) continue;
    const operands = eqn.inputs.map((a) => (isLinearAtom(a) ? new Linear(a.aval) : valueOf(a)));
    const rule = ruleOf(eqn.primitive.transpose, eqn.primitive, "transpose");
    const results = withBackwardSource(eqn.source, () => rule(cts, operands, eqn.params as never));
    eqn.inputs.forEach((a, i) => {
      const ct = results[i];
      if (isLinearAtom(a) && ct) accumulate(a, ct);
    });
  }
  return jaxpr.inVars.filter((v) => linear.has(v)).map((v) => grads.get(v) ?? new Zero(v.aval));
}

/**
 * The jaxpr of a jaxpr's backward pass: from its known inputs and the cotangents that are not zero for sure to the cotangents
 * of its linear inputs that are not.
 */
export const transposeJaxpr = memoize(
  (
    jaxpr: Jaxpr,
    linear: readonly boolean[],
    ctNonzero: readonly boolean[],
  ): { readonly jaxpr: Jaxpr; readonly outNonzero: readonly boolean[] } => {
    const knownAvals = jaxpr.inVars.filter((_, i) => !linear[i]).map((v) => v.aval);
    const ctAvals = jaxpr.outs.filter((_, i) => ctNonzero[i]).map((a) => strengthen(a.aval));
    let outNonzero: readonly boolean[] = [];
    const { jaxpr: result, consts } = stage(
      (args) => {
        let next = 0;
        const inputs = jaxpr.inVars.map((v, i) => (linear[i] ? new Linear(v.aval) : args[next++]!));
        const cts = jaxpr.outs.map((a, i): Tangent => (ctNonzero[i] ? args[next++]! : new Zero(a.aval)));
        const grads = backwardPass(jaxpr, inputs, cts);
        outNonzero = grads.map((g) => !isZero(g));
        return grads.filter((g): g is NDArray => !isZero(g));
      },
      [...knownAvals, ...ctAvals],
    );
    invariant(consts.length === 0, "a transposition captured a value");
    return { jaxpr: result, outNonzero };
  },
);

/**
 * The transpose of a linear function, given examples (or avals) of its arguments: `ct ↦ [argument cotangents]`.
 * @throws TransformError `no-rule` where `f` is not linear.
 * @example
 * linearTranspose((x) => np.sum(x.mul(3)), np.zeros([2]))(1); // [[3, 3]]
 */
export function linearTranspose<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  ...examples: Ins<NoInfer<A>>
): (cotangent: In<R>) => ArraysOfAll<A> {
  requireFunction(f, "linearTranspose");
  const { leaves, def } = flattenArrays(examples, "linearTranspose: examples");
  const avals: readonly Aval[] = leaves.map((x) => x.aval);
  let outDef = def;
  const { jaxpr, consts } = stage(
    (args) => {
      const out = flattenArrays(f(...(unflatten(def, args) as unknown as A)), `the result of ${nameOf(f)}`);
      outDef = out.def;
      return out.leaves;
    },
    avals,
    { kind: `linearTranspose of ${nameOf(f)}` },
  );
  return (cotangent) => {
    const [ctLeaves, ctDef] = flatten(cotangent);
    sameStructure(outDef, ctDef, "linearTranspose: cotangent");
    if (ctLeaves.length !== jaxpr.outs.length) {
      throw new ArgumentError({
        code: "cotangent-count",
        message: `expected ${jaxpr.outs.length} cotangents, got ${ctLeaves.length}`,
      });
    }
    const cts = jaxpr.outs.map((a, i) => fitTangent(ctLeaves[i], a.aval, `linearTranspose: cotangent ${i}`));
    const grads = backwardPass(jaxpr, [...consts, ...avals.map((a) => new Linear(a))], cts);
    return unflatten(def, grads.map(instantiate)) as ArraysOfAll<A>;
  };
}
