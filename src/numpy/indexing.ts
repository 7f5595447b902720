import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { fromEnd } from "../lax/from-end.js";
import * as p from "../primitives/all.js";
import { integers as requireIntegers, type Index, planIndex } from "./index-plan.js";
import { type OutOfBounds, primitiveMode, selectByArrays, selectWith } from "./index-select.js";
import { at } from "./index-update.js";
import { expandTo } from "./promotion.js";

export type { Index } from "./index-plan.js";
export type { OutOfBounds } from "./index-select.js";
export { at, type GetOptions, type IndexUpdate, type UpdateOptions } from "./index-update.js";

/**
 * The elements that an index selects. Numbers that are out of bounds throw; entries of index arrays are clamped, as in JAX,
 * and their derivative is dropped, but for arrays of no dimensions: it goes where the clamped index points.
 */
export function slice(x: NDArray, ...index: readonly Index[]): NDArray {
  const plan = planIndex(x.shape, index, "slice");
  return selectWith(x, plan, { mode: "promiseInBounds" });
}

export interface TakeOptions {
  readonly axis?: number | null;
  readonly mode?: "fill" | "clip" | "wrap" | null;
  readonly fillValue?: number | null;
  /** A promise that no element is taken twice. */
  readonly uniqueIndices?: boolean;
  /** A hint of no consequence here. */
  readonly indicesAreSorted?: boolean;
}
const takeParams = signature<{ a: ArrayLike; indices: ArrayLike } & TakeOptions>(
  "take",
  2,
  ["a", "indices", "axis", "out", "mode"],
  { byName: ["fillValue", "uniqueIndices", "indicesAreSorted"] },
);
/**
 * Elements at indices along an axis, or of the flattened array: the axis becomes the axes of the indices. Negative indices
 * count from the end; what is out of bounds gives NaN (int32: the least one, uint32 the greatest, true), unless `mode` is
 * "clip" (then negative ones mean the first) or "wrap". The derivative of what is taken twice adds up; of what is out of
 * bounds it is 0.
 *
 * @throws DTypeError `index-dtype`; ArgumentError `index-mode`, `axis-range`.
 * @example
 * const x = np.array([10, 20, 30]);
 * np.take(x, np.array([2, 0, -1], "int32")); // [30, 10, 30]
 * np.take(x, np.array([0, 5], "int32")); // [10, NaN]
 */
export function take(
  a: ArrayLike,
  indices: ArrayLike,
  axis?: number | null | TakeOptions,
  options?: TakeOptions,
): NDArray;
export function take(...given: unknown[]): NDArray {
  const { a, indices, axis = null, mode = null, fillValue = null, uniqueIndices } = takeParams(given);
  if (mode !== null && mode !== "fill" && mode !== "clip" && mode !== "wrap") {
    throw new ArgumentError({
      code: "index-mode",
      message: `take: ${JSON.stringify(mode)} is not a mode`,
      hint: 'modes: "fill", "clip", "wrap"',
    });
  }
  const x = asArray(a, "take", "a");
  const flat = axis === null ? p.reshape(x, [x.size]) : x;
  const k = axis === null ? 0 : normalizeAxis(axis, x.ndim, "take");
  const chosen = asArray(indices, "take", "indices");
  const i = chosen.dtype === "bool" ? p.convertElementType(chosen, "int32") : chosen;
  const { index, primitive } = resolveMode(i, flat.shape[k]!, mode ?? "fill", "take");
  const plan = planIndex(flat.shape, [...new Array<readonly number[]>(k).fill([]), index], "take");
  return selectByArrays(flat, plan, { mode: primitive, fillValue: fillValue ?? undefined, uniqueIndices, wrap: false });
}

/** Index arrays for a mode: negative entries count from the end, or all wrap around. */
function resolveMode(
  i: NDArray,
  n: number,
  mode: OutOfBounds,
  op: string,
  /** Whether negative entries count from the end also with "clip". */
  countBeforeClip = false,
): { readonly index: NDArray; readonly primitive: p.IndexMode } {
  requireIntegers(i, op);
  const index = p.convertElementType(i, "int32");
  if (mode === "clip" && !countBeforeClip) return { index, primitive: "clip" };
  if (mode === "wrap") {
    const r = p.rem(index, n);
    return { index: fromEnd(r, n), primitive: "promiseInBounds" };
  }
  return {
    index: i.dtype === "uint32" ? index : fromEnd(index, n),
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
/**
 * For every vector along an axis (the last by default), its elements at the indices in the same place: `arr: [*batch n]` and
 * `indices: int[*batch m]` give `[*batch m]`; the other axes broadcast. Out of bounds as in `take`.
 *
 * @throws ShapeError `along-axis-shape`; DTypeError `index-dtype`; ArgumentError `axis-range`.
 * @example
 * const x = np.array([[3, 1, 2], [6, 5, 4]]);
 * np.takeAlongAxis(x, np.argsort(x), 1); // [[1, 2, 3], [4, 5, 6]]
 */
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
  if (mode === "wrap") primitiveMode(mode, "takeAlongAxis");
  const resolved = resolveMode(index, array.shape[k]!, mode ?? "fill", "takeAlongAxis", true);
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
/**
 * A copy of an array in which every vector along an axis has `values` at the indices in the same place.
 *
 * @throws ShapeError `along-axis-shape`; ArgumentError `axis-range`.
 * @example
 * np.putAlongAxis(np.zeros([2, 2]), np.array([[1], [0]], "int32"), np.array([[5], [6]]), 1); // [[0, 5], [6, 0]]
 */
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
/**
 * A copy of an array with elements, counted in row-major order, replaced; `v` is repeated as needed. What is out of bounds
 * means the nearest element, and a negative number counts from the end; with "clip" it means the first element.
 *
 * @throws DTypeError `index-dtype`.
 * @example
 * np.put(np.zeros([3]), np.array([0, -1], "int32"), np.array([5, 6])); // [5, 0, 6]
 */
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
  if (x.size === 0 || i.size === 0 || values.size === 0) return x;
  const count = Math.ceil(i.size / values.size);
  const flat = p.reshape(values, [values.size]);
  const repeated = p.slice(
    p.reshape(p.broadcastInDim(flat, [count, values.size], [1]), [count * values.size]),
    [0],
    [i.size],
  );
  const { index } = mode === "wrap" ? resolveMode(i, x.size, mode, "put") : { index: nearest(i, x.size, mode, "put") };
  return p.reshape(at(p.reshape(x, [x.size]), index).set(repeated, { mode: "fill" }), x.shape);
}

/** Indices of the nearest elements; negative ones count from the end, unless the mode is "clip". */
function nearest(i: NDArray, n: number, mode: "clip" | null, op: string): NDArray {
  const from = mode === null ? resolveMode(i, n, "fill", op).index : resolveMode(i, n, "clip", op).index;
  return p.clamp(0, from, n - 1);
}
