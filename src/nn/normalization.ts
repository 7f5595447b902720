import type { NDArray } from "../core/array.js";
import { normalizeAxes, normalizeAxis, sizeOf } from "../core/aval.js";
import { atOnce } from "../core/at-once.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { add, multiply, square, subtract } from "../numpy/arithmetic.js";
import { clip } from "../numpy/logic.js";
import { constantMax, logsumexp, maskFor, spread } from "../numpy/logsumexp.js";
import { type Axis, convert, inexact, strong } from "../numpy/promotion.js";
import { sum } from "../numpy/reductions.js";
import { mean as meanOf } from "../numpy/statistics.js";
import { like } from "../numpy/ufunc.js";
import * as p from "../primitives/all.js";
import { floatsOnly, numbersOnly } from "./operands.js";

/** Functions that look at a whole axis: softmax and its kin, standardisation, gates, one-hot vectors. */

export interface SoftmaxOptions {
  /** The axes over which weights add up to 1, by default the last; null means all. */
  readonly axis?: Axis | undefined;
  /** A boolean array; elements where it is false get weight 0 and do not count. */
  readonly where?: ArrayLike | null | undefined;
}
type SoftmaxParams = SoftmaxOptions & { readonly x: ArrayLike };
const softmaxNames = ["x", "axis", "where"] as const;

/** x − max x with −∞ where masked; what is masked has no derivative. */
function shifted(x: NDArray, axes: readonly number[], mask: NDArray | undefined): NDArray {
  if (mask === undefined) return p.sub(x, spread(constantMax(x, axes), x.shape, axes));
  const low = like(x, -Infinity);
  const largest = constantMax(p.select(mask, x, low), axes);
  return p.select(mask, p.sub(x, spread(largest, x.shape, axes)), low);
}
/** finish(Σ x) over axes, as large as x. */
const sumOver = (x: NDArray, axes: readonly number[], finish: (sum: NDArray) => NDArray): NDArray =>
  axes.length === 0 ? finish(x) : spread(finish(p.reduceSum(x, axes)), x.shape, axes);

const softmaxParams = /* @__PURE__ */ signature<SoftmaxParams>("nn.softmax", 1, softmaxNames);
/**
 * exp(x)/Σ exp(x) over axes (the last by default), without overflow; 0 where `where` is false. NaN where all of x is −∞.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; DTypeError `number-needed` for booleans; ShapeError `shape-broadcast`.
 * @example
 * nn.softmax(np.array([1, 2, 3])); // [0.09003057, 0.24472848, 0.66524094]
 * nn.softmax(np.array([1000, 1000])); // [0.5, 0.5]
 */
export function softmax(x: ArrayLike, axis?: Axis | SoftmaxOptions, where?: ArrayLike | null | SoftmaxOptions): NDArray;
export function softmax(): NDArray {
  const { x: given, axis = -1, where } = softmaxParams(arguments);
  const x = softmaxOperand("nn.softmax", given, where);
  const axes = normalizeAxes(axis, x.ndim, "nn.softmax");
  const mask = maskFor("nn.softmax", where, x);
  const terms =
    mask === undefined
      ? expBelow(x, spread(constantMax(x, axes), x.shape, axes))
      : expOfShifted(inexact("nn.softmax", shifted(x, axes, mask)), x);
  // The sum lies in [1, n]: a reciprocal for each of them is good to an ulp of the quotients, at a fraction of the divisions.
  const weights = p.mul(
    terms,
    sumOver(terms, axes, (sum) => p.div(like(sum, 1), sum)),
  );
  return mask === undefined ? weights : p.select(mask, weights, like(weights, 0));
}

/** Integers are shifted as such (uint32 wraps around), unless a mask puts −∞ among them. */
function softmaxOperand(op: string, given: ArrayLike, where: ArrayLike | null | undefined): NDArray {
  const x = numbersOnly(op, given);
  return x.weakType || (where !== undefined && where !== null) ? strong(inexact(op, x)) : x;
}

/** exp of what `shifted` gave of x, which is not positive unless integers wrapped around. */
const expOfShifted = (difference: NDArray, x: NDArray): NDArray =>
  isFloat(x.dtype) ? p.exp(difference, { nonpositive: true }) : p.exp(difference);

/** exp(x − max x): what softmax's terms are without a mask. */
const expBelow = /* @__PURE__ */ atOnce("nn.softmax", (x: NDArray, largest: NDArray) =>
  expOfShifted(inexact("nn.softmax", p.sub(x, largest)), x),
);

const logSoftmaxParams = /* @__PURE__ */ signature<SoftmaxParams>("nn.logSoftmax", 1, softmaxNames);
/**
 * log softmax(x) = x − log Σ exp(x) over axes (the last by default); −∞ where `where` is false. The loss of a classifier is its
 * negative at the label.
 *
 * @throws as `softmax`.
 * @example
 * nn.logSoftmax(np.array([0, 1000])); // [-1000, 0]
 */
export function logSoftmax(
  x: ArrayLike,
  axis?: Axis | SoftmaxOptions,
  where?: ArrayLike | null | SoftmaxOptions,
): NDArray;
export function logSoftmax(): NDArray {
  const { x: given, axis = -1, where } = logSoftmaxParams(arguments);
  const x = softmaxOperand("nn.logSoftmax", given, where);
  const axes = normalizeAxes(axis, x.ndim, "nn.logSoftmax");
  const mask = maskFor("nn.logSoftmax", where, x);
  const difference = inexact("nn.logSoftmax", shifted(x, axes, mask));
  const result = p.sub(difference, sumOver(expOfShifted(difference, x), axes, p.log));
  return mask === undefined ? result : p.select(mask, result, like(result, -Infinity));
}

export interface LogmeanexpOptions {
  readonly axis?: Axis | undefined;
  readonly where?: ArrayLike | null | undefined;
  readonly keepdims?: boolean | undefined;
}
const logmeanexpParams = /* @__PURE__ */ signature<LogmeanexpOptions & { x: ArrayLike }>("nn.logmeanexp", 1, [
  "x",
  "axis",
  "where",
  "keepdims",
]);
/**
 * log of the mean of exp(x) over axes, by default all, without overflow.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * nn.logmeanexp(np.array([1000, 1000])); // 1000
 */
export function logmeanexp(x: ArrayLike, axis?: Axis | LogmeanexpOptions, options?: LogmeanexpOptions): NDArray;
export function logmeanexp(): NDArray {
  const { x: given, axis, where, keepdims = false } = logmeanexpParams(arguments);
  const x = inexact("nn.logmeanexp", given);
  const total = logsumexp(x, { axis, where, keepdims });
  const mask = maskFor("nn.logmeanexp", where, x);
  const axes = normalizeAxes(axis, x.ndim, "nn.logmeanexp");
  const count =
    mask === undefined
      ? like(total, sizeOf(axes.map((i) => x.shape[i]!)))
      : sum(mask, { axis: axes, dtype: total.dtype, keepdims });
  return p.sub(total, p.log(count));
}

export interface StandardizeOptions {
  readonly axis?: Axis | undefined;
  readonly mean?: ArrayLike | null | undefined;
  readonly variance?: ArrayLike | null | undefined;
  readonly epsilon?: ArrayLike | undefined;
  readonly where?: ArrayLike | null | undefined;
  /** "fast" takes the variance as mean(x²) − mean(x)², "stable" as mean((x − mean(x))²). */
  readonly algorithm?: "fast" | "stable" | undefined;
}
const standardizeParams = /* @__PURE__ */ signature<StandardizeOptions & { x: ArrayLike }>(
  "nn.standardize",
  1,
  ["x", "axis", "mean", "variance", "epsilon", "where"],
  { byName: ["algorithm"] },
);
/**
 * (x − mean)/√(variance + epsilon) over axes, by default the last: layer normalisation without its weights.
 *
 * @throws ArgumentError `algorithm`, `axis-range`, `axis-duplicate`; DTypeError `where-dtype`.
 * @example
 * nn.standardize(np.array([1, 2, 3])); // [-1.2247358, 0, 1.2247358]
 */
export function standardize(x: ArrayLike, axis?: Axis | StandardizeOptions, options?: StandardizeOptions): NDArray;
export function standardize(): NDArray {
  const {
    x: given,
    axis = -1,
    mean: m,
    variance: v,
    epsilon = 1e-5,
    where,
    algorithm = "fast",
  } = standardizeParams(arguments);
  const x = asArray(given, "nn.standardize", "x");
  const axes = normalizeAxes(axis, x.ndim, "nn.standardize");
  if (algorithm !== "fast" && algorithm !== "stable") {
    throw new ArgumentError({
      code: "algorithm",
      message: `nn.standardize: ${JSON.stringify(algorithm)} is not an algorithm`,
      hint: 'use "fast" or "stable"',
    });
  }
  const averaged = (y: NDArray): NDArray => meanOf(y, { axis: axes, keepdims: true, where });
  const mean = m ?? averaged(x);
  let variance = v ?? null;
  if (variance === null) {
    variance =
      algorithm === "stable"
        ? averaged(square(subtract(x, mean)))
        : clip(subtract(averaged(square(x)), square(mean)), 0);
  }
  return multiply(subtract(x, mean), p.rsqrt(inexact("nn.standardize", add(variance, epsilon))));
}

const gluParams = /* @__PURE__ */ signature<{ x: ArrayLike; axis?: number }>("nn.glu", 1, ["x", "axis"]);
/**
 * The first half of an axis times the sigmoid of the second half (Dauphin et al. 2017).
 *
 * @throws ShapeError `glu-length`; DTypeError `float-needed`; ArgumentError `axis-range`.
 * @example
 * nn.glu(np.array([1, 2, 0, 0])); // [0.5, 1]
 */
export function glu(x: ArrayLike, axis?: number | { readonly axis?: number }): NDArray;
export function glu(): NDArray {
  const { x: given, axis = -1 } = gluParams(arguments);
  const x = floatsOnly("nn.glu", given);
  const k = normalizeAxis(axis, x.ndim, "nn.glu");
  const half = x.shape[k]! / 2;
  if (!Number.isInteger(half)) {
    throw new ShapeError({
      code: "glu-length",
      message: `nn.glu: axis ${k} must have an even length, to be halved`,
      details: [["x", x.describe()]],
    });
  }
  const [value, gate] = p.split(x, [half, half], k);
  return p.mul(value!, p.logistic(gate!));
}

export interface OneHotOptions {
  readonly dtype?: DType | null | undefined;
  /** Where the new axis stands in the result. */
  readonly axis?: number | undefined;
}
const oneHotParams = /* @__PURE__ */ signature<OneHotOptions & { x: ArrayLike; numClasses: number }>(
  "nn.oneHot",
  2,
  ["x", "numClasses"],
  { byName: ["dtype", "axis"] },
);
/**
 * Vectors of zeros with a one at each index; of zeros only where an index is out of range, negative ones too. `x: int[*n]`
 * gives `float32[*n numClasses]`, or the new axis at `axis`.
 *
 * @throws ArgumentError `count`, `axis-range`.
 * @example
 * nn.oneHot(np.array([0, 2, 3], "int32"), 3); // [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
 */
export function oneHot(x: ArrayLike, numClasses: number, options?: OneHotOptions): NDArray;
export function oneHot(): NDArray {
  const { x: given, numClasses, dtype, axis = -1 } = oneHotParams(arguments);
  const x = asArray(given, "nn.oneHot", "x");
  if (!Number.isInteger(numClasses) || numClasses < 0) {
    throw new ArgumentError({
      code: "count",
      message: `nn.oneHot: numClasses must be a whole number that is not negative, not ${String(numClasses)}`,
    });
  }
  const k = normalizeAxis(axis, x.ndim + 1, "nn.oneHot");
  const shape = [...x.shape];
  shape.splice(k, 0, numClasses);
  const index = p.broadcastInDim(
    x,
    shape,
    x.shape.map((_, i) => (i < k ? i : i + 1)),
  );
  const classes = p.iota(x.dtype === "bool" ? "int32" : x.dtype, [numClasses], 0);
  const type = asDType(dtype ?? defaultFloat());
  const hits = type === defaultFloat() ? hitsInFloats : (a: NDArray, b: NDArray) => convert(p.eq(a, b), type);
  return hits(index, p.broadcastInDim(classes, shape, [k]));
}
const hitsInFloats = /* @__PURE__ */ atOnce("nn.oneHot", (index: NDArray, classes: NDArray) =>
  convert(p.eq(index, classes), defaultFloat()),
);
