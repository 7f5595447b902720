import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlogy } from "../entropy.js";
import type { LocationOption } from "./bernoulli.js";
import { impossibleWhere, ofOperands } from "./distribution.js";

/** The distribution of the number of failures before the n-th success, each success of probability p. */

type Mass = (k: ArrayLike, n: ArrayLike, p: ArrayLike, loc?: ArrayLike | LocationOption) => NDArray;

/** log of the probability of k; −∞ where there is none. */
export const logpmf: Mass = /* @__PURE__ */ ofOperands<Mass>(
  "nbinom.logpmf",
  ["k", "n", "p", "loc"],
  [0],
  (k, n, q, loc) => {
    const one = like(k!, 1);
    const y = p.sub(k!, loc!);
    const ways = p.sub(p.sub(p.lgamma(p.add(y, n!)), p.lgamma(n!)), p.lgamma(p.add(y, one)));
    return impossibleWhere(p.lt(k!, loc!), p.add(ways, p.add(xlogy(n!, q!), xlogy(y, p.sub(one, q!)))));
  },
);
/** The probability of k, exp(logpmf). */
export const pmf: Mass = (...given) => p.exp(logpmf(...given));
