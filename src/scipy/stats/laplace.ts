import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { exponential, locationScale, standardized } from "./distribution.js";

/** The Laplace distribution around `loc`, which falls off as exp(−|x − loc|/scale). */

export const logpdf = /* @__PURE__ */ locationScale("laplace.logpdf", "x", (x, loc, scale) =>
  p.neg(p.add(p.div(p.abs(p.sub(x, loc)), scale), p.log(p.mul(like(x, 2), scale)))),
);
/** The density, exp(logpdf). */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/** The probability of values up to x. */
export const cdf = /* @__PURE__ */ standardized("laplace.cdf", (z) => {
  const half = like(z, 0.5);
  return p.select(p.le(z, like(z, 0)), p.mul(half, p.exp(z)), p.sub(like(z, 1), p.mul(half, p.exp(p.neg(z)))));
});
