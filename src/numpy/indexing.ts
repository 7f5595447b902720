import { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import {
  gatheredShape,
  integers as requireIntegers,
  type Index,
  type IndexPlan,
  planIndex,
  selectedShape,
  selectStatic,
  windowPlan,
} from "./index-plan.js";
import { convert, convertAll, expandTo, promote2, resultElementType } from "./promotion.js";

export type { Index } from "./index-plan.js";

/** What an index array that points outside of the array does. */
export type OutOfBounds = "fill" | "drop" | "clip" | "wrap" | "promiseInBounds";

function primitiveMode(mode: OutOfBounds, op: string): p.IndexMode {
  if (mode === "drop" || mode === "fill") return "fill";
  if (mode === "clip" || mode === "promiseInBounds") return mode;
  throw new ArgumentError({
    code: "index-mode",
    message: `${op}: ${JSON.stringify(mode)} is not a mode`,
    hint: `modes: "fill", "drop", "clip", "promiseInBounds"`,
  });
}

/**
 * The elements that an index selects. Numbers that are out of bounds throw; entries of index arrays are clamped, as in JAX,
 * and their derivative is dropped.
 */
export function slice(x: NDArray, ...index: readonly Index[]): NDArray {
  const plan = planIndex(x.shape, index, "slice");
  return plan.block === undefined ? selectStatic(x, plan) : select(x, plan, "promiseInBounds", undefined);
}

function select(x: NDArray, plan: IndexPlan, mode: p.IndexMode, fillValue: number | undefined): NDArray {
  const { indices, indexed, windows } = windowPlan(plan, true);
  const picked = p.gather(
    x,
    indices,
    { offsetDims: windows, collapsedSliceDims: indexed, startIndexMap: indexed },
    x.shape.map((n, k) => (indexed.includes(k) ? 1 : n)),
    { mode, fillValue },
  );
  return p.reshape(picked, selectedShape(plan));
}

export interface GetOptions {
  readonly mode?: OutOfBounds;
  readonly fillValue?: number;
}
export interface UpdateOptions {
  readonly mode?: OutOfBounds;
  readonly uniqueIndices?: boolean;
}

/** Updated copies of an array at an index: `x.at(i).set(v)`. Updates that are out of bounds are dropped. */
export interface IndexUpdate {
  /** The selected elements; `mode` "fill" gives `fillValue` (NaN) where the index is out of bounds. */
  get(options?: GetOptions): NDArray;
  /** Replaces the elements; of several updates of one element the last wins. */
  set(values: ArrayLike, options?: UpdateOptions): NDArray;
  add(values: ArrayLike, options?: UpdateOptions): NDArray;
  sub(values: ArrayLike, options?: UpdateOptions): NDArray;
  mul(values: ArrayLike, options?: UpdateOptions): NDArray;
  div(values: ArrayLike, options?: UpdateOptions): NDArray;
  min(values: ArrayLike, options?: UpdateOptions): NDArray;
  max(values: ArrayLike, options?: UpdateOptions): NDArray;
}

type Combine = (x: NDArray, y: NDArray) => NDArray;

/** See `IndexUpdate`. A boolean mask of the array's shape selects where scalars go. */
export function at(x: NDArray, ...index: readonly Index[]): IndexUpdate {
  const mask = index.length === 1 && index[0] instanceof NDArray && index[0].dtype === "bool" ? index[0] : undefined;
  if (mask) return atMask(x, mask);
  const plan = planIndex(x.shape, index, "at");
  const update =
    (op: string, scatter: typeof p.scatter, prepare: (y: NDArray) => NDArray = (y) => y) =>
    (values: ArrayLike, options: UpdateOptions = {}): NDArray => {
      const [target, y] = convertAll([x, values], resultElementType(op, [x, values])) as [NDArray, NDArray];
      return convert(
        scatterInto(target, prepare(asUpdates(y, plan, op)), plan, scatter, options, op),
        x.dtype,
        x.weakType,
      );
    };
  return {
    get: ({ mode = "promiseInBounds", fillValue } = {}) =>
      plan.block === undefined ? selectStatic(x, plan) : select(x, plan, primitiveMode(mode, "at.get"), fillValue),
    set: (values, options = {}) => {
      const y = p.convertElementType(asArray(values, "at.set", "values"), x.dtype);
      return scatterInto(x, asUpdates(y, plan, "at.set"), plan, p.scatter, options, "at.set");
    },
    add: update("at.add", p.scatterAdd),
    sub: update("at.sub", p.scatterAdd, p.neg),
    mul: update("at.mul", p.scatterMul),
    div: update("at.div", p.scatterMul, (y) => p.integerPow(y, -1)),
    min: update("at.min", p.scatterMin),
    max: update("at.max", p.scatterMax),
  };
}

/** Values broadcast to what the index selects. */
function asUpdates(y: NDArray, plan: IndexPlan, op: string): NDArray {
  const shape = selectedShape(plan);
  const offset = shape.length - y.ndim;
  if (offset < 0 || !y.shape.every((n, k) => n === 1 || n === shape[k + offset])) {
    throw new ShapeError({
      code: "update-shape",
      message: `${op}: the values do not broadcast to what the index selects`,
      details: [
        ["selected", `[${shape.join(",")}]`],
        ["values", `[${y.shape.join(",")}]`],
      ],
    });
  }
  return p.reshape(expandTo(y, shape), gatheredShape(plan));
}

function scatterInto(
  x: NDArray,
  updates: NDArray,
  plan: IndexPlan,
  scatter: typeof p.scatter,
  options: UpdateOptions,
  op: string,
): NDArray {
  const { indices, indexed, windows } = windowPlan(plan, true);
  return scatter(
    x,
    indices,
    updates,
    { updateWindowDims: windows, insertedWindowDims: indexed, scatterDimsToOperandDims: indexed },
    { mode: primitiveMode(options.mode ?? "drop", op), uniqueIndices: options.uniqueIndices },
  );
}

function atMask(x: NDArray, mask: NDArray): IndexUpdate {
  if (mask.ndim > x.ndim || !mask.shape.every((n, k) => n === x.shape[k])) {
    throw new ShapeError({
      code: "mask-shape",
      message: "at: a mask has the shape of the array's leading axes",
      details: [
        ["array", `[${x.shape.join(",")}]`],
        ["mask", `[${mask.shape.join(",")}]`],
      ],
    });
  }
  const where = p.broadcastInDim(
    mask,
    x.shape,
    mask.shape.map((_, k) => k),
  );
  const update =
    (op: string, combine: Combine) =>
    (values: ArrayLike): NDArray => {
      const y = asArray(values, op, "values");
      if (y.ndim !== 0)
        throw new ShapeError({
          code: "mask-values",
          message: `${op}: a mask takes a scalar`,
          hint: "use np.where(mask, values, x)",
        });
      const [target, v] = promote2(op, x, y) as [NDArray, NDArray];
      return p.select(where, convert(combine(target, v), x.dtype), x);
    };
  return {
    get: () => {
      throw new ShapeError({
        code: "mask-get",
        message: "at.get: the shape of a selection by a mask depends on its values",
        hint: "use np.where(mask, x, fill)",
      });
    },
    set: update("at.set", (t, v) => expandTo(v, t.shape)),
    add: update("at.add", p.add),
    sub: update("at.sub", p.sub),
    mul: update("at.mul", p.mul),
    div: update("at.div", p.div),
    min: update("at.min", p.min),
    max: update("at.max", p.max),
  };
}

export interface TakeOptions {
  readonly axis?: number | null;
  readonly mode?: OutOfBounds | null;
  readonly fillValue?: number | null;
}
const takeParams = signature<{ a: ArrayLike; indices: ArrayLike } & TakeOptions>(
  "take",
  2,
  ["a", "indices", "axis", "out", "mode"],
  { byName: ["fillValue"] },
);
/**
 * Elements at indices along an axis, or of the flattened array. Negative indices count from the end; what is out of bounds
 * gives NaN (integers: their least value), unless `mode` is "clip" or "wrap".
 */
export function take(
  a: ArrayLike,
  indices: ArrayLike,
  axis?: number | null | TakeOptions,
  options?: TakeOptions,
): NDArray;
export function take(...given: unknown[]): NDArray {
  const { a, indices, axis = null, mode = null, fillValue = null } = takeParams(given);
  const x = asArray(a, "take", "a");
  const flat = axis === null ? p.reshape(x, [x.size]) : x;
  const k = axis === null ? 0 : normalizeAxis(axis, x.ndim, "take");
  const { index, primitive } = resolveMode(asArray(indices, "take", "indices"), flat.shape[k]!, mode ?? "fill", "take");
  const plan = planIndex(flat.shape, [...new Array<readonly number[]>(k).fill([]), index], "take");
  const shape = selectedShape(plan);
  const { indices: vectors, indexed, windows } = windowPlan(plan, false);
  const picked = p.gather(
    flat,
    vectors,
    { offsetDims: windows, collapsedSliceDims: indexed, startIndexMap: indexed },
    flat.shape.map((n, d) => (d === k ? 1 : n)),
    { mode: primitive, fillValue: fillValue ?? undefined },
  );
  return p.reshape(picked, shape);
}

/** Index arrays for a mode: negative entries count from the end, or all wrap around. */
function resolveMode(
  i: NDArray,
  n: number,
  mode: OutOfBounds,
  op: string,
): { readonly index: NDArray; readonly primitive: p.IndexMode } {
  requireIntegers(i, op);
  const index = p.convertElementType(i, "int32");
  if (mode === "clip") return { index, primitive: "clip" };
  if (mode === "wrap") {
    const r = p.rem(index, n);
    return { index: p.select(p.lt(r, 0), p.add(r, n), r), primitive: "promiseInBounds" };
  }
  return {
    index: i.dtype === "uint32" ? index : p.select(p.lt(index, 0), p.add(index, n), index),
    primitive: primitiveMode(mode, op),
  };
}

interface AlongOptions {
  readonly axis?: number | null;
  readonly mode?: OutOfBounds | null;
  readonly fillValue?: number | null;
}
const takeAlongParams = signature<{ arr: ArrayLike; indices: ArrayLike } & AlongOptions>("takeAlongAxis", 2, [
  "arr",
  "indices",
  "axis",
  "mode",
  "fillValue",
]);
/** For every vector along an axis, its elements at the indices in the same place; the other axes broadcast. */
export function takeAlongAxis(
  arr: ArrayLike,
  indices: ArrayLike,
  axis?: number | null | AlongOptions,
  options?: AlongOptions,
): NDArray;
export function takeAlongAxis(...given: unknown[]): NDArray {
  const { arr, indices, axis = -1, mode = null, fillValue = null } = takeAlongParams(given);
  const x = asArray(arr, "takeAlongAxis", "arr");
  const i = asArray(indices, "takeAlongAxis", "indices");
  const { array, index, k } = alignAlong(x, i, axis, "takeAlongAxis");
  const resolved = resolveMode(index, array.shape[k]!, mode ?? "fill", "takeAlongAxis");
  const batch = array.shape.map((_, d) => d).filter((d) => d !== k);
  return p.gather(
    array,
    p.expandDims(resolved.index, [index.ndim]),
    {
      offsetDims: [],
      collapsedSliceDims: [k],
      startIndexMap: [k],
      operandBatchingDims: batch,
      startIndicesBatchingDims: batch,
    },
    array.shape.map(() => 1),
    { mode: resolved.primitive, fillValue: fillValue ?? undefined },
  );
}

/** Brings an array and its indices along an axis to equal lengths of all other axes. */
function alignAlong(
  x: NDArray,
  i: NDArray,
  axis: number | null,
  op: string,
): { readonly array: NDArray; readonly index: NDArray; readonly k: number } {
  if (axis === null) return { array: p.reshape(x, [x.size]), index: p.reshape(i, [i.size]), k: 0 };
  const k = normalizeAxis(axis, x.ndim, op);
  if (i.ndim !== x.ndim || !x.shape.every((n, d) => d === k || n === i.shape[d] || n === 1 || i.shape[d] === 1)) {
    throw new ShapeError({
      code: "along-axis-shape",
      message: `${op}: array and indices need the same number of axes, equal but for axis ${k}`,
      details: [
        ["array", `[${x.shape.join(",")}]`],
        ["indices", `[${i.shape.join(",")}]`],
      ],
    });
  }
  const common = x.shape.map((n, d) => Math.max(n, i.shape[d]!));
  const fit = (y: NDArray): NDArray =>
    expandTo(
      y,
      common.map((n, d) => (d === k ? y.shape[d]! : n)),
    );
  return { array: fit(x), index: fit(i), k };
}

const putAlongParams = signature<{
  arr: ArrayLike;
  indices: ArrayLike;
  values: ArrayLike;
  axis: number | null;
  inplace?: boolean;
  mode?: OutOfBounds | null;
}>("putAlongAxis", 4, ["arr", "indices", "values", "axis", "inplace"], { byName: ["mode"] });
/** A copy of an array in which every vector along an axis has `values` at the indices in the same place. */
export function putAlongAxis(
  arr: ArrayLike,
  indices: ArrayLike,
  values: ArrayLike,
  axis: number | null,
  options?: { readonly inplace?: false },
): NDArray;
export function putAlongAxis(...given: unknown[]): NDArray {
  const { arr, indices, values, axis } = putAlongParams(given);
  const x = asArray(arr, "putAlongAxis", "arr");
  const { array, index, k } = alignAlong(x, asArray(indices, "putAlongAxis", "indices"), axis, "putAlongAxis");
  const grid = index.shape.map((_, d) => (d === k ? index : p.iota("int32", index.shape, d)));
  const updates = expandTo(asArray(values, "putAlongAxis", "values"), index.shape);
  return p.reshape(at(array, ...grid).set(updates), x.shape);
}

const putParams = signature<{
  a: ArrayLike;
  ind: ArrayLike;
  v: ArrayLike;
  mode?: "clip" | "wrap" | null;
  inplace?: boolean;
}>("put", 3, ["a", "ind", "v", "mode"], {
  byName: ["inplace"],
});
/** A copy of an array with elements, counted in row-major order, replaced; `v` is repeated as needed. */
export function put(
  a: ArrayLike,
  ind: ArrayLike,
  v: ArrayLike,
  options?: { readonly mode?: "clip" | "wrap" | null; readonly inplace?: false },
): NDArray;
export function put(...given: unknown[]): NDArray {
  const { a, ind, v, mode = null } = putParams(given);
  const x = asArray(a, "put", "a");
  const i = p.reshape(asArray(ind, "put", "ind"), [asArray(ind).size]);
  const values = asArray(v, "put", "v");
  if (i.size === 0 || values.size === 0) return x;
  const count = Math.ceil(i.size / values.size);
  const flat = p.reshape(values, [values.size]);
  const repeated = p.slice(
    p.reshape(p.broadcastInDim(flat, [count, values.size], [1]), [count * values.size]),
    [0],
    [i.size],
  );
  const { index, primitive } =
    mode === null ? { index: i, primitive: "fill" as const } : resolveMode(i, x.size, mode, "put");
  return p.reshape(at(p.reshape(x, [x.size]), index).set(repeated, { mode: primitive }), x.shape);
}
