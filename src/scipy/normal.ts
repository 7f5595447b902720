import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { inexact, strong } from "../numpy/promotion.js";
import { like, type Unary, unary } from "../numpy/ufunc.js";
import * as p from "../primitives/all.js";

/** The distribution function of the normal distribution, its logarithm and its inverse. */

/** Refuses arrays of integers and booleans, as JAX does; a JS number may be whole. @throws DTypeError `float-needed`. */
export function floatArray(op: string, x: NDArray): NDArray {
  if (isFloat(x.dtype) || (x.weakType && x.ndim === 0)) return inexact(op, x);
  throw new DTypeError({
    code: "float-needed",
    message: `${op} takes floats`,
    details: [["x", x.describe()]],
    hint: 'convert with .astype("float32")',
  });
}

/** erfc where that keeps the digits of small results, 1 + erf near 0. */
export function ndtrOf(given: NDArray): NDArray {
  const x = strong(given);
  const c = like(x, Math.SQRT1_2);
  const w = p.mul(x, c);
  const z = p.abs(w);
  const tail = p.erfc(z);
  const outside = p.select(p.gt(w, like(w, 0)), p.sub(like(w, 2), tail), tail);
  return p.mul(like(w, 0.5), p.select(p.lt(z, c), p.add(like(w, 1), p.erf(w)), outside));
}
/**
 * The probability that a normal variable is at most x: (1 + erf(x/√2))/2.
 *
 * @throws DTypeError `float-needed` for arrays of integers, as in JAX.
 * @example
 * scipy.special.ndtr(np.array([-Infinity, 0, 1.959964])); // [0, 0.5, 0.975]
 */
export const ndtr: Unary = /* @__PURE__ */ unary("scipy.special.ndtr", (x) =>
  ndtrOf(floatArray("scipy.special.ndtr", x)),
);

export interface LogNdtrOptions {
  /** Terms of the asymptotic series that far negative arguments take; 3 by default. */
  readonly seriesOrder?: number | undefined;
}
const logNdtrParams = /* @__PURE__ */ signature<LogNdtrOptions & { x: ArrayLike }>("scipy.special.logNdtr", 1, [
  "x",
  "seriesOrder",
]);
/**
 * log ndtr(x), accurate far out on both sides: far below 0 it is an asymptotic series.
 *
 * @example
 * scipy.special.logNdtr(np.array([-10, 0])); // [-53.231285, -0.6931472]
 */
export function logNdtr(x: ArrayLike, seriesOrder?: number | LogNdtrOptions): NDArray;
export function logNdtr(): NDArray {
  const { x, seriesOrder = 3 } = logNdtrParams(arguments);
  if (!Number.isInteger(seriesOrder) || seriesOrder < 0 || seriesOrder > 30) {
    throw new ArgumentError({
      code: "series-order",
      message: `scipy.special.logNdtr: seriesOrder must be a whole number from 0 to 30, not ${String(seriesOrder)}`,
    });
  }
  return logNdtrOf(floatArray("scipy.special.logNdtr", asArray(x, "scipy.special.logNdtr", "x")), seriesOrder);
}

export function logNdtrOf(given: NDArray, seriesOrder = 3): NDArray {
  const x = strong(given);
  const [low, high] = x.dtype === "float64" ? [-20, 8] : [-10, 5];
  const above = p.gt(x, like(x, high));
  const below = p.le(x, like(x, low));
  // Each side sees only what it is right for; NaN goes the middle way.
  const half = p.select(above, p.neg(x), p.select(below, like(x, 0), x));
  const probability = ndtrOf(half);
  const far = logOfTail(p.select(below, x, like(x, low)), seriesOrder);
  const middle = p.log(p.select(above, like(x, 0.5), probability));
  return p.select(above, p.neg(probability), p.select(below, far, middle));
}

/** −x²/2 − log(−x√(2π)) + log(1 − 1/x² + 3/x⁴ − 15/x⁶ …) for x far below 0. */
function logOfTail(x: NDArray, order: number): NDArray {
  const square = p.square(x);
  const scale = p.sub(p.sub(p.mul(like(x, -0.5), square), p.log(p.neg(x))), like(x, 0.5 * Math.log(2 * Math.PI)));
  if (order === 0) return scale;
  let series: NDArray = like(x, 1);
  let power = square;
  let factor = -1;
  for (let n = 1; n <= order; n++) {
    series = p.add(series, p.div(like(x, factor), power));
    power = p.mul(power, square);
    factor *= -(2 * n + 1);
  }
  return p.add(scale, p.log(series));
}

/** Coefficients of Cephes' ndtri.c, the highest power first. */
const p0 = [
  -59.96335010141079, 98.00107541859997, -56.67628574690703, 13.931260938727968, -1.2391658386738125,
] as const;
const q0 = [
  1, 1.9544885833814176, 4.676279128988815, 86.36024213908905, -225.46268785411937, 200.26021238006066,
  -82.03722561683334, 15.90562251262117, -1.1833162112133,
] as const;
const p1 = [
  4.0554489230596245, 31.525109459989388, 57.16281922464213, 44.08050738932008, 14.684956192885803, 2.1866330685079025,
  -0.1402560791713545, -0.03504246268278482, -0.0008574567851546854,
] as const;
const q1 = [
  1, 15.779988325646675, 45.39076351288792, 41.3172038254672, 15.04253856929075, 2.504649462083094,
  -0.14218292285478779, -0.03808064076915783, -0.0009332594808954574,
] as const;
const p2 = [
  3.2377489177694603, 6.915228890689842, 3.9388102529247444, 1.3330346081580755, 0.20148538954917908,
  0.012371663481782003, 0.00030158155350823543, 2.6580697468673755e-6, 6.239745391849833e-9,
] as const;
const q2 = [
  1, 6.02427039364742, 3.6798356385616087, 1.3770209948908132, 0.21623699359449663, 0.013420400608854318,
  0.00032801446468212774, 2.8924786474538068e-6, 6.790194080099813e-9,
] as const;

const polynomial = (x: NDArray, coefficients: readonly number[]): NDArray =>
  coefficients.slice(1).reduce<NDArray>((y, c) => p.add(p.mul(y, x), like(x, c)), like(x, coefficients[0]!));
const rational = (x: NDArray, above: readonly number[], below: readonly number[]): NDArray =>
  p.div(polynomial(x, above), polynomial(x, below));

/** The x with ndtr(x) = q: rational approximations in the middle and in the tails (Cephes, ndtri.c). */
export function ndtriOf(given: NDArray): NDArray {
  const q = strong(given);
  const c = (value: number): NDArray => like(q, value);
  const upper = p.gt(q, c(-Math.expm1(-2)));
  const lower = p.select(upper, p.sub(c(1), q), q);
  const tail = p.select(p.eq(lower, c(0)), c(0.5), lower);
  const w = p.sub(tail, c(0.5));
  const ww = p.square(w);
  const central = p.mul(p.add(w, p.mul(p.mul(w, ww), rational(ww, p0, q0))), c(-Math.sqrt(2 * Math.PI)));
  const z = p.sqrt(p.mul(c(-2), p.log(tail)));
  const first = p.sub(z, p.div(p.log(z), z));
  const inverse = p.div(c(1), z);
  const far = p.sub(first, p.div(rational(inverse, p2, q2), z));
  const near = p.sub(first, p.div(rational(inverse, p1, q1), z));
  const size = p.select(p.gt(tail, c(Math.exp(-2))), central, p.select(p.ge(z, c(8)), far, near));
  const x = p.select(upper, size, p.neg(size));
  return p.select(p.eq(q, c(0)), c(-Infinity), p.select(p.eq(q, c(1)), c(Infinity), x));
}
/**
 * The inverse of ndtr: quantiles of the normal distribution, for p in [0, 1] (rational approximations of Cephes' ndtri.c);
 * ±∞ at the ends, NaN beyond.
 *
 * @throws DTypeError `float-needed` for arrays of integers, as in JAX.
 * @example
 * scipy.special.ndtri(np.array([0, 0.5, 2])); // [-Infinity, 0, NaN]
 */
export const ndtri: Unary = /* @__PURE__ */ unary("scipy.special.ndtri", (p) =>
  ndtriOf(floatArray("scipy.special.ndtri", p)),
);
