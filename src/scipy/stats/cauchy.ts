import type { NDArray } from "../../core/array.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { exponential, locationScale, standardized } from "./distribution.js";

/** The Cauchy distribution around `loc`. */

const below = (z: NDArray): NDArray => p.add(like(z, 0.5), p.mul(like(z, 1 / Math.PI), p.atan(z)));

/** log of the density; −∞ where there is none. */
export const logpdf = /* @__PURE__ */ standardized("cauchy.logpdf", (z, scale) =>
  p.neg(p.add(p.log(p.mul(like(z, Math.PI), scale)), p.log1p(p.mul(z, z)))),
);
/** The density, exp(logpdf). */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/** The probability of values up to x. */
export const cdf = /* @__PURE__ */ standardized("cauchy.cdf", below);
/** log of the cdf. */
export const logcdf = /* @__PURE__ */ standardized("cauchy.logcdf", (z) => p.log(below(z)));
/** 1 − cdf. */
export const sf = /* @__PURE__ */ standardized("cauchy.sf", (z) => below(p.neg(z)));
/** log(1 − cdf). */
export const logsf = /* @__PURE__ */ standardized("cauchy.logsf", (z) => p.log(below(p.neg(z))));
/** Quantiles. */
export const ppf = /* @__PURE__ */ locationScale("cauchy.ppf", "q", (q, loc, scale) =>
  p.add(p.mul(p.tan(p.sub(p.mul(like(q, Math.PI), q), like(q, Math.PI / 2))), scale), loc),
);
/** Quantiles from above: where 1 − cdf is q. */
export const isf = /* @__PURE__ */ locationScale("cauchy.isf", "q", (q, loc, scale) =>
  p.add(p.mul(p.tan(p.sub(like(q, Math.PI / 2), p.mul(like(q, Math.PI), q))), scale), loc),
);
