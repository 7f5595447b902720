import type { NDArray } from "../core/array.js";
import { broadcastShapes, normalizeAxes } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { truth } from "./logic.js";
import { type Axis, expandTo, inexact, pairOf, promoteInexact, strong } from "./promotion.js";
import { reduceShape } from "./reductions.js";
import { like } from "./ufunc.js";

/** Logarithms of sums of exponentials, which `nn` and `scipy.special` share. */

/** A result of a reduction over `axes`, repeated to the shape that was reduced. */
export function spread(reduced: NDArray, shape: readonly number[], axes: readonly number[]): NDArray {
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return axes.length === 0 ? reduced : p.broadcastInDim(reduced, shape, kept);
}

/** The largest element over axes as a constant without derivative; −∞ of no elements. */
export function constantMax(x: NDArray, axes: readonly number[]): NDArray {
  const c = p.stopGradient(x);
  if (axes.length === 0) return c;
  if (axes.every((i) => x.shape[i]! > 0)) return p.reduceMax(c, axes);
  return p.full(-Infinity, { shape: x.shape.filter((_, i) => !axes.includes(i)), dtype: x.dtype, weakType: false });
}

/** A `where` mask broadcast to the shape of the array it selects from. */
export const maskFor = (op: string, where: ArrayLike | null | undefined, x: NDArray): NDArray | undefined =>
  where === null || where === undefined ? undefined : broadcastToShape(op, truth(asArray(where, op, "where")), x.shape);

export interface LogsumexpOptions {
  /** The axes to sum over; null means all. */
  readonly axis?: Axis | undefined;
  /** Factors of the exponentials, which broadcast with the array. */
  readonly b?: ArrayLike | null | undefined;
  readonly keepdims?: boolean | undefined;
  /** Give the logarithm of the sum's size, and its sign. */
  readonly returnSign?: boolean | undefined;
  /** A boolean array; only elements where it is true take part. */
  readonly where?: ArrayLike | null | undefined;
}
export type LogsumexpParams = LogsumexpOptions & { readonly a: ArrayLike };

const params = /* @__PURE__ */ signature<LogsumexpParams>("logsumexp", 1, [
  "a",
  "axis",
  "b",
  "keepdims",
  "returnSign",
  "where",
]);
/**
 * log Σ b·exp(a) over axes, by default all, without overflow; −∞ of no elements. A sum that is negative gives NaN, or with
 * `returnSign` its sign −1. The derivatives are the softmax weights; where all of `a` is −∞ they are NaN, as in JAX.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; ShapeError `shape-broadcast`.
 * @example
 * nn.logsumexp(np.array([1000, 1000])); // 1000.6931
 */
export function logsumexp(
  a: ArrayLike,
  options: LogsumexpOptions & { readonly returnSign: true },
): [log: NDArray, sign: NDArray];
export function logsumexp(
  a: ArrayLike,
  axis: Axis,
  options: LogsumexpOptions & { readonly returnSign: true },
): [log: NDArray, sign: NDArray];
export function logsumexp(
  a: ArrayLike,
  axis?: Axis | LogsumexpOptions,
  b?: ArrayLike | null | LogsumexpOptions,
  keepdims?: boolean | LogsumexpOptions,
): NDArray;
export function logsumexp(): NDArray | [NDArray, NDArray] {
  const { a, axis, b = null, keepdims = false, returnSign = false, where } = params(arguments);
  let x: NDArray;
  let factors: NDArray | undefined;
  if (b === null) {
    x = strong(inexact("logsumexp", a));
  } else {
    const [u, v] = pairOf(promoteInexact("logsumexp", a, b));
    const shape = broadcastShapes([u.shape, v.shape], "logsumexp");
    factors = expandTo(v, shape);
    const full = strong(expandTo(u, shape));
    x = p.select(p.ne(factors, like(factors, 0)), full, like(full, -Infinity));
  }
  const axes = normalizeAxes(axis, x.ndim, "logsumexp");
  const mask = maskFor("logsumexp", where, x);
  if (mask !== undefined) x = p.select(mask, x, like(x, -Infinity));
  const largest = constantMax(x, axes);
  const shift = p.select(p.isFinite(largest), largest, like(largest, 0));
  let terms = p.exp(p.sub(x, spread(shift, x.shape, axes)));
  if (factors !== undefined) terms = p.mul(terms, factors);
  if (mask !== undefined && factors !== undefined) terms = p.select(mask, terms, like(terms, 0));
  const sum = axes.length === 0 ? terms : p.reduceSum(terms, axes);
  const sign = p.sign(sum);
  // Without factors the sum is never negative.
  const log = p.add(p.log(factors === undefined ? sum : p.abs(sum)), shift);
  const shaped = (y: NDArray): NDArray => reduceShape(y, axes, keepdims);
  if (returnSign) return [shaped(log), shaped(sign)];
  return shaped(factors === undefined ? log : p.select(p.lt(sign, like(sign, 0)), like(log, NaN), log));
}
