import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { choose } from "./logic.js";
import { all } from "./reductions.js";
import { like, nanMask } from "./ufunc.js";

/** Where the extremes stand. */

export interface ArgOptions {
  /** One axis; without it the index is that of the flattened array. */
  readonly axis?: number | null | undefined;
  readonly keepdims?: boolean | null | undefined;
}
type Params = ArgOptions & { readonly a: ArrayLike };
const names = ["a", "axis", "out", "keepdims"] as const;

function indexOf(
  op: string,
  find: (x: NDArray, axis: number) => NDArray,
  x: NDArray,
  axis: number | null,
  keepdims: boolean,
): NDArray {
  const row = axis === null ? p.reshape(x, [x.size]) : x;
  const at = axis === null ? 0 : normalizeAxis(axis, x.ndim, op);
  if (row.shape[at] === 0)
    throw new ArgumentError({
      code: "reduce-empty",
      message: `${op} of no elements is not defined`,
      details: [["a", x.describe()]],
    });
  const index = find(row, at);
  if (!keepdims) return index;
  return axis === null
    ? p.reshape(
        index,
        x.shape.map(() => 1),
      )
    : p.expandDims(index, [at]);
}

const argmaxParams = /* @__PURE__ */ signature<Params>("argmax", 1, names);
/**
 * The index (int32) of the largest element along an axis, or in the flattened array: the first of equal ones; of the first NaN
 * if there is one.
 *
 * @throws ArgumentError `axis-range`, `reduce-empty`.
 * @example
 * np.argmax(np.array([1, 3, 3])); // 1
 * np.argmax(np.array([[1, 3], [4, 2]]), 1); // [1, 0]
 */
export function argmax(a: ArrayLike, axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
export function argmax(): NDArray {
  const { a, axis = null, keepdims } = argmaxParams(arguments);
  return indexOf("argmax", p.argmax, asArray(a, "argmax", "a"), axis, keepdims ?? false);
}
const argminParams = /* @__PURE__ */ signature<Params>("argmin", 1, names);
/**
 * The index (int32) of the least element along an axis, or in the flattened array: the first of equal ones; of the first NaN if
 * there is one.
 *
 * @throws as `argmax`.
 * @example
 * np.argmin(np.array([3, 1, 1])); // 1
 */
export function argmin(a: ArrayLike, axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
export function argmin(): NDArray {
  const { a, axis = null, keepdims } = argminParams(arguments);
  return indexOf("argmin", p.argmin, asArray(a, "argmin", "a"), axis, keepdims ?? false);
}

function nanIndexOf(
  op: string,
  find: (x: NDArray, axis: number) => NDArray,
  worst: number,
  { a, axis = null, keepdims }: Params,
): NDArray {
  const x = asArray(a, op, "a");
  if (!isFloat(x.dtype)) return indexOf(op, find, x, axis, keepdims ?? false);
  const missing = nanMask(x);
  const index = indexOf(op, find, choose(op, missing, like(x, worst), x), axis, keepdims ?? false);
  return choose(op, all(missing, axis, { keepdims: keepdims ?? false }), like(index, -1), index);
}
const nanargmaxParams = /* @__PURE__ */ signature<Params>("nanargmax", 1, names);
/**
 * The index of the largest element that is not NaN; −1 if there is none.
 *
 * @throws as `argmax`.
 * @example
 * np.nanargmax(np.array([NaN, 1, 3])); // 2
 */
export function nanargmax(a: ArrayLike, axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
export function nanargmax(): NDArray {
  return nanIndexOf("nanargmax", p.argmax, -Infinity, nanargmaxParams(arguments));
}
const nanargminParams = /* @__PURE__ */ signature<Params>("nanargmin", 1, names);
/**
 * The index of the least element that is not NaN; −1 if there is none.
 *
 * @throws as `argmax`.
 * @example
 * np.nanargmin(np.array([NaN, NaN])); // -1
 */
export function nanargmin(a: ArrayLike, axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
export function nanargmin(): NDArray {
  return nanIndexOf("nanargmin", p.argmin, Infinity, nanargminParams(arguments));
}
