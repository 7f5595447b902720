import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlog1py } from "../entropy.js";
import type { LocationOption } from "./bernoulli.js";
import { impossibleWhere, ofOperands } from "./distribution.js";

/** The distribution of the number of trials up to the first success, which has the probability p each time. */

type Mass = (k: ArrayLike, p: ArrayLike, loc?: ArrayLike | LocationOption) => NDArray;

/** log of the probability of k; −∞ where there is none. */
export const logpmf: Mass = /* @__PURE__ */ ofOperands<Mass>("geom.logpmf", ["k", "p", "loc"], [0], (k, q, loc) => {
  const x = p.sub(k!, loc!);
  return impossibleWhere(p.le(x, like(x, 0)), p.add(xlog1py(p.sub(x, like(x, 1)), p.neg(q!)), p.log(q!)));
});
/** The probability of k, exp(logpmf). */
export const pmf: Mass = (...given) => p.exp(logpmf(...given));
