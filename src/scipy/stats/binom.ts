import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlog1py, xlogy } from "../entropy.js";
import type { LocationOption } from "./bernoulli.js";
import { impossibleWhere, ofOperands } from "./distribution.js";

/** The distribution of the number of successes in n trials, each of probability p. */

type Mass = (k: ArrayLike, n: ArrayLike, p: ArrayLike, loc?: ArrayLike | LocationOption) => NDArray;

/** log of the probability of k; −∞ where there is none. */
export const logpmf: Mass = /* @__PURE__ */ ofOperands<Mass>(
  "binom.logpmf",
  ["k", "n", "p", "loc"],
  [0],
  (k, n, q, loc) => {
    const [zero, one] = [like(k!, 0), like(k!, 1)];
    const y = p.sub(k!, loc!);
    const failures = p.sub(n!, y);
    const ways = p.sub(p.lgamma(p.add(n!, one)), p.add(p.lgamma(p.add(y, one)), p.lgamma(p.add(failures, one))));
    const linear = p.add(xlogy(y, q!), xlog1py(failures, p.neg(q!)));
    const certain = p.or(p.and(p.eq(y, zero), p.eq(n!, zero)), p.eq(linear, zero));
    const possible = p.and(p.ge(k!, loc!), p.lt(k!, p.add(p.add(loc!, n!), one)));
    return impossibleWhere(p.not(possible), p.select(certain, zero, p.add(ways, linear)));
  },
);
/** The probability of k, exp(logpmf). */
export const pmf: Mass = (...given) => p.exp(logpmf(...given));
