import { logaddexp } from "../../numpy/elementary.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { logit } from "../entropy.js";
import { exponential, locationScale, standardized } from "./distribution.js";

/** The logistic distribution around `loc`. */

export const logpdf = /* @__PURE__ */ standardized("logistic.logpdf", (z, scale) => {
  const half = p.div(z, like(z, 2));
  return p.sub(p.mul(like(z, -2), logaddexp(half, p.neg(half))), p.log(scale));
});
/** The density, exp(logpdf). */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/** The probability of values up to x. */
export const cdf = /* @__PURE__ */ standardized("logistic.cdf", (z) => p.logistic(z));
/** 1 − cdf. */
export const sf = /* @__PURE__ */ standardized("logistic.sf", (z) => p.logistic(p.neg(z)));
/** Quantiles. */
export const ppf = /* @__PURE__ */ locationScale("logistic.ppf", "x", (q, loc, scale) =>
  p.add(p.mul(logit(q), scale), loc),
);
/** Quantiles from above: where 1 − cdf is q. */
export const isf = /* @__PURE__ */ locationScale("logistic.isf", "x", (q, loc, scale) =>
  p.add(p.mul(p.neg(logit(q)), scale), loc),
);
