import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { asDType, type DType, isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { absolute, divide, multiply, subtract } from "./arithmetic.js";
import { clip } from "./logic.js";
import { concatenate } from "./joining.js";
import { diagonalOf } from "./matrices.js";
import { inexactElementType, convert, convertAll, inexact, pairOf } from "./promotion.js";
import { matmul } from "./products.js";
import { sum } from "./reductions.js";
import { to2d } from "./shape.js";
import { average, requireFloat } from "./statistics.js";

/** Convolution and correlation of sequences, covariance of samples. */

export type ConvolveMode = "full" | "same" | "valid";
export interface ConvolveOptions {
  readonly mode?: ConvolveMode | undefined;
  readonly precision?: unknown;
  readonly preferredElementType?: DType | null | undefined;
}
type ConvolveParams = ConvolveOptions & { readonly a: ArrayLike; readonly v: ArrayLike };
const convolveByName = { byName: ["precision", "preferredElementType"] } as const;

const convolveParams = /* @__PURE__ */ signature<ConvolveParams>("convolve", 2, ["a", "v", "mode"], convolveByName);
/**
 * The convolution of two sequences, in floats: `a: float[n]` and `v: float[m]` give n + m − 1 sums ("full"), the middle
 * max(n, m) of them ("same") or those of full overlap ("valid").
 *
 * @throws ShapeError `rank`; ArgumentError `option-value`.
 * @example
 * np.convolve(np.array([1, 2, 3]), np.array([1, 1])); // [1, 3, 5, 3]
 */
export function convolve(
  a: ArrayLike,
  v: ArrayLike,
  mode?: ConvolveMode | ConvolveOptions,
  options?: ConvolveOptions,
): NDArray;
export function convolve(): NDArray {
  const { mode = "full", ...given } = convolveParams(arguments);
  const [x, y] = sequences("convolve", given);
  const [long, short] = x.size < y.size ? [y, x] : [x, y];
  return slidingProducts("convolve", long, p.rev(short, [0]), mode);
}

const correlateParams = /* @__PURE__ */ signature<ConvolveParams>("correlate", 2, ["a", "v", "mode"], convolveByName);
/**
 * The cross-correlation of two sequences, in floats: `convolve` with v reversed; "valid" by default.
 *
 * @throws ShapeError `rank`; ArgumentError `option-value`.
 * @example
 * np.correlate(np.array([1, 2, 3]), np.array([0, 1])); // [2, 3]
 */
export function correlate(
  a: ArrayLike,
  v: ArrayLike,
  mode?: ConvolveMode | ConvolveOptions,
  options?: ConvolveOptions,
): NDArray;
export function correlate(): NDArray {
  const { mode = "valid", ...given } = correlateParams(arguments);
  const [x, y] = sequences("correlate", given);
  return x.size < y.size
    ? p.rev(slidingProducts("correlate", y, x, mode), [0])
    : slidingProducts("correlate", x, y, mode);
}

function sequences(op: string, { a, v, preferredElementType }: ConvolveParams): readonly [NDArray, NDArray] {
  const t = inexactElementType(op, [a, v]);
  const dtype =
    preferredElementType === undefined || preferredElementType === null ? t.dtype : asDType(preferredElementType);
  const xs = pairOf(convertAll([a, v], { dtype, weak: t.weak }));
  if (xs.some((x) => x.ndim !== 1 || x.size === 0)) {
    throw new ShapeError({
      code: "rank",
      message: `${op} takes sequences: arrays of one dimension, not empty`,
      details: [
        ["a", xs[0].describe()],
        ["v", xs[1].describe()],
      ],
    });
  }
  return xs;
}

/** Inner products of y with the windows of x, the longer one, at every offset that the mode wants. */
function slidingProducts(op: string, x: NDArray, y: NDArray, mode: ConvolveMode): NDArray {
  const m = y.size;
  const paddings: Readonly<Record<ConvolveMode, readonly [number, number]>> = {
    full: [m - 1, m - 1],
    same: [Math.floor(m / 2), m - Math.floor(m / 2) - 1],
    valid: [0, 0],
  };
  const padding = paddings[mode] as readonly [number, number] | undefined;
  if (padding === undefined) {
    throw new ArgumentError({
      code: "option-value",
      message: `${op}: mode is "full", "same" or "valid", not ${describeValue(mode)}`,
    });
  }
  // one image of one channel, one kernel
  const image = (s: NDArray): NDArray => p.reshape(s, [1, 1, 1, s.size]);
  const products = p.conv(image(x), image(y), { strides: [1], padding: [padding], lhsDilation: [1], rhsDilation: [1] });
  return p.reshape(products, [products.size]);
}

export interface CovOptions {
  readonly y?: ArrayLike | null | undefined;
  /** Rows are variables and columns samples (true), or the other way round. */
  readonly rowvar?: boolean | undefined;
  /** Divide by the number of samples rather than by one less. */
  readonly bias?: boolean | undefined;
  readonly ddof?: number | null | undefined;
  /** How often each sample counts: integers. */
  readonly fweights?: ArrayLike | null | undefined;
  /** How reliable each sample is. */
  readonly aweights?: ArrayLike | null | undefined;
  readonly dtype?: DType | null | undefined;
}
const covParams = /* @__PURE__ */ signature<CovOptions & { m: ArrayLike }>("cov", 1, [
  "m",
  "y",
  "rowvar",
  "bias",
  "ddof",
  "fweights",
  "aweights",
  "dtype",
]);
/**
 * The covariance matrix of variables: `m: float[variables samples]`, centred products over samples − 1.
 *
 * @throws ShapeError `rank`, `weights-shape`; DTypeError `float-needed`, `integer-needed`.
 * @example
 * np.cov(np.array([[1, 2, 3], [6, 4, 2]])); // [[1, -2], [-2, 4]]
 */
export function cov(m: ArrayLike, y?: ArrayLike | null | CovOptions, options?: CovOptions): NDArray;
export function cov(): NDArray {
  return covariance("cov", covParams(arguments));
}

function covariance(
  op: string,
  { m, y, rowvar = true, bias = false, ddof, fweights, aweights, dtype }: CovOptions & { m: ArrayLike },
): NDArray {
  requireFloat(op, dtype);
  const parts = y === undefined || y === null ? [inexact(op, m)] : convertAll([m, y], inexactElementType(op, [m, y]));
  if (parts.some((x) => x.ndim > 2))
    throw new ShapeError({
      code: "rank",
      message: `${op} takes vectors and matrices`,
      details: [["m", parts[0]!.describe()]],
    });
  const rows = parts.map((part, i) => {
    const x = to2d(part);
    return !rowvar && (i === 0 ? part.ndim !== 1 : x.shape[0] !== 1) ? p.transpose(x, [1, 0]) : x;
  });
  let x = rows.length === 1 ? rows[0]! : concatenate(rows, 0);
  const [variables, samples] = x.shape as unknown as [number, number];
  if (variables === 0) return p.full(0, { shape: [0, 0], dtype: x.dtype, weakType: false });
  if (samples === 0)
    return p.full(NaN, { shape: variables === 1 ? [] : [variables, variables], dtype: x.dtype, weakType: false });
  if (dtype !== undefined && dtype !== null) x = convert(x, asDType(dtype));
  const free = ddof ?? (bias ? 0 : 1);
  const { weights, reliability } = sampleWeights(op, samples, fweights, aweights);
  const w =
    weights === undefined ? undefined : dtype === undefined || dtype === null ? weights : convert(weights, x.dtype);
  const [mean, totals] = average(x, 1, { weights: w, returned: true });
  const total = p.squeeze(p.slice(totals, [0], [1]), [0]);
  let divisor: ArrayLike = samples - free;
  if (w !== undefined) {
    if (free === 0) divisor = total;
    else if (reliability === undefined) divisor = subtract(total, free);
    else divisor = subtract(total, divide(multiply(free, sum(multiply(w, reliability))), total));
  }
  const centered = subtract(x, p.expandDims(mean, [1]));
  const weighted = w === undefined ? centered : multiply(centered, p.expandDims(w, [0]));
  const c = divide(matmul(centered, p.transpose(weighted, [1, 0])), divisor);
  return variables === 1 ? p.reshape(c, []) : c;
}

function sampleWeights(
  op: string,
  samples: number,
  f: ArrayLike | null | undefined,
  a: ArrayLike | null | undefined,
): { weights?: NDArray; reliability?: NDArray } {
  const check = (given: ArrayLike, name: string): NDArray => {
    const w = asArray(given, op, name);
    if (w.ndim === 1 && w.shape[0] === samples) return absolute(w);
    throw new ShapeError({
      code: "weights-shape",
      message: `${op}: ${name} needs one weight for each of ${samples} samples`,
      details: [[name, w.describe()]],
    });
  };
  const counts = f === undefined || f === null ? undefined : check(f, "fweights");
  if (counts !== undefined && !isInteger(counts.dtype)) {
    throw new DTypeError({
      code: "integer-needed",
      message: `${op}: fweights must be integers`,
      details: [["fweights", counts.describe()]],
    });
  }
  const reliability = a === undefined || a === null ? undefined : check(a, "aweights");
  if (reliability === undefined) return counts === undefined ? {} : { weights: counts };
  return { weights: counts === undefined ? reliability : multiply(counts, reliability), reliability };
}

const corrcoefParams = /* @__PURE__ */ signature<{
  x: ArrayLike;
  y?: ArrayLike | null;
  rowvar?: boolean;
  dtype?: DType | null;
}>("corrcoef", 1, ["x", "y", "rowvar", "dtype"]);
export interface CorrcoefOptions {
  readonly y?: ArrayLike | null | undefined;
  readonly rowvar?: boolean | undefined;
  readonly dtype?: DType | null | undefined;
}
/**
 * Pearson's correlation coefficients of variables, in [−1, 1]; NaN where one does not vary.
 *
 * @throws ShapeError `rank`; DTypeError `float-needed`.
 * @example
 * np.round(np.corrcoef(np.array([[1, 2, 3], [6, 4, 2]]))); // [[1, -1], [-1, 1]]
 */
export function corrcoef(x: ArrayLike, y?: ArrayLike | null | CorrcoefOptions, options?: CorrcoefOptions): NDArray;
export function corrcoef(): NDArray {
  const { x, ...options } = corrcoefParams(arguments);
  const c = covariance("corrcoef", { m: x, ...options });
  if (c.ndim === 0) return divide(c, c);
  const deviation = p.sqrt(diagonalOf(c, 0));
  const scaled = divide(divide(c, p.expandDims(deviation, [1])), p.expandDims(deviation, [0]));
  return clip(scaled, -1, 1);
}
