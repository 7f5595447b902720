import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlogy } from "../entropy.js";
import { impossibleWhere, type LocationScale, ofOperands } from "./distribution.js";

/** The gamma distribution of shape `a`, of values from `loc` on. */

type Density = (
  x: ArrayLike,
  a: ArrayLike,
  loc?: ArrayLike | LocationScale,
  scale?: ArrayLike | LocationScale,
) => NDArray;

/** log of the density; −∞ where there is none. */
export const logpdf: Density = /* @__PURE__ */ ofOperands<Density>(
  "gamma.logpdf",
  ["x", "a", "loc", "scale"],
  [0, 1],
  (x, a, loc, scale) => {
    const one = like(x!, 1);
    const possible = p.ge(x!, loc!);
    const y = p.select(possible, p.div(p.sub(x!, loc!), scale!), one);
    const log = p.sub(p.sub(xlogy(p.sub(a!, one), y), y), p.add(p.lgamma(a!), p.log(scale!)));
    return impossibleWhere(p.not(possible), log);
  },
);
/** The density, exp(logpdf). */
export const pdf: Density = (...given) => p.exp(logpdf(...given));
