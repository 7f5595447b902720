import type { NDArray } from "../core/array.js";
import { normalizeAxes, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat, isNumeric } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { choose } from "./logic.js";
import {
  inexactElementType,
  type Axis,
  broadcastOperands,
  convert,
  convertAll,
  pairOf,
  toInexact,
} from "./promotion.js";
import { checkWhere, type KeepdimsOptions, sum } from "./reductions.js";
import { like } from "./ufunc.js";

/** Means and spreads over axes, in floats. */

export interface MeanOptions extends KeepdimsOptions {
  readonly dtype?: DType | null | undefined;
  /** A boolean array; only elements where it is true take part. */
  readonly where?: ArrayLike | null | undefined;
}
type Operand = { readonly a: ArrayLike };

const binaryOn = (op: string, f: (x: NDArray, y: NDArray) => NDArray, x: NDArray, y: NDArray): NDArray =>
  f(...pairOf(broadcastOperands(op, [x, y])));

/** How many elements take part, as floats: a number, or a count for each place where there is a mask. */
function participants(
  op: string,
  x: NDArray,
  axis: Axis | undefined,
  keepdims: boolean,
  where: NDArray | undefined,
  dtype: DType,
): NDArray {
  if (where !== undefined) return sum(broadcastToShape(op, where, x.shape), axis ?? null, { dtype, keepdims });
  const n = sizeOf(normalizeAxes(axis, x.ndim, op).map((i) => x.shape[i]!));
  return p.full(n, { shape: [], dtype, weakType: false });
}

const meanParams = /* @__PURE__ */ signature<MeanOptions & Operand>(
  "mean",
  1,
  ["a", "axis", "dtype", "out", "keepdims"],
  { byName: ["where"] },
);
/**
 * The mean over axes, by default all, in floats; NaN of no elements.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; DTypeError `where-dtype`.
 * @example
 * np.mean(np.array([[1, 2], [3, 4]]), 0); // [2, 3]
 * np.mean(np.arange(4)); // 1.5
 */
export function mean(
  a: ArrayLike,
  axis?: Axis | MeanOptions,
  dtype?: DType | null | MeanOptions,
  options?: MeanOptions,
): NDArray;
export function mean(): NDArray {
  const options = meanParams(arguments);
  return meanOf("mean", asArray(options.a, "mean", "a"), options);
}

function meanOf(op: string, x: NDArray, { axis = null, dtype, keepdims = false, where }: MeanOptions): NDArray {
  const to = dtype === undefined || dtype === null ? toInexact(x.dtype, x.weakType) : asDType(dtype);
  const mask = checkWhere(op, where);
  const n = participants(op, x, axis, keepdims, mask, to);
  return binaryOn(op, p.div, sum(x, axis, { dtype: to, keepdims, where: mask }), n);
}

export interface VarOptions extends MeanOptions {
  /** The divisor is the number of elements less this. */
  readonly ddof?: number | undefined;
  /** Another name of ddof, which need not be whole. */
  readonly correction?: number | null | undefined;
  /** The mean, where it is known already (with reduced axes kept). */
  readonly mean?: ArrayLike | null | undefined;
}
const varNames = ["a", "axis", "dtype", "out", "ddof", "keepdims"] as const;
const varByName = ["where", "mean", "correction"] as const;

const varParams = /* @__PURE__ */ signature<VarOptions & Operand>("var_", 1, varNames, { byName: varByName });
/**
 * The variance over axes, Σ(x − mean)²/(n − ddof), in floats (JAX's `var`, which is a reserved word here); NaN where n ≤ ddof.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`, `option-twice`; DTypeError `where-dtype`, `number-needed`.
 * @example
 * np.var_(np.array([1, 2, 3, 4])); // 1.25
 * np.var_(np.array([1, 2, 3]), { ddof: 1 }); // 1
 */
export function var_(
  a: ArrayLike,
  axis?: Axis | VarOptions,
  dtype?: DType | null | VarOptions,
  options?: VarOptions,
): NDArray;
export function var_(): NDArray {
  const options = varParams(arguments);
  return varianceOf("var_", asArray(options.a, "var_", "a"), options);
}

const stdParams = /* @__PURE__ */ signature<VarOptions & Operand>("std", 1, varNames, { byName: varByName });
/**
 * The standard deviation over axes, √var; its derivative is NaN where it is 0.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`, `option-twice`; DTypeError `where-dtype`, `float-needed`.
 * @example
 * np.std(np.array([1, 3])); // 1
 */
export function std(
  a: ArrayLike,
  axis?: Axis | VarOptions,
  dtype?: DType | null | VarOptions,
  options?: VarOptions,
): NDArray;
export function std(): NDArray {
  const options = stdParams(arguments);
  requireFloat("std", options.dtype);
  return p.sqrt(varianceOf("std", asArray(options.a, "std", "a"), options));
}

/** @throws DTypeError `float-needed`. */
export function requireFloat(op: string, dtype: DType | null | undefined): void {
  if (dtype === undefined || dtype === null || isFloat(asDType(dtype))) return;
  throw new DTypeError({ code: "float-needed", message: `${op}: dtype must be a float, not ${dtype}` });
}

function varianceOf(
  op: string,
  a: NDArray,
  { axis = null, dtype, ddof = 0, correction, keepdims = false, where, mean: given }: VarOptions,
): NDArray {
  if (correction !== undefined && correction !== null && ddof !== 0) {
    throw new ArgumentError({
      code: "option-twice",
      message: `${op}: ddof and correction are the same option; give one`,
    });
  }
  const compute = dtype === undefined || dtype === null ? toInexact(a.dtype, a.weakType) : asDType(dtype);
  if (!isNumeric(compute)) {
    throw new DTypeError({
      code: "number-needed",
      message: `${op}: the variance is made of quotients, which ${compute} does not have`,
      hint: 'use {dtype: "float32"}',
    });
  }
  const mask = checkWhere(op, where);
  const x = convert(a, compute);
  const center =
    given === undefined || given === null
      ? meanOf(op, x, { axis, dtype: compute, keepdims: true, where: mask })
      : convert(asArray(given, op, "mean"), compute);
  const squares = p.square(binaryOn(op, p.sub, x, center));
  const fewer = correction ?? ddof;
  const n = p.sub(participants(op, x, axis, keepdims, mask, compute), isFloat(compute) ? fewer : Math.trunc(fewer));
  const ratio = binaryOn(op, p.div, sum(squares, axis, { dtype: compute, keepdims, where: mask }), n);
  // An integer dtype computes in integers, overflow included; beside NaN the result is a weak float.
  const result = isFloat(compute) ? ratio : convert(ratio, defaultFloat(), true);
  return choose(op, p.gt(n, like(n, 0)), result, like(result, NaN));
}

export interface AverageOptions extends KeepdimsOptions {
  readonly weights?: ArrayLike | null | undefined;
  /** Also return the sum of the weights. */
  readonly returned?: boolean | undefined;
}
const averageParams = /* @__PURE__ */ signature<AverageOptions & Operand>("average", 1, [
  "a",
  "axis",
  "weights",
  "returned",
  "keepdims",
]);
/**
 * The weighted mean over axes, Σwx/Σw; with `returned: true`, `[average, sum of weights]`. Weights have the shape of a, or
 * with `axis` the lengths of those axes.
 *
 * @throws ShapeError `weights-shape`; ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.average(np.array([1, 2]), { weights: np.array([3, 1]) }); // 1.25
 */
export function average(
  a: ArrayLike,
  axis: Axis | undefined,
  options: AverageOptions & { readonly returned: true },
): [average: NDArray, weights: NDArray];
export function average(
  a: ArrayLike,
  options: AverageOptions & { readonly returned: true },
): [average: NDArray, weights: NDArray];
export function average(
  a: ArrayLike,
  axis?: Axis | AverageOptions,
  weights?: ArrayLike | null | AverageOptions,
  options?: AverageOptions,
): NDArray;
export function average(): NDArray | [NDArray, NDArray] {
  const { a, axis = null, weights, returned = false, keepdims = false } = averageParams(arguments);
  const [avg, total] =
    weights === undefined || weights === null
      ? plainAverage(asArray(a, "average", "a"), axis, keepdims)
      : weightedAverage(a, weights, axis, keepdims);
  return returned ? [avg, broadcastToShape("average", total, avg.shape)] : avg;
}

function plainAverage(a: NDArray, axis: Axis, keepdims: boolean): [NDArray, NDArray] {
  const avg = meanOf("average", a, { axis, keepdims });
  return [avg, participants("average", a, axis, keepdims, undefined, avg.dtype)];
}

function weightedAverage(a: ArrayLike, weights: ArrayLike, axis: Axis, keepdims: boolean): [NDArray, NDArray] {
  const t = inexactElementType("average", [a, weights]);
  const [x, given] = pairOf(convertAll([a, weights], t));
  const w = fitWeights(x, given, axis);
  const total = sum(w, axis, { keepdims });
  const weighted = sum(binaryOn("average", p.mul, x, w), axis, { keepdims });
  return [binaryOn("average", p.div, weighted, total), total];
}

/** Weights along the reduced axes get the others as axes of length 1. */
function fitWeights(x: NDArray, w: NDArray, axis: Axis): NDArray {
  if (x.ndim === w.ndim && x.shape.every((d, i) => d === w.shape[i])) return w;
  const axes = normalizeAxes(axis, x.ndim, "average");
  if (axis === null || w.ndim !== axes.length || axes.some((i, k) => x.shape[i] !== w.shape[k])) {
    throw new ShapeError({
      code: "weights-shape",
      message: "average: weights need the shape of a, or with axis the lengths of those axes",
      details: [
        ["a", x.describe()],
        ["weights", w.describe()],
      ],
    });
  }
  const order = axes.map((_, k) => k).sort((m, n) => axes[m]! - axes[n]!);
  return p.reshape(
    p.transpose(w, order),
    x.shape.map((d, i) => (axes.includes(i) ? d : 1)),
  );
}
