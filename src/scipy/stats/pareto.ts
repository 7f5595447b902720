import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { impossibleWhere, type LocationScale, ofOperands, probabilityOnly } from "./distribution.js";

/** The Pareto distribution of values from `loc + scale` on, which falls off as x^−(b + 1). */

type ParetoFunction = (
  x: ArrayLike,
  b: ArrayLike,
  loc?: ArrayLike | LocationScale,
  scale?: ArrayLike | LocationScale,
) => NDArray;
type Formula = (x: NDArray, b: NDArray, loc: NDArray, scale: NDArray) => NDArray;

const pareto = (name: string, first: "x" | "q", f: Formula): ParetoFunction =>
  ofOperands<ParetoFunction>(`pareto.${name}`, [first, "b", "loc", "scale"], [0, 1], (x, b, loc, scale) =>
    f(x!, b!, loc!, scale!),
  );
/** A function of (x − loc)/scale, with another value where x is too small to occur. */
const tail = (name: string, early: number, f: (z: NDArray, b: NDArray, scale: NDArray) => NDArray): ParetoFunction =>
  pareto(name, "x", (x, b, loc, scale) =>
    p.select(p.lt(x, p.add(loc, scale)), like(x, early), f(p.div(p.sub(x, loc), scale), b, scale)),
  );

/** log of the density; −∞ where there is none. */
export const logpdf = /* @__PURE__ */ pareto("logpdf", "x", (x, b, loc, scale) => {
  const z = p.div(p.sub(x, loc), scale);
  const density = p.neg(p.add(p.log(p.div(scale, b)), p.mul(p.add(b, like(b, 1)), p.log(z))));
  return impossibleWhere(p.lt(x, p.add(loc, scale)), density);
});
/** The density, exp(logpdf). */
export const pdf: ParetoFunction = (...given) => p.exp(logpdf(...given));
/** The probability of values up to x. */
export const cdf = /* @__PURE__ */ tail("cdf", 0, (z, b) => p.sub(like(z, 1), p.pow(z, p.neg(b))));
/** log of the cdf. */
export const logcdf = /* @__PURE__ */ tail("logcdf", -Infinity, (z, b) => p.log1p(p.neg(p.pow(z, p.neg(b)))));
/** log(1 − cdf). */
export const logsf = /* @__PURE__ */ tail("logsf", 0, (z, b) => p.neg(p.mul(b, p.log(z))));
/** 1 − cdf. */
export const sf: ParetoFunction = (...given) => p.exp(logsf(...given));
/** Quantiles. */
export const ppf = /* @__PURE__ */ pareto("ppf", "q", (q, b, loc, scale) =>
  probabilityOnly(q, p.add(loc, p.mul(scale, p.pow(p.sub(like(q, 1), q), p.neg(p.div(like(b, 1), b)))))),
);
