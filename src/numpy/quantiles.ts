import { ConcreteArray, type NDArray } from "../core/array.js";
import { normalizeAxes, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { add, divide, maximum, minimum, multiply, subtract } from "./arithmetic.js";
import { pickAlong, takeAlong } from "./gathering.js";
import { choose } from "./logic.js";
import { inexactElementType, type Axis, convert, convertAll, inexact } from "./promotion.js";
import { all, any, sum } from "./reductions.js";
import { sliceAxis } from "./shape.js";
import { like, nanMask } from "./ufunc.js";

/** Quantiles: the values below which a given part of the elements lies. */

export type QuantileMethod = "linear" | "lower" | "higher" | "midpoint" | "nearest" | "inverted_cdf";

export interface MedianOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
}
export interface QuantileOptions extends MedianOptions {
  /** What to do between two elements. */
  readonly method?: QuantileMethod | undefined;
  /** Weights of the elements, with method `inverted_cdf`. */
  readonly weights?: ArrayLike | null | undefined;
}
type QuantileParams = QuantileOptions & { readonly a: ArrayLike; readonly q: ArrayLike };
const quantileNames = ["a", "q", "axis", "out", "overwriteInput", "method", "keepdims"] as const;
const byName = ["weights"] as const;

const quantileParams = /* @__PURE__ */ signature<QuantileParams>("quantile", 2, quantileNames, { byName });
/**
 * The q-th quantiles over axes; axes of q come first. q lies in [0, 1], and what is beyond counts as the bound. NaN where
 * an element is. The derivative is shared by the two elements that the quantile lies between.
 *
 * @throws ArgumentError `option-value`, `weights-method`, `reduce-empty`, `axis-range`, `axis-duplicate`; ShapeError `rank`.
 * @example
 * np.quantile(np.array([0, 10, 20]), np.array([0.25, 0.5])); // [5, 10]
 */
export function quantile(a: ArrayLike, q: ArrayLike, axis?: Axis | QuantileOptions, options?: QuantileOptions): NDArray;
export function quantile(): NDArray {
  return quantileOf("quantile", quantileParams(arguments), false);
}
const nanquantileParams = /* @__PURE__ */ signature<QuantileParams>("nanquantile", 2, quantileNames, { byName });
/** `quantile` of what is not NaN. */
export function nanquantile(
  a: ArrayLike,
  q: ArrayLike,
  axis?: Axis | QuantileOptions,
  options?: QuantileOptions,
): NDArray;
export function nanquantile(): NDArray {
  return quantileOf("nanquantile", nanquantileParams(arguments), true);
}
const percentileParams = /* @__PURE__ */ signature<QuantileParams>("percentile", 2, quantileNames, { byName });
/**
 * Quantiles with q in per cent, from 0 to 100.
 *
 * @throws as `quantile`.
 * @example
 * np.percentile(np.array([0, 10, 20]), 25); // 5
 */
export function percentile(
  a: ArrayLike,
  q: ArrayLike,
  axis?: Axis | QuantileOptions,
  options?: QuantileOptions,
): NDArray;
export function percentile(): NDArray {
  const given = percentileParams(arguments);
  return quantileOf("percentile", { ...given, q: ofHundred(given.q) }, false);
}
const nanpercentileParams = /* @__PURE__ */ signature<QuantileParams>("nanpercentile", 2, quantileNames, { byName });
/** `percentile` of what is not NaN. */
export function nanpercentile(
  a: ArrayLike,
  q: ArrayLike,
  axis?: Axis | QuantileOptions,
  options?: QuantileOptions,
): NDArray;
export function nanpercentile(): NDArray {
  const given = nanpercentileParams(arguments);
  return quantileOf("nanpercentile", { ...given, q: ofHundred(given.q) }, true);
}

const ofHundred = (q: ArrayLike): ArrayLike =>
  typeof q === "number" && defaultFloat() === "float64"
    ? q / 100
    : typeof q === "number"
      ? Math.fround(q) / 100
      : divide(q, 100);

const medianNames = ["a", "axis", "out", "overwriteInput", "keepdims"] as const;
const medianParams = /* @__PURE__ */ signature<MedianOptions & { a: ArrayLike }>("median", 1, medianNames);
/**
 * The middle element over axes, or the mean of the middle two; NaN where an element is.
 *
 * @throws ArgumentError `reduce-empty`, `axis-range`, `axis-duplicate`.
 * @example
 * np.median(np.array([1, 10, 2, 3])); // 2.5
 */
export function median(a: ArrayLike, axis?: Axis | MedianOptions, options?: MedianOptions): NDArray;
export function median(): NDArray {
  return quantileOf("median", { ...medianParams(arguments), q: 0.5, method: "midpoint" }, false);
}
const nanmedianParams = /* @__PURE__ */ signature<MedianOptions & { a: ArrayLike }>("nanmedian", 1, medianNames);
/**
 * `median` of what is not NaN.
 *
 * @throws as `median`.
 * @example
 * np.nanmedian(np.array([1, NaN, 3])); // 2
 */
export function nanmedian(a: ArrayLike, axis?: Axis | MedianOptions, options?: MedianOptions): NDArray;
export function nanmedian(): NDArray {
  return quantileOf("nanmedian", { ...nanmedianParams(arguments), q: 0.5, method: "midpoint" }, true);
}

const methods: readonly string[] = ["linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf"];

function quantileOf(
  op: string,
  { a, q, axis, method = "linear", keepdims = false, weights }: QuantileParams,
  skipNan: boolean,
): NDArray {
  if (!methods.includes(method)) {
    throw new ArgumentError({
      code: "option-value",
      message: `${op}: there is no method ${describeValue(method)}`,
      hint: `methods: ${methods.join(", ")}`,
    });
  }
  if (weights !== undefined && weights !== null && method !== "inverted_cdf") {
    throw new ArgumentError({ code: "weights-method", message: `${op}: only method "inverted_cdf" takes weights` });
  }
  const x = inexactPair(op, a, weights);
  const at = inexact(op, q);
  if (at.ndim > 1)
    throw new ShapeError({
      code: "rank",
      message: `${op}: q must have at most one dimension`,
      details: [["q", at.describe()]],
    });
  const axes = normalizeAxes(axis, x.a.ndim, op);
  const kept = [...x.a.shape.keys()].filter((i) => !axes.includes(i));
  const rows = (y: NDArray): NDArray =>
    p.reshape(p.transpose(y, [...kept, ...axes]), [
      ...kept.map((i) => y.shape[i]!),
      sizeOf(axes.map((i) => y.shape[i]!)),
    ]);
  const values = rows(x.a);
  if (values.shape.at(-1) === 0)
    throw new ArgumentError({
      code: "reduce-empty",
      message: `${op} of no elements is not defined`,
      details: [["a", x.a.describe()]],
    });
  // q stands last while its values are picked from rows, then first.
  const qs = at.ndim === 0 ? at : p.reshape(at, [at.size]);
  const picked =
    method === "inverted_cdf"
      ? invertedCdf(
          op,
          values,
          x.weights === undefined ? undefined : rows(fitWeights(op, x.a, x.weights, axes)),
          qs,
          skipNan,
        )
      : interpolated(op, values, qs, method, skipNan);
  const first = p.moveAxis(picked, picked.ndim - 1, 0);
  // A scalar counts as a vector of one element, whose axis is kept.
  const shape = x.a.ndim === 0 ? [1] : x.a.shape;
  const rest = keepdims ? shape.map((d, i) => (kept.includes(i) ? d : 1)) : kept.map((i) => x.a.shape[i]!);
  return convert(p.reshape(first, [...at.shape, ...rest]), x.a.dtype);
}

function inexactPair(
  op: string,
  a: ArrayLike,
  weights: ArrayLike | null | undefined,
): { readonly a: NDArray; readonly weights: NDArray | undefined } {
  if (weights === undefined || weights === null) return { a: inexact(op, a), weights: undefined };
  const t = inexactElementType(op, [a, weights]);
  const [x, w] = convertAll([a, weights], t);
  return { a: x!, weights: w };
}

function fitWeights(op: string, a: NDArray, weights: NDArray, axes: readonly number[]): NDArray {
  if (weights.ndim === a.ndim && weights.shape.every((d, i) => d === a.shape[i])) return weights;
  if (axes.length !== weights.ndim || axes.some((i, k) => a.shape[i] !== weights.shape[k])) {
    throw new ShapeError({
      code: "weights-shape",
      message: `${op}: weights need the shape of a, or the lengths of the reduced axes`,
      details: [
        ["a", a.describe()],
        ["weights", weights.describe()],
      ],
    });
  }
  return p.broadcastInDim(weights, a.shape, axes);
}

/** The two elements around each quantile, and how far it lies from the lower to the upper one. */
interface Neighbours {
  readonly lower: NDArray;
  readonly upper: NDArray;
  readonly weight: NDArray;
}

/** Quantiles of rows: x is float[*rest n], q is float[k]; gives float[*rest k]. */
function interpolated(op: string, x: NDArray, q: NDArray, method: QuantileMethod, skipNan: boolean): NDArray {
  const last = x.ndim - 1;
  const missing = nanMask(x);
  // A NaN that stands in for an element has no derivative.
  const lost = skipNan ? missing : any(missing, last, { keepdims: true });
  const whole = choose(op, lost, like(x, NaN), x);
  const sorted = p.sort([whole], last, 1)[0]!;
  const { lower, upper, weight } = neighbours(sorted, missing, q, skipNan);
  switch (method) {
    case "lower":
      return lower;
    case "higher":
      return upper;
    case "nearest":
      return choose(op, p.le(weight, 0.5), lower, upper);
    case "midpoint":
      return p.mul(p.add(lower, upper), 0.5);
    default: {
      const [l, u] = [convert(lower, q.dtype), convert(upper, q.dtype)];
      return add(multiply(l, p.sub(like(q, 1), weight)), multiply(u, weight));
    }
  }
}

function neighbours(sorted: NDArray, missing: NDArray, q: NDArray, skipNan: boolean): Neighbours {
  const last = sorted.ndim - 1;
  const n = sorted.shape[last]!;
  const known = q.size === 1 && q instanceof ConcreteArray ? q.storage.scalar : undefined;
  if (known !== undefined && !skipNan) return knownNeighbours(sorted, known, q);
  const top = skipNan ? subtract(sum(p.not(missing), last, { keepdims: true, dtype: q.dtype }), 1) : like(q, n - 1);
  const position = multiply(q.ndim === 0 ? p.reshape(q, [1]) : q, top);
  const [low, high] = [p.floor(position), p.ceil(position)];
  const index = (i: NDArray): NDArray => convert(maximum(minimum(i, top), 0), "int32");
  const at = (i: NDArray): NDArray => (skipNan ? pickAlong(sorted, index(i), last) : takeAlong(sorted, index(i), last));
  return { lower: at(low), upper: at(high), weight: p.sub(position, low) };
}

/** Where q is known the elements are slices. Positions are rounded as arrays of q's dtype would be. */
function knownNeighbours(sorted: NDArray, q: number, type: NDArray): Neighbours {
  const last = sorted.ndim - 1;
  const n = sorted.shape[last]!;
  const position = type.dtype === "float64" ? q * (n - 1) : Math.fround(Math.fround(q) * (n - 1));
  const at = (i: number): NDArray => {
    const index = Math.min(n - 1, Math.max(0, Number.isNaN(i) ? 0 : i));
    return sliceAxis(sorted, last, index, index + 1);
  };
  return {
    lower: at(Math.floor(position)),
    upper: at(Math.ceil(position)),
    weight: like(type, position - Math.floor(position)),
  };
}

/** The least element up to which at least the part q of the weights lies. */
function invertedCdf(op: string, x: NDArray, weights: NDArray | undefined, q: NDArray, skipNan: boolean): NDArray {
  const last = x.ndim - 1;
  const n = x.shape[last]!;
  const hasNan = any(nanMask(x), last, { keepdims: true });
  const values = skipNan ? x : choose(op, hasNan, like(x, NaN), x);
  const given = weights ?? p.full(1, { ...x.aval, weakType: false });
  const [sorted, w] = p.sort([values, given], last, 1) as [NDArray, NDArray];
  const bad = p.or(p.lt(w, 0), nanMask(w));
  const missing = nanMask(sorted);
  const total = p.cumsum(choose(op, p.or(bad, missing), like(w, 0), w), last);
  const target = multiply(q.ndim === 0 ? p.reshape(q, [1]) : q, sliceAxis(total, last, n - 1));
  // How many elements lie before the target: [*rest k n] reduced over n.
  const below = p.lt(...spread(total, target));
  const place = p.reduceSum(convert(below, "int32"), [x.ndim]);
  const valid = skipNan
    ? sum(p.not(missing), last, { keepdims: true })
    : p.full(n, { shape: [], dtype: "int32", weakType: false });
  const index = maximum(minimum(place, subtract(valid, 1)), 0);
  const picked = pickAlong(sorted, index, last);
  const nothing = skipNan ? all(missing, last, { keepdims: true }) : any(missing, last, { keepdims: true });
  return choose(op, p.or(any(bad, last, { keepdims: true }), nothing), like(x, NaN), picked);
}

/** [*rest n] and [*rest k] both as [*rest k n]. */
function spread(x: NDArray, y: NDArray): [NDArray, NDArray] {
  const rest = x.shape.slice(0, -1);
  const shape = [...rest, y.shape.at(-1)!, x.shape.at(-1)!];
  const lead = rest.map((_, i) => i);
  return [p.broadcastInDim(x, shape, [...lead, rest.length + 1]), p.broadcastInDim(y, shape, [...lead, rest.length])];
}
