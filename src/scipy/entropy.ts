import type { NDArray } from "../core/array.js";
import { besselI0eOf } from "../numpy/bessel.js";
import { type Binary, floatBinary, floatUnary, like, type Unary } from "../numpy/ufunc.js";
import { broadcastOperands, pairOf } from "../numpy/promotion.js";
import * as p from "../primitives/all.js";

/** Error functions, the logistic function, and what entropies are made of. */

/**
 * The error function 2/√π ∫₀ˣ e^(−t²) dt, in [−1, 1].
 *
 * @example
 * scipy.special.erf(np.array([-Infinity, 0, 1])); // [-1, 0, 0.8427008]
 */
export const erf: Unary = /* @__PURE__ */ floatUnary("scipy.special.erf", (x) => p.erf(x));
/**
 * 1 − erf(x), without the cancellation where erf is near 1.
 *
 * @example
 * scipy.special.erfc(np.array([0, Infinity])); // [1, 0]
 */
export const erfc: Unary = /* @__PURE__ */ floatUnary("scipy.special.erfc", (x) => p.erfc(x));
/**
 * The inverse of erf; ±∞ at ±1, NaN beyond.
 *
 * @example
 * scipy.special.erfinv(np.array([0, 1, 2])); // [0, Infinity, NaN]
 */
export const erfinv: Unary = /* @__PURE__ */ floatUnary("scipy.special.erfinv", (x) => p.erfInv(x));
/**
 * 1/(1 + exp(−x)): the logistic function, of floats.
 *
 * @example
 * scipy.special.expit(np.array([-Infinity, 0])); // [0, 0.5]
 */
export const expit: Unary = /* @__PURE__ */ floatUnary("scipy.special.expit", (x) => p.logistic(x));
/** The modified Bessel function I₀; as in JAX its derivative at 0 is 1, that of exp|x|, where `np.i0` has 0. */
export const i0: Unary = /* @__PURE__ */ floatUnary("scipy.special.i0", (x) => p.mul(p.exp(p.abs(x)), besselI0eOf(x)));
/** exp(−|x|)·I₀(x). */
export const i0e: Unary = /* @__PURE__ */ floatUnary("scipy.special.i0e", besselI0eOf);

/**
 * log(x/(1 − x)), the inverse of expit; ±∞ at 1 and 0, where its derivative is ∞, NaN outside of [0, 1].
 *
 * @example
 * scipy.special.logit(np.array([0, 0.5, 1, 2])); // [-Infinity, 0, Infinity, NaN]
 */
export const logit: Unary = /* @__PURE__ */ floatUnary("scipy.special.logit", (x) => {
  const one = like(x, 1);
  const edge = p.or(p.eq(x, like(x, 0)), p.eq(x, one));
  const inner = p.select(edge, like(x, 0.5), x);
  const outer = p.select(edge, x, like(x, 0.5));
  // At 0 and 1 the difference has the derivative 1/(x(1 − x)) = ∞; that of the quotient would be NaN.
  return p.select(edge, p.sub(p.log(outer), p.log1p(p.neg(outer))), p.log(p.div(inner, p.sub(one, inner))));
});

const both = (op: string, x: NDArray, y: NDArray): readonly [NDArray, NDArray] => pairOf(broadcastOperands(op, [x, y]));

/**
 * x·log u, but 0 at x = 0 where log u is not finite. The derivatives there are those of the formula, log u and x/u: stand-ins
 * of value 0 have them, √x with an infinite slope and, at u = 0, √u² with the slope NaN of 0/0.
 */
function timesLog(
  op: string,
  x0: NDArray,
  y0: NDArray,
  log: (y: NDArray) => NDArray,
  argument: (y: NDArray) => NDArray,
): NDArray {
  const [x, y] = both(op, x0, y0);
  const one = like(x, 1);
  const zero = like(x, 0);
  const l = log(p.stopGradient(y));
  const degenerate = p.and(p.and(p.eq(x, zero), p.not(p.isFinite(l))), p.eq(y, y));
  const root = p.sqrt(p.select(degenerate, x, one));
  const u = argument(y);
  const atZero = p.and(degenerate, p.eq(u, zero));
  const undefinedSlope = p.select(atZero, p.sqrt(p.square(p.select(atZero, u, one))), zero);
  const instead = p.add(p.select(p.gt(l, zero), root, p.neg(root)), undefinedSlope);
  return p.select(degenerate, instead, p.mul(x, log(p.select(degenerate, like(y, 0.5), y))));
}

/**
 * x·log y, 0 at x = 0 (NaN if y is).
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * scipy.special.xlogy(np.array([0, 2]), np.array([0, 1])); // [0, 0]
 */
export const xlogy: Binary = /* @__PURE__ */ floatBinary("scipy.special.xlogy", (x, y) =>
  timesLog("scipy.special.xlogy", x, y, p.log, (v) => v),
);
/** x·log(1 + y), 0 at x = 0 (NaN if y is). */
export const xlog1py: Binary = /* @__PURE__ */ floatBinary("scipy.special.xlog1py", (x, y) =>
  timesLog("scipy.special.xlog1py", x, y, p.log1p, (v) => p.add(v, like(v, 1))),
);

/** −x·log x: 0 at 0, −∞ of negative numbers. */
export const entr: Unary = /* @__PURE__ */ floatUnary("scipy.special.entr", (x) => {
  const zero = like(x, 0);
  const isZero = p.eq(x, zero);
  // Below 0 the logarithm is not chosen, but its slope NaN is what reverse differentiation multiplies by 0.
  const positive = p.select(isZero, like(x, 1), x);
  // √x has the value 0 and the infinite slope that −x·log x has at 0.
  const term = p.select(isZero, p.sqrt(p.select(isZero, x, like(x, 1))), p.neg(p.mul(positive, p.log(positive))));
  return p.select(p.lt(x, zero), like(x, -Infinity), term);
});

function relativeEntropy(op: string, a: NDArray, b: NDArray): NDArray {
  const [x, y] = both(op, a, b);
  const zero = like(x, 0);
  const positive = p.and(p.gt(x, zero), p.gt(y, zero));
  const none = p.and(p.eq(x, zero), p.ge(y, zero));
  const [u, v] = [p.select(positive, x, like(x, 1)), p.select(positive, y, like(y, 1))];
  const value = p.sub(p.mul(u, p.log(u)), p.mul(u, p.log(v)));
  return p.select(positive, value, p.select(none, zero, like(x, Infinity)));
}
/** p·log(p/q): 0 at p = 0, ∞ where an operand is negative or only q is 0. */
export const relEntr: Binary = /* @__PURE__ */ floatBinary("scipy.special.relEntr", (x, y) =>
  relativeEntropy("scipy.special.relEntr", x, y),
);
/** p·log(p/q) − p + q, the divergence of Kullback and Leibler, element by element. */
export const klDiv: Binary = /* @__PURE__ */ floatBinary("scipy.special.klDiv", (x, y) =>
  p.add(p.sub(relativeEntropy("scipy.special.klDiv", x, y), x), y),
);

/** (exp(λ·l) − 1)/λ, which is l at λ = 0. */
function boxcoxOf(l: NDArray, lambda: NDArray): NDArray {
  const isZero = p.eq(lambda, like(lambda, 0));
  const safe = p.select(isZero, like(lambda, 1), lambda);
  return p.select(isZero, l, p.div(p.expm1(p.mul(safe, l)), safe));
}
/** The transformation of Box and Cox: (x^λ − 1)/λ, log x at λ = 0. */
export const boxcox: Binary = /* @__PURE__ */ floatBinary("scipy.special.boxcox", (x, lambda) => {
  const [u, v] = both("scipy.special.boxcox", x, lambda);
  return boxcoxOf(p.log(u), v);
});
/** `boxcox` of 1 + x. */
export const boxcox1p: Binary = /* @__PURE__ */ floatBinary("scipy.special.boxcox1p", (x, lambda) => {
  const [u, v] = both("scipy.special.boxcox1p", x, lambda);
  return boxcoxOf(p.log1p(u), v);
});
