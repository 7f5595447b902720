import type { NDArray } from "../core/array.js";
import { broadcastShapes } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ShapeError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { convertAll, expandTo, pairOf, resultElementType } from "./promotion.js";
import { like } from "./ufunc.js";

/** Polynomials as vectors of coefficients, the highest power first. */

const polyvalParams = /* @__PURE__ */ signature<{ p: ArrayLike; x: ArrayLike; unroll?: number }>(
  "polyval",
  2,
  ["p", "x"],
  { byName: ["unroll"] },
);
/**
 * The value at x of the polynomial whose coefficients, highest power first, run along the first axis of `p`, by Horner's rule.
 *
 * @example
 * np.polyval(np.array([1, 0, 2]), 3); // 11
 */
export function polyval(coefficients: ArrayLike, x: ArrayLike, options?: { readonly unroll?: number }): NDArray;
export function polyval(): NDArray {
  const given = polyvalParams(arguments);
  const type = resultElementType("polyval", [given.p, given.x]);
  const [c, x] = pairOf(convertAll([given.p, given.x], type.dtype === "bool" ? { dtype: "int32", weak: false } : type));
  if (c.ndim === 0)
    throw new ShapeError({
      code: "rank",
      message: "polyval: coefficients are a vector at least",
      details: [["p", c.describe()]],
    });
  const shape = broadcastShapes([c.shape.slice(1), x.shape], "polyval");
  const at = expandTo(x, shape);
  let y: NDArray = expandTo(like(x, 0), shape);
  if (c.shape[0] === 0) return y;
  for (const term of p.split(c, new Array<number>(c.shape[0]!).fill(1), 0))
    y = p.add(p.mul(y, at), expandTo(p.squeeze(term, [0]), shape));
  return y;
}
