import { type Atom, type Eqn, type Jaxpr, Literal, Var } from "../../core/jaxpr.js";
import { invariant } from "../../core/errors.js";
import type { Lowering } from "../../kernel-ir/lowering.js";
import { memoize } from "../../core/memo.js";
import type { CheckpointPolicy } from "./policies.js";
import { linearizeJaxpr } from "../linearize.js";

/** A jaxpr cut in two around what its forward half keeps. */
export interface CheckpointSplit {
  /** From the inputs to the results and the kept values. */
  readonly forward: Jaxpr;
  readonly numOuts: number;
  /** The inputs that the linear half takes, before the kept values. */
  readonly usedInputs: readonly number[];
  /** From used inputs, kept values and tangents to the tangents marked in `outNonzero`; computes again what was not kept. */
  readonly linear: Jaxpr;
  readonly outNonzero: readonly boolean[];
}

const nothing: CheckpointPolicy = () => false;
const known = new WeakMap<Jaxpr, WeakMap<CheckpointPolicy, Map<string, CheckpointSplit>>>();

/** Splits a jaxpr for a derivative with respect to the inputs marked `moving`, once. */
export function splitCheckpoint(
  jaxpr: Jaxpr,
  moving: readonly boolean[],
  policy: CheckpointPolicy = nothing,
): CheckpointSplit {
  let policies = known.get(jaxpr);
  if (!policies) known.set(jaxpr, (policies = new WeakMap()));
  let splits = policies.get(policy);
  if (!splits) policies.set(policy, (splits = new Map()));
  const key = moving.join(",");
  let result = splits.get(key);
  if (!result) splits.set(key, (result = split(jaxpr, moving, policy)));
  return result;
}

function split(jaxpr: Jaxpr, moving: readonly boolean[], policy: CheckpointPolicy): CheckpointSplit {
  const { primal, linear, numOuts, outNonzero } = linearizeJaxpr(jaxpr, moving);
  const flat = flattenCalls(primal);
  const residuals = flat.outs.slice(numOuts);
  const needed = new Set<Atom>(residuals);
  const inputs = new Set<Atom>(flat.inVars);
  const kept: Var[] = [];
  const again: Eqn[] = [];
  for (let k = flat.eqns.length - 1; k >= 0; k--) {
    const eqn = flat.eqns[k]!;
    const used = eqn.outs.filter((v) => needed.has(v));
    if (used.length === 0 && eqn.effects.size === 0) continue;
    const saved = policy(
      eqn.primitive.name,
      eqn.inputs.map((a) => a.aval),
      eqn.params,
    );
    // what has effects shows that it is computed again, unless it looks at nothing but what is there all the same
    if (saved && !(used.length === 0 && eqn.inputs.every((a) => a instanceof Literal || inputs.has(a))))
      kept.push(...used);
    else {
      again.push(eqn);
      for (const a of eqn.inputs) needed.add(a);
    }
  }
  const usedInputs = flat.inVars.flatMap((v, i) => (needed.has(v) ? [i] : []));
  const place = new Map<Var, Atom>();
  linear.inVars.slice(0, residuals.length).forEach((v, i) => place.set(v, residuals[i]!));
  const moved = (a: Atom): Atom => (a instanceof Literal ? a : (place.get(a) ?? a));
  return {
    numOuts,
    outNonzero,
    usedInputs,
    forward: kept.length === 0 ? jaxpr : withOutputs(flat, [...flat.outs.slice(0, numOuts), ...kept]),
    linear: {
      inVars: [...usedInputs.map((i) => flat.inVars[i]!), ...kept, ...linear.inVars.slice(residuals.length)],
      eqns: [...again.reverse(), ...linear.eqns.map((e): Eqn => ({ ...e, inputs: e.inputs.map(moved) }))],
      outs: linear.outs.map(moved),
      effects: again.some((e) => e.effects.size > 0) ? new Set([...flat.effects, ...linear.effects]) : linear.effects,
    },
  };
}

/** The jaxpr with other results, and without what they do not need. */
function withOutputs(jaxpr: Jaxpr, outs: readonly Atom[]): Jaxpr {
  const live = new Set<Atom>(outs);
  const eqns: Eqn[] = [];
  for (let k = jaxpr.eqns.length - 1; k >= 0; k--) {
    const eqn = jaxpr.eqns[k]!;
    if (eqn.effects.size === 0 && !eqn.outs.some((v) => live.has(v))) continue;
    for (const a of eqn.inputs) live.add(a);
    eqns.push(eqn);
  }
  return { ...jaxpr, eqns: eqns.reverse(), outs };
}

/** The jaxpr with the calls in it spelled out, so that policies see what these compute. */
export const flattenCalls = memoize((jaxpr: Jaxpr): Jaxpr => {
  const eqns: Eqn[] = [];
  const run = (inner: Jaxpr, args: readonly Atom[]): Atom[] => {
    const env = new Map<Var, Atom>();
    inner.inVars.forEach((v, i) => env.set(v, args[i]!));
    const read = (a: Atom): Atom => {
      if (a instanceof Literal) return a;
      const x = env.get(a);
      invariant(x, "a variable is read before it is written");
      return x;
    };
    for (const eqn of inner.eqns) {
      const inputs = eqn.inputs.map(read);
      const lower = eqn.primitive.lower as Lowering<never> | { readonly kind?: undefined };
      const called =
        lower.kind === "call" && eqn.primitive.facts.barrier?.(eqn.params as never) !== true
          ? lower.jaxpr(eqn.params as never)
          : undefined;
      const outs = called ? run(called, inputs) : eqn.outs.map((v) => new Var(v.aval));
      if (!called) eqns.push({ ...eqn, inputs, outs: outs as Var[] });
      eqn.outs.forEach((v, i) => env.set(v, outs[i]!));
    }
    return inner.outs.map(read);
  };
  const inVars = jaxpr.inVars.map((v) => new Var(v.aval));
  const outs = run(jaxpr, inVars);
  return { inVars, eqns, outs, effects: jaxpr.effects };
});
