import { ConcreteArray, type NDArray } from "../../core/array.js";
import { type Aval, formatAval, sameShape } from "../../core/aval.js";
import { config } from "../../core/config.js";
import { isFloat } from "../../core/dtype.js";
import { getEngine } from "../../core/engine.js";
import { type ErrorDetail, TreeError } from "../../core/errors.js";
import type { ClosedJaxpr } from "../../core/jaxpr.js";
import { scalarOf } from "../../core/literal.js";
import { stage } from "../../core/staging.js";
import { boundAxesKey, Tracer } from "../../core/trace.js";
import { leafPaths, type TreeDef, unflatten } from "../../core/tree.js";
import { convertElementType } from "../../primitives/all.js";
import { flattenArrays, nameOf } from "../arguments.js";

/** A user's function as a jaxpr: what control flow runs. Arrays that it captured are `closed.consts`. */
export interface StagedFunction {
  readonly closed: ClosedJaxpr;
  readonly outDef: TreeDef;
}

type AnyFunction = (...args: never[]) => unknown;

const caches = new WeakMap<AnyFunction, Map<string, StagedFunction>>();
const maxEntries = 256;

/**
 * Stages a function for arguments of the given structure (a list of them) and types: once, as `jit` does. What captures a
 * tracer of a running transformation is staged anew each time.
 */
export function stageFunction(f: AnyFunction, def: TreeDef, avals: readonly Aval[], kind: string): StagedFunction {
  let cache = caches.get(f);
  if (!cache) caches.set(f, (cache = new Map()));
  const types = avals.map(formatAval).join(";");
  const key = [kind, def.key, types, String(config.enableX64), getEngine().defaultDevice(), boundAxesKey()].join("|");
  const known = cache.get(key);
  if (known) return known;
  let outDef = def;
  const closed = stage(
    (xs) => {
      const out = flattenArrays(f(...(unflatten(def, xs) as never[])), `${kind}: the result of ${nameOf(f)}`);
      outDef = out.def;
      return out.leaves;
    },
    avals,
    { kind: `${kind} of ${nameOf(f)}` },
  );
  const staged = { closed, outDef };
  if (!closed.consts.some((x) => x instanceof Tracer)) {
    if (cache.size >= maxEntries) cache.delete(cache.keys().next().value!);
    cache.set(key, staged);
  }
  return staged;
}

/** A value as one of another type of the same shape. */
export function ofType(x: NDArray, type: Aval): NDArray {
  const { dtype, weakType } = x.aval;
  if (dtype === type.dtype && weakType === type.weakType) return x;
  const value = x instanceof ConcreteArray ? x.storage.scalar : undefined;
  if (value !== undefined && x.ndim === 0) return scalarOf(value, type);
  return convertElementType(x, type.dtype, type.weakType);
}

/** The type that a carry has in the end: a weak one takes that of the body's result. */
const settled = (first: Aval, result: Aval): Aval =>
  first.weakType && !(isFloat(first.dtype) && !isFloat(result.dtype))
    ? { shape: first.shape, dtype: result.dtype, weakType: first.dtype === result.dtype && result.weakType }
    : first;

/**
 * Stages the body of a loop for a carry that begins as `init`; `carryOf` finds the carry among its results.
 * Weakly typed leaves take the types that the body gives them. @throws TreeError `carry-type`.
 */
export function stageCarrying(
  init: readonly NDArray[],
  initDef: TreeDef,
  stageWith: (avals: readonly Aval[]) => StagedFunction,
  carryOf: (staged: StagedFunction) => { readonly def: TreeDef; readonly avals: readonly Aval[] },
  op: string,
): { readonly staged: StagedFunction; readonly init: readonly NDArray[] } {
  let avals = init.map((x) => x.aval);
  for (;;) {
    const staged = stageWith(avals);
    const result = carryOf(staged);
    if (result.def.key !== initDef.key) throw mismatch(op, initDef, avals, result.def, result.avals);
    const next = avals.map((a, i) => settled(a, result.avals[i]!));
    if (next.every((a, i) => a.dtype === avals[i]!.dtype && a.weakType === avals[i]!.weakType)) {
      const fits = result.avals.every((a, i) => a.dtype === avals[i]!.dtype && sameShape(a.shape, avals[i]!.shape));
      if (!fits) throw mismatch(op, initDef, avals, result.def, result.avals);
      return { staged, init: init.map((x, i) => ofType(x, avals[i]!)) };
    }
    avals = next;
  }
}

function mismatch(
  op: string,
  expected: TreeDef,
  first: readonly Aval[],
  got: TreeDef,
  result: readonly Aval[],
): TreeError {
  const same = expected.key === got.key;
  return new TreeError({
    code: "carry-type",
    message: `${op}: the carry that the body returns must have the ${same ? "types" : "structure"} of the initial one`,
    details: same ? leafByLeaf(expected, first, result) : bothStructures(expected, first, got, result),
    hint: same
      ? "make the initial carry of the type that the body gives, or convert the body's result with astype"
      : "the body returns the next carry, in the form of the one that it is given",
  });
}

function leafByLeaf(def: TreeDef, first: readonly Aval[], result: readonly Aval[]): ErrorDetail[] {
  return leafPaths(def, "carry").map((path, i) => {
    const [a, b] = [formatAval(first[i]!), formatAval(result[i]!)];
    const differs = first[i]!.dtype !== result[i]!.dtype || !sameShape(first[i]!.shape, result[i]!.shape);
    return [path, differs ? `begins as ${a}, the body gives ${b}` : `${a} in both`];
  });
}

function bothStructures(
  expected: TreeDef,
  first: readonly Aval[],
  got: TreeDef,
  result: readonly Aval[],
): ErrorDetail[] {
  const leaves = (def: TreeDef, avals: readonly Aval[]): string =>
    leafPaths(def, "carry")
      .map((path, i) => `${path}: ${formatAval(avals[i]!)}`)
      .join(", ");
  return [
    ["begins as", `${expected.key}  ${leaves(expected, first)}`.trimEnd()],
    ["body gives", `${got.key}  ${leaves(got, result)}`.trimEnd()],
  ];
}
