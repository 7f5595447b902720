import type { NDArray } from "../../core/array.js";
import { formatAval } from "../../core/aval.js";
import { signature } from "../../core/calling.js";
import { ShapeError } from "../../core/errors.js";
import type { ArrayLike } from "../../core/literal.js";
import { convertAll, inexactElementType, pairOf } from "../../numpy/promotion.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";
import { xlogy } from "../entropy.js";
import { impossibleWhere } from "./distribution.js";

/** The Dirichlet distribution of probabilities along the first axis, with concentrations `alpha`. */

type Density = (x: ArrayLike, alpha: ArrayLike) => NDArray;

const params = /* @__PURE__ */ signature<{ x: ArrayLike; alpha: ArrayLike }>("scipy.stats.dirichlet.logpdf", 2, [
  "x",
  "alpha",
]);
/** The last probability may be left out: it is what remains to 1. */
export function logpdf(x: ArrayLike, alpha: ArrayLike): NDArray;
export function logpdf(): NDArray {
  const { x: x0, alpha: alpha0 } = params(arguments);
  const type = inexactElementType("scipy.stats.dirichlet.logpdf", [x0, alpha0]);
  const [given, alpha] = pairOf(convertAll([x0, alpha0], type));
  const size = alpha.shape[0];
  const count = given.shape[0];
  if (alpha.ndim !== 1 || count === undefined || (count !== size && count !== size! - 1)) {
    throw new ShapeError({
      code: "dirichlet-shapes",
      message: "scipy.stats.dirichlet: x needs as many entries as the one-dimensional alpha has, or one less",
      details: [
        ["x", formatAval(given.aval)],
        ["alpha", formatAval(alpha.aval)],
      ],
      hint: "the probabilities lie along the first axis of x",
    });
  }
  const one = like(given, 1);
  const rest = (): NDArray => p.expandDims(p.sub(one, p.reduceSum(given, [0])), [0]);
  const x = count === size ? given : p.concatenate([given, rest()], 0);
  const normalizer = p.sub(p.reduceSum(p.lgamma(alpha), [0]), p.lgamma(p.reduceSum(alpha, [0])));
  const exponents = p.broadcastInDim(p.sub(alpha, one), x.shape, [0]);
  const log = p.sub(p.reduceSum(xlogy(exponents, x), [0]), normalizer);
  const excess = p.abs(p.sub(p.reduceSum(x, [0]), one));
  const negative = p.reduceMax(p.convertElementType(p.not(p.gt(x, like(x, 0))), "int32"), [0]);
  return impossibleWhere(p.or(p.gt(negative, 0), p.not(p.lt(excess, like(x, 1e-6)))), log);
}
/** The density, exp(logpdf). */
export const pdf: Density = (x, alpha) => p.exp(logpdf(x, alpha));
