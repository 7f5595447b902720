import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, promoteTypes } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { frontAxes, frontAxis, listOf } from "./axes.js";

/** Reductions, running reductions, sorting and contractions, as the primitives have them. */
type Reduction = (operand: ArrayLike, axes: readonly number[]) => NDArray;

function reduction(name: string, f: (x: NDArray, axes: readonly number[]) => NDArray): Reduction {
  const params = signature<{ operand: ArrayLike; axes: readonly number[] }>(`lax.${name}`, 2, ["operand", "axes"]);
  return (...given) => {
    const { operand, axes } = params(given);
    const x = asArray(operand, `lax.${name}`);
    return f(x, frontAxes(axes, x.ndim, `lax.${name}`));
  };
}
/**
 * Whether all elements along the axes are true; of integers, the bits that all have. True, or all bits, of none.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.reduceAnd(np.array([true, false]), [0]); // false
 */
export const reduceAnd = reduction("reduceAnd", p.reduceAnd);
/**
 * The largest element along the axes; NaN if there is one, the dtype's least value of no elements. Ties share the derivative.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.reduceMax(np.array([[1, 5], [3, 2]]), [0]); // [3, 5]
 * lax.reduceMax(np.zeros([0]), [0]); // -Infinity
 */
export const reduceMax = reduction("reduceMax", p.reduceMax);
/**
 * The smallest element along the axes; NaN if there is one, the dtype's greatest value of no elements. Ties share the
 * derivative.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.reduceMin(np.array([[1, 5], [3, 2]]), [0]); // [1, 2]
 */
export const reduceMin = reduction("reduceMin", p.reduceMin);
/**
 * Whether any element along the axes is true; of integers, the bits that any has. False, or 0, of none.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.reduceOr(np.array([true, false]), [0]); // true
 */
export const reduceOr = reduction("reduceOr", p.reduceOr);
/**
 * The product of the elements along the axes; 1 of none.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.reduceProd(np.array([2, 3]), [0]); // 6
 */
export const reduceProd = reduction("reduceProd", p.reduceProd);
/**
 * The sum of the elements along the axes, in their dtype; 0 of none.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; DTypeError `dtype-refused` for booleans.
 * @example
 * lax.reduceSum(np.ones([2, 3]), [1]); // [3, 3]
 */
export const reduceSum = reduction("reduceSum", p.reduceSum);
/** Whether an odd number of elements along the axes is true; of integers, bit by bit. */
export const reduceXor = reduction("reduceXor", p.reduceXor);

type ArgReduction = (operand: ArrayLike, axis: number, indexDtype: DType) => NDArray;
function argReduction(name: string, f: (x: NDArray, axis: number, dtype: DType) => NDArray): ArgReduction {
  const params = signature<{ operand: ArrayLike; axis: number; indexDtype: DType }>(`lax.${name}`, 3, [
    "operand",
    "axis",
    "indexDtype",
  ]);
  return (...given) => {
    const { operand, axis, indexDtype } = params(given);
    const x = asArray(operand, `lax.${name}`);
    return f(x, frontAxis(axis, x.ndim, `lax.${name}`), asDType(indexDtype));
  };
}
/**
 * The index of the largest element along an axis, the first of equal ones; NaN counts as the largest.
 *
 * @throws ArgumentError `axis-range`, `empty-axis`.
 * @example
 * lax.argmax(np.array([1, 3, 3]), 0, "int32"); // 1
 */
export const argmax = argReduction("argmax", p.argmax);
/** The index of the smallest element along an axis, the first of equal ones; NaN counts as the smallest. */
export const argmin = argReduction("argmin", p.argmin);

export interface CumulativeOptions {
  readonly axis?: number;
  readonly reverse?: boolean;
}
type Cumulative = (
  operand: ArrayLike,
  axis?: number | CumulativeOptions,
  reverse?: boolean | CumulativeOptions,
) => NDArray;
function cumulative(name: string, f: (x: NDArray, axis: number, reverse?: boolean) => NDArray): Cumulative {
  const params = signature<{ operand: ArrayLike } & CumulativeOptions>(`lax.${name}`, 1, [
    "operand",
    "axis",
    "reverse",
  ]);
  return (...given) => {
    const { operand, axis = 0, reverse = false } = params(given);
    const x = asArray(operand, `lax.${name}`);
    return f(x, frontAxis(axis, x.ndim, `lax.${name}`), reverse);
  };
}
/**
 * log of the running sum of exponentials along an axis, without overflow; from the end with `reverse`.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.cumlogsumexp(np.array([0, 0])); // [0, 0.6931472]
 */
export const cumlogsumexp = cumulative("cumlogsumexp", p.cumlogsumexp);
/**
 * The largest element so far along an axis; from the end with `reverse`. At ties the derivative is halved each time.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.cummax(np.array([1, 3, 2])); // [1, 3, 3]
 */
export const cummax = cumulative("cummax", p.cummax);
/**
 * The smallest element so far along an axis; from the end with `reverse`. At ties the derivative is halved each time.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.cummin(np.array([3, 1, 2])); // [3, 1, 1]
 */
export const cummin = cumulative("cummin", p.cummin);
/**
 * The running product along an axis; from the end with `reverse`.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.cumprod(np.array([1, 2, 3])); // [1, 2, 6]
 */
export const cumprod = cumulative("cumprod", p.cumprod);
/**
 * The running sum along an axis; from the end with `reverse`.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.cumsum(np.array([1, 2, 3]), { reverse: true }); // [6, 5, 3]
 */
export const cumsum = cumulative("cumsum", p.cumsum);

export interface SortOptions {
  readonly dimension?: number;
  readonly isStable?: boolean;
  readonly numKeys?: number;
}
const sortParams = signature<{ operand: ArrayLike | readonly ArrayLike[] } & SortOptions>("lax.sort", 1, [
  "operand",
  "dimension",
  "isStable",
  "numKeys",
]);
/**
 * Sorts along an axis (the last), stably; a list is sorted by its first `numKeys` arrays, the others follow. NaN comes last.
 *
 * @throws ArgumentError `axis-range`, `sort-keys`; ShapeError `shape-mismatch`.
 * @example
 * lax.sort([np.array([2, 1]), np.array([5, 6])]); // [[1, 2], [6, 5]]
 */
export function sort(operand: ArrayLike, options?: SortOptions): NDArray;
export function sort(operand: readonly ArrayLike[], options?: SortOptions): readonly NDArray[];
export function sort(...given: unknown[]): NDArray | readonly NDArray[] {
  const { operand, dimension = -1, numKeys = 1 } = sortParams(given);
  const isList = Array.isArray(operand);
  const xs = (isList ? (operand as readonly ArrayLike[]) : [operand as ArrayLike]).map((x) => asArray(x, "lax.sort"));
  const sorted = p.sort(xs, normalizeAxis(dimension, xs[0]?.ndim ?? 0, "lax.sort"), numKeys);
  return isList ? sorted : sorted[0]!;
}

const sortKeyValParams = signature<{ keys: ArrayLike; values: ArrayLike } & SortOptions>("lax.sortKeyVal", 2, [
  "keys",
  "values",
  "dimension",
  "isStable",
]);
/**
 * Sorts values by their keys, stably: `[keys, values]`.
 *
 * @throws ShapeError `shape-mismatch`; ArgumentError `axis-range`.
 * @example
 * lax.sortKeyVal(np.array([2, 1]), np.array([5, 6])); // [[1, 2], [6, 5]]
 */
export function sortKeyVal(keys: ArrayLike, values: ArrayLike, options?: SortOptions): readonly NDArray[];
export function sortKeyVal(...given: unknown[]): readonly NDArray[] {
  const { keys, values, dimension = -1 } = sortKeyValParams(given);
  return sort([keys, values], { dimension, numKeys: 1 });
}

const topKParams = signature<{ operand: ArrayLike; k: number; axis?: number }>("lax.topK", 2, ["operand", "k", "axis"]);
/**
 * The `k` largest elements along an axis (the last), largest first, and their indices (int32); NaN counts as largest, ties
 * by index. The derivative goes to the elements taken.
 *
 * @throws ArgumentError `top-k`, `axis-range`.
 * @example
 * lax.topK(np.array([1, 3, 2]), 2); // [[3, 2], [1, 2]]
 */
export function topK(
  operand: ArrayLike,
  k: number,
  options?: { readonly axis?: number },
): [values: NDArray, indices: NDArray];
export function topK(...given: unknown[]): [NDArray, NDArray] {
  const { operand, k, axis = -1 } = topKParams(given);
  const x = asArray(operand, "lax.topK");
  const d = normalizeAxis(axis, x.ndim, "lax.topK");
  const n = x.shape[d]!;
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw new ArgumentError({
      code: "top-k",
      message: `lax.topK: k must be a whole number from 0 to ${n}, the length of axis ${d}; got ${k}`,
    });
  }
  const [values, indices] = p.sort([x, p.iota("int32", x.shape, d)], d, 1, { descending: true, count: k });
  return [values!, indices!];
}

type Pairs = readonly (readonly number[])[];
export interface DotGeneralOptions {
  /** [[lhs contracted, rhs contracted], [lhs batch, rhs batch]] */
  readonly dimensionNumbers?: readonly [contract: Pairs, batch: Pairs];
  readonly precision?: null;
  readonly preferredElementType?: DType | null;
}
const dotGeneralParams = signature<{ lhs: ArrayLike; rhs: ArrayLike } & DotGeneralOptions>("lax.dotGeneral", 3, [
  "lhs",
  "rhs",
  "dimensionNumbers",
  "precision",
  "preferredElementType",
]);
/**
 * Sums products over the contracted axes; the result has the batch axes, then the free ones of lhs and of rhs.
 * `dimensionNumbers` is `[[lhs contracted, rhs contracted], [lhs batch, rhs batch]]`. Operands of two dtypes are promoted;
 * of booleans it tells whether any product is true.
 *
 * @throws ShapeError `dot-contract`, `dot-batch`; ArgumentError `axis-range`, `argument-missing`, `list-needed`.
 * @example
 * lax.dotGeneral(np.ones([5, 2, 3]), np.ones([5, 3, 4]), [[[2], [1]], [[0], [0]]]); // float32[5, 2, 4]
 */
export function dotGeneral(
  lhs: ArrayLike,
  rhs: ArrayLike,
  options: DotGeneralOptions | NonNullable<DotGeneralOptions["dimensionNumbers"]>,
): NDArray;
export function dotGeneral(...given: unknown[]): NDArray {
  const { lhs, rhs, dimensionNumbers, preferredElementType } = dotGeneralParams(given);
  const list = <T>(x: readonly T[] | undefined): readonly T[] => listOf("lax.dotGeneral", "dimensionNumbers", x ?? []);
  const [contract, batch] = [list(dimensionNumbers![0]), list(dimensionNumbers![1])];
  return contracted(
    "lax.dotGeneral",
    lhs,
    rhs,
    {
      lhsContract: list(contract[0]),
      rhsContract: list(contract[1]),
      lhsBatch: list(batch[0]),
      rhsBatch: list(batch[1]),
    },
    preferredElementType,
  );
}

/** A product of operands of any dtypes. */
function contracted(
  op: string,
  lhs: ArrayLike,
  rhs: ArrayLike,
  dims: p.DotDims,
  preferredElementType?: DType | null,
): NDArray {
  const [a, b] = [asArray(lhs, op, "lhs"), asArray(rhs, op, "rhs")];
  const preferred = preferredElementType == null ? undefined : asDType(preferredElementType);
  if (a.dtype === "key" || b.dtype === "key" || (a.dtype === b.dtype && a.dtype !== "bool")) {
    return p.dotGeneral(a, b, dims, preferred);
  }
  const types = [a, b].map((x) => ({ dtype: x.dtype, weak: x.weakType }));
  const { dtype } = promoteTypes(types, defaultFloat());
  const as = (x: NDArray, to: DType): NDArray => (x.dtype === to ? x : p.convertElementType(x, to));
  if (dtype !== "bool") return p.dotGeneral(as(a, dtype), as(b, dtype), dims, preferred);
  const counts = p.dotGeneral(as(a, "int32"), as(b, "int32"), dims);
  return preferred === undefined ? p.ne(counts, lit(0, "int32")) : as(counts, preferred);
}

interface DotOptions {
  readonly precision?: null;
  readonly preferredElementType?: DType | null;
}
const dotParams = signature<{ lhs: ArrayLike; rhs: ArrayLike } & DotOptions>("lax.dot", 2, [
  "lhs",
  "rhs",
  "precision",
  "preferredElementType",
]);
/**
 * Products of vectors and matrices: contracts the last axis of `lhs` with the first of `rhs`.
 *
 * @throws ShapeError `dot-rank` where an operand is neither a vector nor a matrix; ShapeError `dot-contract`.
 * @example
 * lax.dot(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function dot(lhs: ArrayLike, rhs: ArrayLike, options?: DotOptions): NDArray;
export function dot(...given: unknown[]): NDArray {
  const { lhs, rhs, preferredElementType } = dotParams(given);
  const [a, b] = [asArray(lhs, "lax.dot", "lhs"), asArray(rhs, "lax.dot", "rhs")];
  if (![a, b].every((x) => x.ndim === 1 || x.ndim === 2)) {
    throw new ShapeError({
      code: "dot-rank",
      message: "lax.dot multiplies vectors and matrices",
      details: [
        ["lhs", a.describe()],
        ["rhs", b.describe()],
      ],
      hint: "use np.dot, np.matmul or lax.dotGeneral",
    });
  }
  const dims = { lhsContract: [a.ndim - 1], rhsContract: [0], lhsBatch: [], rhsBatch: [] };
  return contracted("lax.dot", a, b, dims, preferredElementType);
}

const batchMatmulParams = signature<{ lhs: ArrayLike; rhs: ArrayLike }>("lax.batchMatmul", 2, ["lhs", "rhs"]);
/**
 * Matrix products over the last two axes; all others are batch axes of both: `[*batch m k]` and `[*batch k n]` give
 * `[*batch m n]`.
 *
 * @throws ShapeError `rank`, `dot-batch`, `dot-contract`.
 * @example
 * lax.batchMatmul(np.ones([5, 2, 3]), np.ones([5, 3, 4])); // float32[5, 2, 4]
 */
export function batchMatmul(lhs: ArrayLike, rhs: ArrayLike): NDArray;
export function batchMatmul(...given: unknown[]): NDArray {
  const { lhs, rhs } = batchMatmulParams(given);
  const [a, b] = [asArray(lhs, "lax.batchMatmul", "lhs"), asArray(rhs, "lax.batchMatmul", "rhs")];
  if (a.ndim < 2 || a.ndim !== b.ndim) {
    throw new ShapeError({
      code: "rank",
      message: "lax.batchMatmul needs stacks of matrices of one number of dimensions, at least 2",
      details: [
        ["lhs", a.describe()],
        ["rhs", b.describe()],
      ],
      hint: "np.matmul takes vectors, and broadcasts batch axes",
    });
  }
  const batch = a.shape.slice(0, -2).map((_, k) => k);
  return p.dotGeneral(a, b, {
    lhsContract: [a.ndim - 1],
    rhsContract: [a.ndim - 2],
    lhsBatch: batch,
    rhsBatch: batch,
  });
}
