import type { NDArray } from "../../core/array.js";
import type { ArrayLike } from "../../core/literal.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlog1py, xlogy } from "../entropy.js";
import { betalnOf } from "../gamma.js";
import { impossibleWhere, type LocationScale, ofOperands } from "./distribution.js";

/** The beta distribution of shapes `a` and `b`, of values from `loc` to `loc + scale`. */

type Density = (
  x: ArrayLike,
  a: ArrayLike,
  b: ArrayLike,
  loc?: ArrayLike | LocationScale,
  scale?: ArrayLike | LocationScale,
) => NDArray;

/** log of the density; −∞ where there is none. */
export const logpdf: Density = /* @__PURE__ */ ofOperands<Density>(
  "beta.logpdf",
  ["x", "a", "b", "loc", "scale"],
  [0, 1],
  (x, a, b, loc, scale) => {
    const [zero, one] = [like(x!, 0), like(x!, 1)];
    const y = p.div(p.sub(x!, loc!), scale!);
    const linear = p.add(xlogy(p.sub(a!, one), y), xlog1py(p.sub(b!, one), p.neg(y)));
    const log = p.sub(p.sub(linear, betalnOf(a!, b!)), p.log(scale!));
    const value = impossibleWhere(p.or(p.gt(x!, p.add(loc!, scale!)), p.lt(x!, loc!)), log);
    const undefinedFor = p.or(p.or(p.le(a!, zero), p.le(b!, zero)), p.le(scale!, zero));
    return p.select(undefinedFor, like(x!, NaN), value);
  },
);
/** The density, exp(logpdf). */
export const pdf: Density = (...given) => p.exp(logpdf(...given));
