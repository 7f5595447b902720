import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { exponential, impossibleWhere, locationScale, probabilityOnly } from "./distribution.js";

/** The exponential distribution of values from `loc` on with mean `loc + scale`. */

export const logpdf = /* @__PURE__ */ locationScale("expon.logpdf", "x", (x, loc, scale) =>
  impossibleWhere(p.lt(x, loc), p.neg(p.add(p.div(p.sub(x, loc), scale), p.log(scale)))),
);
/** The density, exp(logpdf). */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/** The probability of values up to x. */
export const cdf = /* @__PURE__ */ locationScale("expon.cdf", "x", (x, loc, scale) =>
  p.select(p.lt(x, loc), like(x, 0), p.neg(p.expm1(p.div(p.sub(loc, x), scale)))),
);
/** log(1 − cdf). */
export const logsf = /* @__PURE__ */ locationScale("expon.logsf", "x", (x, loc, scale) =>
  p.select(p.lt(x, loc), like(x, 0), p.div(p.sub(loc, x), scale)),
);
/** 1 − cdf. */
export const sf = /* @__PURE__ */ exponential(logsf);
/** log of the cdf. */
export const logcdf: typeof sf = (...given) => p.log1p(p.neg(sf(...given)));
/** Quantiles. */
export const ppf = /* @__PURE__ */ locationScale("expon.ppf", "q", (q, loc, scale) =>
  probabilityOnly(q, p.sub(loc, p.mul(scale, p.log1p(p.neg(q))))),
);
