import type { NDArray } from "../core/array.js";
import { type Aval, formatAval, sameShape } from "../core/aval.js";
import { isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError, TreeError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { type ArrayLike, asArray, describeValue, lit } from "../core/literal.js";
import { memoize } from "../core/memo.js";
import { bind } from "../core/trace.js";
import { leafPaths, unflatten } from "../core/tree.js";
import type { ArraysOf, ArraysOfAll, Structure } from "../core/types.js";
import { convertElementType, min, ne } from "../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../transforms/arguments.js";
import { condPrimitive } from "../transforms/control/cond.js";
import { stageClosed, widen } from "../transforms/control/shared.js";
import { ofType, stageFunction, type StagedFunction } from "../transforms/control/staging.js";

import { branchNow } from "./uncompiled.js";

type AnyFunction = (...args: never[]) => unknown;

/**
 * Calls one of two functions by a scalar that is known only when the program runs. Both are staged; only the one that is
 * called is computed, except under `vmap` with a mapped predicate, where both are and the results chosen.
 *
 * Operands and results are pytrees; both functions give the same structure and types.
 * @throws TreeError `branch-types`, ShapeError `predicate-shape`.
 * @example
 * lax.cond(np.sum(np.ones([3])).greater(2), (x) => x.mul(2), (x) => x, np.arange(3)); // [0, 2, 4]
 */
export function cond<T extends readonly unknown[], R extends Structure>(
  pred: ArrayLike,
  trueFun: (...operands: ArraysOfAll<T>) => R,
  falseFun: (...operands: ArraysOfAll<T>) => NoInfer<R>,
  ...operands: T
): NoInfer<ArraysOf<R>> {
  requireFunction(trueFun, "lax.cond");
  requireFunction(falseFun, "lax.cond");
  const p = asArray(pred, "lax.cond", "pred");
  if (p.ndim !== 0) {
    throw new ShapeError({
      code: "predicate-shape",
      message: "lax.cond: the predicate must be a scalar",
      details: [["got", formatAval(p.aval)]],
      hint: "np.where chooses element by element; np.all and np.any make one predicate of many",
    });
  }
  if (p.dtype === "key") throw new DTypeError({ code: "predicate-dtype", message: "lax.cond: a key is no predicate" });
  const holds = p.dtype === "bool" ? p : ne(p, 0);
  const index = convertElementType(holds, "int32");
  return branch(index, [falseFun as AnyFunction, trueFun as AnyFunction], operands, "lax.cond") as ArraysOf<R>;
}

/**
 * Calls one of several functions by an integer scalar, which is clamped to the functions there are.
 * @throws TreeError `branch-types`, ArgumentError `switch-index`, `switch-branches`.
 * @example
 * lax.switch(np.array(1, { dtype: "int32" }), [(x) => x, (x) => x.neg(), (x) => x.mul(2)], 3); // -3
 */
function switchTo<T extends readonly unknown[], R extends Structure>(
  index: ArrayLike,
  branches: readonly ((...operands: ArraysOfAll<T>) => R)[],
  ...operands: T
): NoInfer<ArraysOf<R>> {
  if (!Array.isArray(branches) || branches.length === 0) {
    throw new ArgumentError({
      code: "switch-branches",
      message: `lax.switch: branches must be a list of one function or more, got ${describeValue(branches)}`,
    });
  }
  for (const b of branches) requireFunction(b, "lax.switch");
  return branch(
    switchIndex(index, branches.length),
    branches as readonly AnyFunction[],
    operands,
    "lax.switch",
  ) as ArraysOf<R>;
}
export { switchTo as switch };

function switchIndex(index: ArrayLike, count: number): NDArray {
  if (typeof index === "number" && Number.isInteger(index))
    return lit(Math.min(Math.max(index, 0), count - 1), "int32");
  const i = asArray(index, "lax.switch", "index");
  if (i.ndim !== 0 || !isInteger(i.dtype)) {
    throw new ArgumentError({
      code: "switch-index",
      message: "lax.switch: the index must be an integer scalar",
      details: [["got", formatAval(i.aval)]],
      hint: `convert it with .astype("int32"); lax.cond takes a predicate`,
    });
  }
  // beyond int32's range it would turn negative
  return convertElementType(i.dtype === "uint32" ? min(i, lit(count - 1, "uint32")) : i, "int32");
}

function branch(index: NDArray, branches: readonly AnyFunction[], operands: readonly unknown[], op: string): unknown {
  const flat = flattenArrays(operands, `${op}: operands`);
  const now = branchNow(index, branches, flat, op);
  if (now) return now.result;
  const { leaves, def } = flat;
  const avals = leaves.map((x) => x.aval);
  const staged = branches.map((f) => stageFunction(f, def, avals, op));
  const types = commonTypes(staged, branches, op);
  const consts = staged.flatMap((s) => s.closed.consts);
  const jaxprs = staged.map(({ closed }, k) => {
    const types_ = staged.flatMap((s, j): (Aval | null)[] => s.closed.consts.map((x) => (j === k ? null : x.aval)));
    return converted(widen(closed.jaxpr, [...types_, ...avals.map(() => null)]), types);
  });
  const outs = bind(condPrimitive, [index, ...consts, ...leaves], { branches: jaxprs });
  return unflatten(staged[0]!.outDef, outs);
}

/** A branch whose results have the given types. */
function converted(jaxpr: Jaxpr, types: readonly Aval[]): Jaxpr {
  const fits = jaxpr.outs.every((a, i) => a.aval.dtype === types[i]!.dtype);
  return fits ? jaxpr : convertedTo(jaxpr, types.map(formatAval).join(";"), types);
}
const convertedTo = (() => {
  const wanted = new Map<string, readonly Aval[]>();
  const make = memoize((jaxpr: Jaxpr, key: string): Jaxpr => {
    const types = wanted.get(key)!;
    const avals = jaxpr.inVars.map((v) => v.aval);
    return stageClosed((args) => evalJaxpr(jaxpr, args).map((x, i) => ofType(x, types[i]!)), avals, "cond");
  });
  return (jaxpr: Jaxpr, key: string, types: readonly Aval[]): Jaxpr => {
    wanted.set(key, types);
    try {
      return make(jaxpr, key);
    } finally {
      wanted.delete(key);
    }
  };
})();

/** The types of the results that all branches can give: weakly typed results follow the others. */
function commonTypes(staged: readonly StagedFunction[], branches: readonly AnyFunction[], op: string): readonly Aval[] {
  const outs = staged.map((s) => s.closed.jaxpr.outs.map((a) => a.aval));
  if (staged.some((s) => s.outDef.key !== staged[0]!.outDef.key)) throw branchTypes(staged, branches, op);
  return outs[0]!.map((_, i) => {
    const all = outs.map((list) => list[i]!);
    const strong = all.filter((a) => !a.weakType);
    const type = strong[0] ?? all.find((a) => isFloat(a.dtype)) ?? all[0]!;
    const fits = (a: Aval): boolean =>
      sameShape(a.shape, type.shape) &&
      (a.dtype === type.dtype || (a.weakType && type.dtype !== "bool" && !(isFloat(a.dtype) && !isFloat(type.dtype))));
    if (!all.every(fits)) throw branchTypes(staged, branches, op);
    // JAX's rule: weak where the first branch is
    return { ...type, weakType: all[0]!.dtype === type.dtype ? all[0]!.weakType : type.weakType };
  });
}

function branchTypes(staged: readonly StagedFunction[], branches: readonly AnyFunction[], op: string): TreeError {
  const describe = ({ closed, outDef }: StagedFunction): string =>
    leafPaths(outDef, "out")
      .map((path, i) => `${path}: ${formatAval(closed.jaxpr.outs[i]!.aval)}`)
      .join(", ");
  const names = op === "lax.cond" ? ["falseFun", "trueFun"] : branches.map((f, i) => `branch ${i} (${nameOf(f)})`);
  return new TreeError({
    code: "branch-types",
    message: `${op}: all branches must give results of the same structure and types`,
    details: staged.map((s, i) => [names[i]!, `${s.outDef.key}  ${describe(s)}`] as const),
    hint: "convert results with astype, or give them one shape",
  });
}
