import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlogy } from "../entropy.js";
import type { LocationOption } from "./bernoulli.js";
import { impossibleWhere, ofOperands } from "./distribution.js";

/** The distribution of the number of events of which `mu` are expected. */

type Mass = (k: ArrayLike, mu: ArrayLike, loc?: ArrayLike | LocationOption) => NDArray;

/**
 * The logarithm of the probability of k events.
 *
 * @example
 * scipy.stats.poisson.logpmf(np.array([0, 2, 5]), 1.5); // [-1.5, -1.3822169, -4.2601647]
 */
export const logpmf: Mass = /* @__PURE__ */ ofOperands<Mass>(
  "poisson.logpmf",
  ["k", "mu", "loc"],
  [0],
  (k, mu, loc) => {
    const x = p.sub(k!, loc!);
    const log = p.sub(p.sub(xlogy(x, mu!), p.lgamma(p.add(x, like(x, 1)))), mu!);
    return impossibleWhere(p.or(p.lt(x, like(x, 0)), p.ne(p.round(k!, "toNearestEven"), k!)), log);
  },
);
/** The probability of k, exp(logpmf). */
export const pmf: Mass = (...given) => p.exp(logpmf(...given));
