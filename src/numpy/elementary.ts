import type { NDArray } from "../core/array.js";
import { lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { floatBinary, floatUnary, like, weakScalarOnly } from "./ufunc.js";

/** Exponentials, logarithms, roots, trigonometric and hyperbolic functions: always in floats. */

/**
 * eˣ, in floats; ∞ above 88.7 in float32.
 *
 * @example
 * np.exp(np.array([0, 1, -Infinity])); // [1, 2.7182817, 0]
 */
export const exp = /* @__PURE__ */ floatUnary("exp", (x) => p.exp(x));
/**
 * 2ˣ, in floats; exact at whole x.
 *
 * @example
 * np.exp2(np.array([-1, 0, 10])); // [0.5, 1, 1024]
 */
export const exp2 = /* @__PURE__ */ floatUnary("exp2", (x) => p.exp2(x));
/**
 * eˣ − 1, in floats, without the cancellation near 0.
 *
 * @example
 * np.expm1(1e-10); // 1e-10
 */
export const expm1 = /* @__PURE__ */ floatUnary("expm1", (x) => p.expm1(x));
/**
 * The natural logarithm, in floats; −∞ at 0, NaN below.
 *
 * @example
 * np.log(np.array([1, 0, -1])); // [0, -Infinity, NaN]
 */
export const log = /* @__PURE__ */ floatUnary("log", (x) => p.log(x));
/**
 * log(1 + x), in floats, without the cancellation near 0; −∞ at −1, NaN below.
 *
 * @example
 * np.log1p(1e-10); // 1e-10
 */
export const log1p = /* @__PURE__ */ floatUnary("log1p", (x) => p.log1p(x));
/**
 * The logarithm to base 2, in floats; −∞ at 0, NaN below.
 *
 * @example
 * np.log2(np.array([8, 0, -1])); // [3, -Infinity, NaN]
 */
export const log2 = /* @__PURE__ */ floatUnary("log2", (x) => p.div(p.log(x), lit(Math.LN2, x.dtype)));
/**
 * The logarithm to base 10, in floats; −∞ at 0, NaN below.
 *
 * @example
 * np.log10(np.array([100, 0, -1])); // [2, -Infinity, NaN]
 */
export const log10 = /* @__PURE__ */ floatUnary("log10", (x) => p.mul(p.log(x), lit(Math.LOG10E, x.dtype)));

/**
 * The square root, in floats; NaN below 0, and the derivative at 0 is ∞.
 *
 * @example
 * np.sqrt(np.array([4, -1])); // [2, NaN]
 * grad((x) => np.sqrt(x))(0); // Infinity
 */
export const sqrt = /* @__PURE__ */ floatUnary("sqrt", (x) => p.sqrt(x));
/**
 * The real cube root, in floats, with the sign of x.
 *
 * @example
 * np.cbrt(-8); // -2
 */
export const cbrt = /* @__PURE__ */ floatUnary("cbrt", (x) => p.cbrt(x));

/**
 * Sine of radians, in floats; NaN of ±∞.
 *
 * @example
 * np.sin(np.array([0, np.pi / 2])); // [0, 1]
 */
export const sin = /* @__PURE__ */ floatUnary("sin", (x) => p.sin(x));
/**
 * Cosine of radians, in floats; NaN of ±∞.
 *
 * @example
 * np.cos(np.array([0, np.pi])); // [1, -1]
 */
export const cos = /* @__PURE__ */ floatUnary("cos", (x) => p.cos(x));
/**
 * Tangent of radians, in floats; NaN of ±∞.
 *
 * @example
 * np.tan(np.array([0, 1])); // [0, 1.5574077]
 */
export const tan = /* @__PURE__ */ floatUnary("tan", (x) => p.tan(x));
/**
 * The angle in [−π/2, π/2] whose sine is x; NaN outside of [−1, 1]. At ±1 the derivative is ∞.
 *
 * @example
 * np.arcsin(np.array([0, 1, 2])); // [0, 1.5707963, NaN]
 */
export const arcsin = /* @__PURE__ */ floatUnary("arcsin", (x) => p.asin(x));
/**
 * The angle in [0, π] whose cosine is x; NaN outside of [−1, 1]. At ±1 the derivative is −∞.
 *
 * @example
 * np.arccos(np.array([1, -1, 2])); // [0, 3.1415927, NaN]
 */
export const arccos = /* @__PURE__ */ floatUnary("arccos", (x) => p.acos(x));
/**
 * The angle in [−π/2, π/2] whose tangent is x.
 *
 * @example
 * np.arctan(np.array([0, 1, Infinity])); // [0, 0.7853982, 1.5707963]
 */
export const arctan = /* @__PURE__ */ floatUnary("arctan", (x) => p.atan(x));
/** The same as `arcsin`. */
export const asin = /* @__PURE__ */ floatUnary("asin", (x) => p.asin(x));
/** The same as `arccos`. */
export const acos = /* @__PURE__ */ floatUnary("acos", (x) => p.acos(x));
/** The same as `arctan`. */
export const atan = /* @__PURE__ */ floatUnary("atan", (x) => p.atan(x));
/**
 * The angle of the point (x2, x1) in [−π, π]: the quadrant is that of the signs, of zeros too. At the origin the derivative
 * is NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.arctan2(np.array([1, 0, -0]), np.array([1, -1, -1])); // [0.7853982, 3.1415927, -3.1415927]
 */
export const arctan2 = /* @__PURE__ */ floatBinary("arctan2", (y, x) => p.atan2(y, x));
/** The same as `arctan2`. */
export const atan2 = /* @__PURE__ */ floatBinary("atan2", (y, x) => p.atan2(y, x));

/**
 * Hyperbolic sine, (eˣ − e⁻ˣ)/2, in floats.
 *
 * @example
 * np.sinh(np.array([0, 1])); // [0, 1.1752012]
 */
export const sinh = /* @__PURE__ */ floatUnary("sinh", (x) => p.sinh(x));
/**
 * Hyperbolic cosine, (eˣ + e⁻ˣ)/2, in floats.
 *
 * @example
 * np.cosh(np.array([0, 1])); // [1, 1.5430806]
 */
export const cosh = /* @__PURE__ */ floatUnary("cosh", (x) => p.cosh(x));
/**
 * Hyperbolic tangent, in floats, in [−1, 1].
 *
 * @example
 * np.tanh(np.array([0, 1, Infinity])); // [0, 0.7615942, 1]
 */
export const tanh = /* @__PURE__ */ floatUnary("tanh", (x) => p.tanh(x));
/**
 * The inverse of sinh, in floats.
 *
 * @example
 * np.arcsinh(np.array([0, 1])); // [0, 0.8813736]
 */
export const arcsinh = /* @__PURE__ */ floatUnary("arcsinh", (x) => p.asinh(x));
/**
 * The inverse of cosh on [0, ∞), in floats; NaN below 1.
 *
 * @example
 * np.arccosh(np.array([1, 2, 0])); // [0, 1.3169579, NaN]
 */
export const arccosh = /* @__PURE__ */ floatUnary("arccosh", (x) => p.acosh(x));
/**
 * The inverse of tanh, in floats; ±∞ at ±1, NaN beyond.
 *
 * @example
 * np.arctanh(np.array([0, 1, 2])); // [0, Infinity, NaN]
 */
export const arctanh = /* @__PURE__ */ floatUnary("arctanh", (x) => p.atanh(x));
/** The same as `arcsinh`. */
export const asinh = /* @__PURE__ */ floatUnary("asinh", (x) => p.asinh(x));
/** The same as `arccosh`. */
export const acosh = /* @__PURE__ */ floatUnary("acosh", (x) => p.acosh(x));
/** The same as `arctanh`. */
export const atanh = /* @__PURE__ */ floatUnary("atanh", (x) => p.atanh(x));

const toRadians = (x: NDArray): NDArray => weakScalarOnly(p.mul(x, like(x, Math.PI / 180)));
const toDegrees = (x: NDArray): NDArray => weakScalarOnly(p.mul(x, like(x, 180 / Math.PI)));
/**
 * Degrees as radians: x · π/180.
 *
 * @example
 * np.deg2rad(180); // 3.1415927
 */
export const deg2rad = /* @__PURE__ */ floatUnary("deg2rad", toRadians);
/** The same as `deg2rad`. */
export const radians = /* @__PURE__ */ floatUnary("radians", toRadians);
/**
 * Radians as degrees: x · 180/π.
 *
 * @example
 * np.rad2deg(np.pi); // 180
 */
export const rad2deg = /* @__PURE__ */ floatUnary("rad2deg", toDegrees);
/** The same as `rad2deg`. */
export const degrees = /* @__PURE__ */ floatUnary("degrees", toDegrees);

/**
 * log(exp(x1) + exp(x2)) without overflow; derivatives are the softmax weights, a half each at a tie.
 * Equal infinities, whose difference is NaN, give their sum.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.logaddexp(1000, 1000); // 1000.6931
 */
export const logaddexp = /* @__PURE__ */ floatBinary("logaddexp", (x1, x2) => p.logaddexp(x1, x2));

/**
 * log2(2^x1 + 2^x2) without overflow.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.logaddexp2(1000, 1000); // 1001
 */
export const logaddexp2 = /* @__PURE__ */ floatBinary("logaddexp2", (x1, x2) => weakScalarOnly(p.logaddexp2(x1, x2)));

/**
 * sin(πx)/(πx), 1 at 0. At 0 itself the Maclaurin polynomial stands in, for its derivatives (−π²/3 is the second).
 *
 * @example
 * np.sinc(np.array([0, 0.5])); // [1, 0.6366197]
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
