import type { NDArray } from "../core/array.js";
import { lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { floatBinary, floatUnary, like, weakScalarOnly } from "./ufunc.js";

/** Exponentials, logarithms, roots, trigonometric and hyperbolic functions: always in floats. */

export const exp = /* @__PURE__ */ floatUnary("exp", (x) => p.exp(x));
export const exp2 = /* @__PURE__ */ floatUnary("exp2", (x) => p.exp2(x));
export const expm1 = /* @__PURE__ */ floatUnary("expm1", (x) => p.expm1(x));
export const log = /* @__PURE__ */ floatUnary("log", (x) => p.log(x));
export const log1p = /* @__PURE__ */ floatUnary("log1p", (x) => p.log1p(x));
export const log2 = /* @__PURE__ */ floatUnary("log2", (x) => p.div(p.log(x), lit(Math.LN2, x.dtype)));
export const log10 = /* @__PURE__ */ floatUnary("log10", (x) => p.mul(p.log(x), lit(Math.LOG10E, x.dtype)));

export const sqrt = /* @__PURE__ */ floatUnary("sqrt", (x) => p.sqrt(x));
export const cbrt = /* @__PURE__ */ floatUnary("cbrt", (x) => p.cbrt(x));

export const sin = /* @__PURE__ */ floatUnary("sin", (x) => p.sin(x));
export const cos = /* @__PURE__ */ floatUnary("cos", (x) => p.cos(x));
export const tan = /* @__PURE__ */ floatUnary("tan", (x) => p.tan(x));
export const arcsin = /* @__PURE__ */ floatUnary("arcsin", (x) => p.asin(x));
export const arccos = /* @__PURE__ */ floatUnary("arccos", (x) => p.acos(x));
export const arctan = /* @__PURE__ */ floatUnary("arctan", (x) => p.atan(x));
export const asin = /* @__PURE__ */ floatUnary("asin", (x) => p.asin(x));
export const acos = /* @__PURE__ */ floatUnary("acos", (x) => p.acos(x));
export const atan = /* @__PURE__ */ floatUnary("atan", (x) => p.atan(x));
/** The angle of the point (x2, x1), in (−π, π]. */
export const arctan2 = /* @__PURE__ */ floatBinary("arctan2", (y, x) => p.atan2(y, x));
export const atan2 = /* @__PURE__ */ floatBinary("atan2", (y, x) => p.atan2(y, x));

export const sinh = /* @__PURE__ */ floatUnary("sinh", (x) => p.sinh(x));
export const cosh = /* @__PURE__ */ floatUnary("cosh", (x) => p.cosh(x));
export const tanh = /* @__PURE__ */ floatUnary("tanh", (x) => p.tanh(x));
export const arcsinh = /* @__PURE__ */ floatUnary("arcsinh", (x) => p.asinh(x));
export const arccosh = /* @__PURE__ */ floatUnary("arccosh", (x) => p.acosh(x));
export const arctanh = /* @__PURE__ */ floatUnary("arctanh", (x) => p.atanh(x));
export const asinh = /* @__PURE__ */ floatUnary("asinh", (x) => p.asinh(x));
export const acosh = /* @__PURE__ */ floatUnary("acosh", (x) => p.acosh(x));
export const atanh = /* @__PURE__ */ floatUnary("atanh", (x) => p.atanh(x));

const toRadians = (x: NDArray): NDArray => weakScalarOnly(p.mul(x, like(x, Math.PI / 180)));
const toDegrees = (x: NDArray): NDArray => weakScalarOnly(p.mul(x, like(x, 180 / Math.PI)));
export const deg2rad = /* @__PURE__ */ floatUnary("deg2rad", toRadians);
export const radians = /* @__PURE__ */ floatUnary("radians", toRadians);
export const rad2deg = /* @__PURE__ */ floatUnary("rad2deg", toDegrees);
export const degrees = /* @__PURE__ */ floatUnary("degrees", toDegrees);

/**
 * log(exp(x1) + exp(x2)) without overflow; derivatives are the softmax weights, a half each at a tie.
 * Equal infinities, whose difference is NaN, give their sum.
 */
export const logaddexp = /* @__PURE__ */ floatBinary("logaddexp", (x1, x2) => p.logaddexp(x1, x2));

/** log2(2^x1 + 2^x2) without overflow. */
export const logaddexp2 = /* @__PURE__ */ floatBinary("logaddexp2", (x1, x2) => weakScalarOnly(p.logaddexp2(x1, x2)));

/**
 * sin(πx)/(πx), 1 at 0. At 0 itself the Maclaurin polynomial stands in, for its derivatives (−π²/3 is the second).
 */
export const sinc = /* @__PURE__ */ floatUnary("sinc", (x) => {
  const isZero = p.eq(x, like(x, 0));
  const angle = p.mul(x, like(x, Math.PI));
  const nonzero = p.select(isZero, like(x, 1), angle);
  const zero = p.select(isZero, angle, like(x, 0));
  const square = p.mul(zero, zero);
  let series = like(x, 1 / 39916800);
  for (const c of [1 / 362880, 1 / 5040, 1 / 120, 1 / 6]) series = p.sub(like(x, c), p.mul(square, series));
  return weakScalarOnly(p.select(isZero, p.sub(like(x, 1), p.mul(square, series)), p.div(p.sin(nonzero), nonzero)));
});
