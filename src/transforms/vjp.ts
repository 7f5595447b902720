import type { NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { Linear, type Tangent } from "../core/primitive.js";
import { flatten, sameStructure, type TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, ArraysOfAll, In, Ins, Structure } from "../core/types.js";
import { Zero } from "../core/zero.js";
import { instantiate } from "../primitives/all.js";
import { differentiable, fitTangent, flattenArrays, nameOf, requireFunction } from "./arguments.js";
import { type Linearized, linearizeFlat } from "./linearize.js";
import { backwardPass } from "./transpose.js";

/** Pulls cotangents of all results back to the moving primals. */
export function pullBack(lin: Linearized, cotangents: readonly Tangent[]): Tangent[] {
  const { jaxpr, consts } = lin.linear;
  const inputs = jaxpr.inVars.map((v, i) => consts[i] ?? new Linear(v.aval));
  return backwardPass(
    jaxpr,
    inputs,
    cotangents.filter((_, i) => lin.outNonzero[i]),
  );
}

/** A function of trees linearized at primals, with the structures of what came and went. */
export interface TreeVjp {
  readonly lin: Linearized;
  readonly primals: readonly NDArray[];
  readonly moving: readonly boolean[];
  readonly inDef: TreeDef;
  readonly outDef: TreeDef;
  readonly aux: unknown;
}

/** Linearizes a user's function of `primals`; float leaves move, others are constants. With `hasAux` it returns [result, aux]. */
export function vjpTree(
  f: (...args: never[]) => unknown,
  primals: readonly unknown[],
  hasAux: boolean,
  transform: string,
): TreeVjp {
  requireFunction(f, transform);
  const { leaves, def } = flattenArrays(primals, `${transform}: argument `);
  const xs = leaves.map(differentiable);
  const moving = xs.map((x) => isFloat(x.dtype));
  let outDef = def;
  let auxDef: TreeDef | undefined;
  let numOuts = 0;
  const full = linearizeFlat(
    (args) => {
      const result = f(...(unflatten(def, args) as never[]));
      const [main, aux] = hasAux ? splitAux(result, nameOf(f), transform) : [result, undefined];
      const out = flattenArrays(main, `the result of ${nameOf(f)}`);
      outDef = out.def;
      numOuts = out.leaves.length;
      if (!hasAux) return out.leaves;
      const extra = flattenArrays(aux, `the auxiliary result of ${nameOf(f)}`);
      auxDef = extra.def;
      return [...out.leaves, ...extra.leaves];
    },
    xs,
    moving,
    transform.includes(" of ") ? transform : `${transform} of ${nameOf(f)}`,
  );
  if (!auxDef) return { lin: full, primals: xs, moving, inDef: def, outDef, aux: undefined };
  return {
    lin: dropOutputs(full, numOuts),
    primals: xs,
    moving,
    inDef: def,
    outDef,
    aux: unflatten(auxDef, full.outs.slice(numOuts)),
  };
}

/** The same linearization with the first `count` results only. */
function dropOutputs(lin: Linearized, count: number): Linearized {
  const outNonzero = lin.outNonzero.slice(0, count);
  const kept = outNonzero.filter(Boolean).length;
  const { jaxpr, consts } = lin.linear;
  return {
    outs: lin.outs.slice(0, count),
    outNonzero,
    linear: { jaxpr: { ...jaxpr, outs: jaxpr.outs.slice(0, kept) }, consts },
  };
}

function splitAux(result: unknown, name: string, transform: string): [unknown, unknown] {
  if (Array.isArray(result) && result.length === 2) return [result[0], result[1]];
  throw new ArgumentError({
    code: "aux-pair",
    message: `${transform}: with hasAux, ${name} must return a pair [result, aux]`,
    hint: "return [loss, extra] from the function",
  });
}

/** Cotangents for the leaves of the arguments: null for those that are not floats. */
export function pullTree(v: TreeVjp, cotangents: readonly Tangent[]): (NDArray | null)[] {
  const grads = pullBack(v.lin, cotangents);
  let next = 0;
  return v.moving.map((is) => (is ? instantiate(grads[next++]!) : null));
}

function pullFunction<R>(v: TreeVjp): (ct: unknown) => R {
  const avals = v.lin.outs.map((x) => x.aval);
  return (ct) => {
    const leaves = cotangentLeaves(ct, v.outDef, avals);
    const cts = avals.map((a, i) => (isFloat(a.dtype) ? fitTangent(leaves[i], a, `vjp: cotangent ${i}`) : new Zero(a)));
    return unflatten(v.inDef, pullTree(v, cts)) as R;
  };
}

/** The leaves of a cotangent; null may stand for results that are no floats, as cotangents of such arguments are null. */
function cotangentLeaves(ct: unknown, def: TreeDef, avals: readonly Aval[]): readonly unknown[] {
  const [leaves, given] = flatten(ct);
  const [, floatsOnly] = flatten(
    unflatten(
      def,
      avals.map((a) => (isFloat(a.dtype) ? 0 : null)),
    ),
  );
  if (given.key !== floatsOnly.key) {
    sameStructure(def, given, "vjp: cotangent");
    return leaves;
  }
  let next = 0;
  return avals.map((a) => (isFloat(a.dtype) ? leaves[next++] : null));
}

/**
 * Evaluates `f` at `primals` and gives the function that pulls cotangents back: `[f(x), ct => [∂f(x)ᵀ·ct]]`, one entry an
 * argument, of its structure; null for integer arrays, which have no cotangent.
 * @throws TreeError `tree-mismatch`, ShapeError `tangent-shape` for cotangents that do not fit.
 * @example
 * const [y, pull] = vjp((x) => x.mul(x), np.array([1, 3]));
 * pull(np.array([1, 10])); // [[2, 60]]
 */
export function vjp<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  ...primals: Ins<NoInfer<A>>
): [value: ArraysOf<R>, pull: (cotangent: In<R>) => ArraysOfAll<A>] {
  const v = vjpTree(f, primals, false, "vjp");
  return [unflatten(v.outDef, v.lin.outs) as ArraysOf<R>, pullFunction(v)];
}

/**
 * `vjp` of a function that returns `[result, aux]`: gives `[result, pull, aux]`.
 *
 * @throws as `vjp`.
 * @example
 * const [y, pull, aux] = vjpAux((x: NDArray) => [x.mul(x), x.add(1)] as const, np.array(3));
 * [y, aux, pull(1)]; // [9, 4, [6]]
 */
export function vjpAux<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown, X = unknown>(
  f: (...args: A) => readonly [R, X],
  ...primals: Ins<NoInfer<A>>
): [value: ArraysOf<R>, pull: (cotangent: In<R>) => ArraysOfAll<A>, aux: ArraysOf<X>] {
  const v = vjpTree(f, primals, true, "vjpAux");
  return [unflatten(v.outDef, v.lin.outs) as ArraysOf<R>, pullFunction(v), v.aux as ArraysOf<X>];
}
