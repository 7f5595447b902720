import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat } from "../core/dtype.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { divide, subtract } from "./arithmetic.js";
import { choose } from "./logic.js";
import { type Axis, convert, toInexact } from "./promotion.js";
import { all, checkWhere, type ExtremeOptions, max, min, prod, type ReduceOptions, sum } from "./reductions.js";
import { mean, type MeanOptions, requireFloat, type VarOptions } from "./statistics.js";
import { like, nanMask } from "./ufunc.js";

/** Reductions that leave NaNs out. */

type Operand = { readonly a: ArrayLike };
const withoutNan = (op: string, x: NDArray, value: number): NDArray => choose(op, nanMask(x), like(x, value), x);

const reduceNames = ["a", "axis", "dtype", "out", "keepdims", "initial", "where"] as const;
const extremeNames = ["a", "axis", "out", "keepdims", "initial", "where"] as const;

const nansumParams = /* @__PURE__ */ signature<ReduceOptions & Operand>("nansum", 1, reduceNames);
/**
 * The sum of what is not NaN; 0 of nothing.
 *
 * @throws as `sum`.
 * @example
 * np.nansum(np.array([1, NaN, 2])); // 3
 */
export function nansum(
  a: ArrayLike,
  axis?: Axis | ReduceOptions,
  dtype?: DType | null | ReduceOptions,
  options?: ReduceOptions,
): NDArray;
export function nansum(): NDArray {
  const { a, ...options } = nansumParams(arguments);
  return sum(withoutNan("nansum", asArray(a, "nansum", "a"), 0), options);
}

const nanprodParams = /* @__PURE__ */ signature<ReduceOptions & Operand>("nanprod", 1, reduceNames);
/**
 * The product of what is not NaN; 1 of nothing.
 *
 * @throws as `sum`.
 * @example
 * np.nanprod(np.array([2, NaN, 3])); // 6
 */
export function nanprod(
  a: ArrayLike,
  axis?: Axis | ReduceOptions,
  dtype?: DType | null | ReduceOptions,
  options?: ReduceOptions,
): NDArray;
export function nanprod(): NDArray {
  const { a, ...options } = nanprodParams(arguments);
  return prod(withoutNan("nanprod", asArray(a, "nanprod", "a"), 1), options);
}

function nanExtreme(
  op: string,
  reduce: typeof max,
  worst: number,
  { a, ...options }: ExtremeOptions & Operand,
): NDArray {
  const x = asArray(a, op, "a");
  if (!isFloat(x.dtype)) return reduce(x, options);
  const found = reduce(withoutNan(op, x, worst), options);
  if (options.initial !== undefined && options.initial !== null) return found;
  const none = all(nanMask(x), options.axis ?? null, { keepdims: options.keepdims });
  return choose(op, none, like(x, NaN), found);
}

const nanmaxParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("nanmax", 1, extremeNames);
/**
 * The largest element that is not NaN; NaN if there is none.
 *
 * @throws as `max`.
 * @example
 * np.nanmax(np.array([1, NaN, 2])); // 2
 */
export function nanmax(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function nanmax(): NDArray {
  return nanExtreme("nanmax", max, -Infinity, nanmaxParams(arguments));
}
const nanminParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("nanmin", 1, extremeNames);
/**
 * The least element that is not NaN; NaN if there is none.
 *
 * @throws as `max`.
 * @example
 * np.nanmin(np.array([NaN, NaN])); // NaN
 */
export function nanmin(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function nanmin(): NDArray {
  return nanExtreme("nanmin", min, Infinity, nanminParams(arguments));
}

const nanmeanParams = /* @__PURE__ */ signature<MeanOptions & Operand>("nanmean", 1, [
  "a",
  "axis",
  "dtype",
  "out",
  "keepdims",
  "where",
]);
/**
 * The mean of what is not NaN; NaN if there is none.
 *
 * @throws as `mean`.
 * @example
 * np.nanmean(np.array([1, NaN, 2])); // 1.5
 */
export function nanmean(
  a: ArrayLike,
  axis?: Axis | MeanOptions,
  dtype?: DType | null | MeanOptions,
  options?: MeanOptions,
): NDArray;
export function nanmean(): NDArray {
  const { a, ...options } = nanmeanParams(arguments);
  return nanmeanOf("nanmean", asArray(a, "nanmean", "a"), options);
}

function nanmeanOf(op: string, x: NDArray, { axis = null, dtype, keepdims, where }: MeanOptions): NDArray {
  if (!isFloat(x.dtype)) return mean(x, axis, { dtype, keepdims, where });
  const to = dtype === undefined || dtype === null ? x.dtype : asDType(dtype);
  const mask = checkWhere(op, where);
  const n = sum(p.not(nanMask(x)), axis, { dtype: to, keepdims, where: mask });
  return p.div(nansum(x, axis, { dtype: to, keepdims, where: mask }), n);
}

type VarParams = VarOptions & Operand;
const varNames = ["a", "axis", "dtype", "out", "ddof", "keepdims", "where", "mean"] as const;

const nanvarParams = /* @__PURE__ */ signature<VarParams>("nanvar", 1, varNames);
/**
 * The variance of what is not NaN; NaN where too little is left.
 *
 * @throws as `var_`.
 * @example
 * np.nanvar(np.array([1, NaN, 3])); // 1
 */
export function nanvar(
  a: ArrayLike,
  axis?: Axis | VarOptions,
  dtype?: DType | null | VarOptions,
  options?: VarOptions,
): NDArray;
export function nanvar(): NDArray {
  const { a, ...options } = nanvarParams(arguments);
  return nanvarOf("nanvar", asArray(a, "nanvar", "a"), options);
}
const nanstdParams = /* @__PURE__ */ signature<VarParams>("nanstd", 1, varNames);
/**
 * The standard deviation of what is not NaN; NaN where too little is left.
 *
 * @throws as `std`.
 * @example
 * np.nanstd(np.array([1, NaN, 5])); // 2
 */
export function nanstd(
  a: ArrayLike,
  axis?: Axis | VarOptions,
  dtype?: DType | null | VarOptions,
  options?: VarOptions,
): NDArray;
export function nanstd(): NDArray {
  const { a, ...options } = nanstdParams(arguments);
  requireFloat("nanstd", options.dtype);
  return p.sqrt(nanvarOf("nanstd", asArray(a, "nanstd", "a"), options));
}

function nanvarOf(
  op: string,
  given: NDArray,
  { axis = null, dtype, ddof = 0, keepdims, where, mean: known }: VarOptions,
): NDArray {
  const to = dtype === undefined || dtype === null ? toInexact(given.dtype, given.weakType) : asDType(dtype);
  const x = convert(given, to);
  const mask = checkWhere(op, where);
  const center =
    known === undefined || known === null
      ? nanmeanOf(op, x, { axis, dtype: to, keepdims: true, where: mask })
      : convert(asArray(known, op, "mean"), x.dtype);
  const squares = p.square(choose(op, nanMask(x), like(x, 0), subtract(x, center)));
  const n = p.sub(sum(p.not(nanMask(x)), axis, { dtype: x.dtype, keepdims, where: mask }), ddof);
  const tooFew = p.le(n, 0);
  // An integer dtype adds up integers, overflow included, but divides floats.
  const float = (y: NDArray): NDArray => (isFloat(to) ? y : convert(y, defaultFloat()));
  const added = float(sum(squares, axis, { dtype: to, keepdims, where: mask }));
  const total = choose(op, tooFew, like(added, NaN), added);
  return convert(divide(total, float(choose(op, tooFew, like(x, 1), n))), to);
}
