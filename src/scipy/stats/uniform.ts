import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { exponential, impossibleWhere, locationScale, probabilityOnly } from "./distribution.js";

/** The uniform distribution over [loc, loc + scale]. */

export const logpdf = /* @__PURE__ */ locationScale("uniform.logpdf", "x", (x, loc, scale) =>
  impossibleWhere(p.or(p.gt(x, p.add(loc, scale)), p.lt(x, loc)), p.neg(p.log(scale))),
);
/** The density, exp(logpdf). */
export const pdf = /* @__PURE__ */ exponential(logpdf);
/** Rises from 0 at `loc` to 1 at `loc + scale`; 0 of NaN, as in JAX. */
export const cdf = /* @__PURE__ */ locationScale("uniform.cdf", "x", (x, loc, scale) => {
  const end = p.add(loc, scale);
  const inside = p.and(p.ge(x, loc), p.le(x, end));
  const rising = p.select(inside, p.div(p.sub(x, loc), scale), like(x, 0));
  return p.select(p.lt(x, loc), like(x, 0), p.select(p.gt(x, end), like(x, 1), rising));
});
/** Quantiles. */
export const ppf = /* @__PURE__ */ locationScale("uniform.ppf", "q", (q, loc, scale) =>
  probabilityOnly(q, p.add(loc, p.mul(scale, q))),
);
