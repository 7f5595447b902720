import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { type FreedomDensity, ofOperands } from "./distribution.js";

/** Student's distribution with `df` degrees of freedom. */

export const logpdf: FreedomDensity = /* @__PURE__ */ ofOperands<FreedomDensity>(
  "t.logpdf",
  ["x", "df", "loc", "scale"],
  [0, 1],
  (x, df, loc, scale) => {
    const half = like(x!, 0.5);
    const y = p.div(p.sub(x!, loc!), scale!);
    const shape = p.mul(df!, half);
    const next = p.add(shape, half);
    const spread = p.mul(p.log(p.mul(p.mul(p.square(scale!), like(x!, Math.PI)), df!)), half);
    const normalizer = p.sub(p.add(p.lgamma(shape), spread), p.lgamma(next));
    return p.neg(p.add(normalizer, p.mul(next, p.log1p(p.div(p.square(y), df!)))));
  },
);
/** The density, exp(logpdf). */
export const pdf: FreedomDensity = (...given) => p.exp(logpdf(...given));
