import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlog1py, xlogy } from "../entropy.js";
import { impossibleWhere, ofOperands } from "./distribution.js";

/** The distribution of 0 and 1 in which 1 has the probability p. */

export interface LocationOption {
  readonly loc?: ArrayLike | undefined;
}
type Mass = (k: ArrayLike, p: ArrayLike, loc?: ArrayLike | LocationOption) => NDArray;
type OfProbability = (k: ArrayLike, p: ArrayLike) => NDArray;

const outside = (x: NDArray): NDArray => p.or(p.lt(x, like(x, 0)), p.gt(x, like(x, 1)));
const invalid = (...xs: readonly NDArray[]): NDArray =>
  xs.map((x) => p.or(p.ne(x, x), outside(x))).reduce((a, b) => p.or(a, b));

/** log of the probability of k; −∞ where there is none. */
export const logpmf: Mass = /* @__PURE__ */ ofOperands<Mass>(
  "bernoulli.logpmf",
  ["k", "p", "loc"],
  [0],
  (k, q, loc) => {
    const x = p.sub(k!, loc!);
    return impossibleWhere(outside(x), p.add(xlogy(x, q!), xlog1py(p.sub(like(x, 1), x), p.neg(q!))));
  },
);
/** The probability of k, exp(logpmf). */
export const pmf: Mass = (...given) => p.exp(logpmf(...given));
/** The probability of values up to x. */
export const cdf: OfProbability = /* @__PURE__ */ ofOperands<OfProbability>("bernoulli.cdf", ["k", "p"], [], (k, q) => {
  const one = like(k!, 1);
  const value = p.select(p.lt(k!, like(k!, 0)), like(k!, 0), p.select(p.lt(k!, one), p.sub(one, q!), one));
  return p.select(p.or(p.ne(k!, k!), invalid(q!)), like(k!, NaN), value);
});
/** Quantiles. */
export const ppf: OfProbability = /* @__PURE__ */ ofOperands<OfProbability>(
  "bernoulli.ppf",
  ["q", "p"],
  [],
  (q, success) => {
    const one = like(q!, 1);
    const value = p.select(p.le(q!, p.sub(one, success!)), like(q!, 0), one);
    return p.select(invalid(q!, success!), like(q!, NaN), value);
  },
);
