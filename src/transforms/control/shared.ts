import type { NDArray } from "../../core/array.js";
import { type Aval, formatAval, sameShape } from "../../core/aval.js";
import { InternalError, invariant, TransformError } from "../../core/errors.js";
import { type Atom, type Eqn, type Jaxpr, Literal, Var } from "../../core/jaxpr.js";
import type { Tangent } from "../../core/primitive.js";
import { stage } from "../../core/staging.js";
import { isZero, Zero } from "../../core/zero.js";

/** What the rules of control flow share: they stage jaxprs of jaxprs, and sort operands by what is known of them. */

/** Stages a function that captures nothing. */
export function stageClosed(
  f: (args: readonly NDArray[]) => readonly NDArray[],
  avals: readonly Aval[],
  kind: string,
): Jaxpr {
  const { jaxpr, consts } = stage(f, avals, { kind });
  invariant(consts.length === 0, `${kind} captured a value`);
  return jaxpr;
}

/** Demands operands of the types that an inner jaxpr takes. */
export function requireOperands(avals: readonly Aval[], expected: readonly Aval[], primitive: string): void {
  if (avals.length !== expected.length)
    throw new InternalError(`${primitive}: ${avals.length} operands where ${expected.length} are needed`);
  expected.forEach((want, i) => {
    const got = avals[i]!;
    if (got.dtype !== want.dtype || !sameShape(got.shape, want.shape))
      throw new InternalError(`${primitive}: operand ${i} is ${formatAval(got)}, its jaxpr takes ${formatAval(want)}`);
  });
}

export const present = (ts: readonly Tangent[]): NDArray[] => ts.filter((t): t is NDArray => !isZero(t));

/** The entries of a list whose flag is set. */
export const chosen = <T>(list: readonly T[], flags: readonly boolean[]): T[] => list.filter((_, i) => flags[i]);

/** Spreads values over the places that are flagged; the others are zeros. */
export function spreadOver(
  values: readonly NDArray[],
  flags: readonly boolean[],
  aval: (i: number) => Aval,
): Tangent[] {
  let next = 0;
  return flags.map((is, i) => (is ? values[next++]! : new Zero(aval(i))));
}

/** An aval with a leading axis. */
export const stacked = (a: Aval, length: number): Aval => ({ ...a, shape: [length, ...a.shape] });

/** The variables of a jaxpr that depend on its inputs marked `seeds`, or on effects, if those count. */
export function dependents(jaxpr: Jaxpr, seeds: readonly boolean[], effects = false): ReadonlySet<Atom> {
  const found = new Set<Atom>(chosen(jaxpr.inVars, seeds));
  for (const eqn of jaxpr.eqns)
    if ((effects && eqn.effects.size > 0) || eqn.inputs.some((a) => found.has(a)))
      for (const v of eqn.outs) found.add(v);
  return found;
}

/** The part of a jaxpr that computes some of its atoms, none of which depend on effects. */
export function partOf(jaxpr: Jaxpr, inVars: readonly Var[], outs: readonly Atom[]): Jaxpr {
  const needed = new Set<Atom>(outs);
  const eqns: Eqn[] = [];
  for (let k = jaxpr.eqns.length - 1; k >= 0; k--) {
    const eqn = jaxpr.eqns[k]!;
    if (!eqn.outs.some((v) => needed.has(v))) continue;
    for (const a of eqn.inputs) if (!(a instanceof Literal)) needed.add(a);
    eqns.push(eqn);
  }
  return { inVars, eqns: eqns.reverse(), outs, effects: new Set() };
}

const widened = new WeakMap<Jaxpr, Map<string, Jaxpr>>();

/** A jaxpr among whose inputs stand others that it does not look at: null is one of its own. */
export function widen(jaxpr: Jaxpr, types: readonly (Aval | null)[]): Jaxpr {
  const known = widened.get(jaxpr) ?? new Map<string, Jaxpr>();
  widened.set(jaxpr, known);
  const key = JSON.stringify(types);
  let wide = known.get(key);
  if (!wide) {
    let next = 0;
    wide = { ...jaxpr, inVars: types.map((a) => (a === null ? jaxpr.inVars[next++]! : new Var(a))) };
    known.set(key, wide);
  }
  return wide;
}

/** Examples that go different ways are computed together, each with the others' effects. */
export const effectsOfAll = (op: string): TransformError =>
  new TransformError({
    code: "callback-vmap",
    message: `vmap of ${op} with a condition of each example's own cannot have an ioCallback inside: all examples would call it`,
    hint: "use lax.map in place of vmap, or call it outside of the branches or the loop",
  });
