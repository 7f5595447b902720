import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { impossibleWhere, type FreedomDensity, ofOperands } from "./distribution.js";

/** The distribution of the sum of squares of `df` normal variables. */

export const logpdf: FreedomDensity = /* @__PURE__ */ ofOperands<FreedomDensity>(
  "chi2.logpdf",
  ["x", "df", "loc", "scale"],
  [0, 1],
  (x, df, loc, scale) => {
    const half = like(x!, 0.5);
    const y = p.div(p.sub(x!, loc!), scale!);
    const shape = p.mul(df!, half);
    const kernel = p.sub(p.mul(p.sub(shape, like(x!, 1)), p.log(y)), p.mul(y, half));
    const normalizer = p.add(p.lgamma(shape), p.mul(shape, like(x!, Math.LN2)));
    return impossibleWhere(p.lt(x!, loc!), p.sub(p.sub(kernel, normalizer), p.log(scale!)));
  },
);
/** The density, exp(logpdf). */
export const pdf: FreedomDensity = (...given) => p.exp(logpdf(...given));
