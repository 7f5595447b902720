import type { NDArray } from "../../core/array.js";
import { asArray } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { floatArray, logNdtrOf, ndtriOf, ndtrOf } from "../normal.js";
import { exponential, locationScale, type LocationScaleFunction, standardized } from "./distribution.js";

/** The normal distribution of mean `loc` and standard deviation `scale`. */

/**
 * log of the density at x of the normal distribution of mean `loc` (0) and standard deviation `scale` (1).
 *
 * @example
 * scipy.stats.norm.logpdf(np.array([0, 1])); // [-0.9189385, -1.4189385]
 */
export const logpdf = /* @__PURE__ */ locationScale("norm.logpdf", "x", (x, loc, scale) => {
  const variance = p.square(scale);
  const normalizer = p.log(p.mul(like(x, 2 * Math.PI), variance));
  return p.div(p.add(normalizer, p.div(p.square(p.sub(x, loc)), variance)), like(x, -2));
});
/**
 * The density, exp(logpdf).
 *
 * @example
 * scipy.stats.norm.pdf(1, { loc: 1, scale: 2 }); // 0.1994711
 */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/**
 * The probability of values up to x.
 *
 * @example
 * scipy.stats.norm.cdf(np.array([-Infinity, 0])); // [0, 0.5]
 */
export const cdf = /* @__PURE__ */ standardized("norm.cdf", ndtrOf);
/** log of the cdf, without underflow in the lower tail. */
export const logcdf = /* @__PURE__ */ standardized("norm.logcdf", (z) => logNdtrOf(z));
/** 1 − cdf. */
export const sf = /* @__PURE__ */ standardized("norm.sf", (z) => ndtrOf(p.neg(z)));
/** log(1 − cdf), without underflow in the upper tail. */
export const logsf = /* @__PURE__ */ standardized("norm.logsf", (z) => logNdtrOf(p.neg(z)));
/**
 * Quantiles, of floats only.
 *
 * @example
 * scipy.stats.norm.ppf(0.975); // 1.9599644
 */
export const ppf = /* @__PURE__ */ ofFloats("norm.ppf", (q, loc, scale) => p.add(p.mul(ndtriOf(q), scale), loc));
/** Quantiles from above: where 1 − cdf is q. */
export const isf = /* @__PURE__ */ ofFloats("norm.isf", (q, loc, scale) =>
  p.add(p.mul(ndtriOf(p.sub(like(q, 1), q)), scale), loc),
);

/** A function of a probability that refuses arrays of integers and booleans, as JAX does. */
function ofFloats(op: string, f: (q: NDArray, loc: NDArray, scale: NDArray) => NDArray): LocationScaleFunction {
  const call = locationScale(op, "q", f);
  return (q, ...rest) => call(floatArray(`scipy.stats.${op}`, asArray(q, `scipy.stats.${op}`, "q")), ...rest);
}
