import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { ShapeError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { absolute, add, divide, mod, multiply, subtract } from "./arithmetic.js";
import { takeAlong } from "./gathering.js";
import { concatenate } from "./joining.js";
import { clip, greater, less, where } from "./logic.js";
import { inexactElementType, convert, convertAll, inexact, pairOf } from "./promotion.js";
import { like } from "./ufunc.js";

export interface InterpOptions {
  /** The value to the left of the first point (its own by default), or "extrapolate". */
  readonly left?: ArrayLike | "extrapolate" | null | undefined;
  readonly right?: ArrayLike | "extrapolate" | null | undefined;
  /** Coordinates are taken modulo this. */
  readonly period?: ArrayLike | null | undefined;
}
const interpParams = /* @__PURE__ */ signature<InterpOptions & { x: ArrayLike; xp: ArrayLike; fp: ArrayLike }>(
  "interp",
  3,
  ["x", "xp", "fp", "left", "right", "period"],
);
/**
 * Piecewise linear interpolation of points (xp, fp), of which xp increases. Beyond the ends it is constant, unless `left`
 * and `right` say otherwise. At a point the derivative is the slope to the right of it.
 *
 * @throws ShapeError `interp-points`.
 * @example
 * np.interp(np.array([-1, 0.5, 3]), np.array([0, 1, 2]), np.array([0, 10, 20])); // [0, 5, 20]
 */
export function interp(x: ArrayLike, xp: ArrayLike, fp: ArrayLike, options?: InterpOptions): NDArray;
export function interp(): NDArray {
  const given = interpParams(arguments);
  const t = inexactElementType("interp", [given.x, given.xp]);
  let [x, xp] = pairOf(convertAll([given.x, given.xp], t));
  let fp = inexact("interp", given.fp);
  if (xp.ndim !== 1 || fp.ndim !== 1 || xp.size !== fp.size || xp.size === 0) {
    throw new ShapeError({
      code: "interp-points",
      message: "interp: xp and fp must be vectors of one length, at least 1",
      details: [
        ["xp", xp.describe()],
        ["fp", fp.describe()],
      ],
    });
  }
  const { left, right, period } = given;
  const periodic = period !== undefined && period !== null;
  if (periodic) ({ x, xp, fp } = unroll(x, xp, fp, period));
  const value = interpolate(x, xp, fp);
  if (periodic) return value;
  const end = (v: NDArray, i: number): NDArray => p.squeeze(p.slice(v, [i], [i + 1]), [0]);
  const last = xp.size - 1;
  let result = value;
  if (left !== "extrapolate") result = where(less(x, end(xp, 0)), left ?? end(fp, 0), result);
  if (right !== "extrapolate") result = where(greater(x, end(xp, last)), right ?? end(fp, last), result);
  return result;
}

/** One period of points in order, with a neighbour on each side. */
function unroll(x: NDArray, xp: NDArray, fp: NDArray, period: ArrayLike): { x: NDArray; xp: NDArray; fp: NDArray } {
  const length = absolute(period);
  const [sortedX, sortedF] = p.sort([mod(xp, length), fp], 0, 1) as [NDArray, NDArray];
  const n = xp.size;
  const [first, final] = [(v: NDArray) => p.slice(v, [0], [1]), (v: NDArray) => p.slice(v, [n - 1], [n])];
  return {
    x: mod(x, length),
    xp: concatenate([subtract(final(sortedX), length), sortedX, add(first(sortedX), length)]),
    fp: concatenate([final(sortedF), sortedF, first(sortedF)]),
  };
}

function interpolate(x: NDArray, xp: NDArray, fp: NDArray): NDArray {
  const n = xp.size;
  // The first point to the right of x: as many points are not above x. All of them are for NaN, which is sorted last.
  const above = p.gt(
    p.broadcastInDim(xp, [...x.shape, n], [x.ndim]),
    p.broadcastInDim(x, [...x.shape, n], [...x.shape.keys()]),
  );
  const right = clip(p.reduceSum(convert(p.not(above), "int32"), [x.ndim]), 1, n - 1);
  const before = subtract(right, 1);
  const at = (v: NDArray, i: NDArray): NDArray => takeAlong(v, i, 0);
  const start = at(xp, before);
  const dx = p.sub(at(xp, right), start);
  const delta = p.sub(x, start);
  const epsilon = xp.dtype === "float64" ? 4.930380657631324e-32 : 1.4210854715202004e-14;
  // Points that coincide: no slope, and no NaN in derivatives.
  const flat = p.le(p.abs(dx), like(dx, epsilon));
  const [f0, f1] = [at(fp, before), at(fp, right)];
  const slope = divide(delta, where(flat, 1, dx));
  return where(flat, f0, add(f0, multiply(slope, p.sub(f1, f0))));
}
