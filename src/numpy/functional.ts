import { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { requireFunction } from "../transforms/arguments.js";
import { vmap } from "../transforms/vmap.js";
import { broadcastToShape } from "./broadcasting.js";
import { truth } from "./logic.js";
import { convert, convertOne } from "./promotion.js";
import { expandDims } from "./shape.js";
import { vectorize } from "./vectorize.js";

/** Users' functions applied along axes, or where conditions hold. */

type Vmapped = (x: NDArray) => unknown;

/**
 * A function of a vector applied to every vector along an axis; what it returns takes the place of that axis. Further
 * arguments are handed to it as they are.
 *
 * @throws ArgumentError `not-a-function`, `axis-range`.
 * @example
 * np.applyAlongAxis((row) => np.sort(row), 1, np.array([[3, 1], [2, 4]])); // [[1, 3], [2, 4]]
 */
export function applyAlongAxis<R, A extends readonly unknown[]>(
  func1d: (x: NDArray, ...args: A) => R,
  axis: number,
  arr: ArrayLike,
  ...args: A
): R {
  requireFunction(func1d, "applyAlongAxis");
  const x = asArray(arr, "applyAlongAxis", "arr");
  const k = normalizeAxis(axis, x.ndim, "applyAlongAxis");
  let f: Vmapped = (v) => func1d(v, ...args);
  for (let i = 1; i < x.ndim - k; i++) f = vmap(f, { inAxes: i, outAxes: -1 });
  for (let i = 0; i < k; i++) f = vmap(f);
  return f(x) as R;
}

/**
 * A function of an array and an axis, such as a sum, applied over axes one after the other; the axes stay.
 *
 * @throws ArgumentError `not-a-function`; ShapeError `rank`.
 * @example
 * np.applyOverAxes(np.sum, np.ones([2, 3]), [0, 1]); // [[6]]
 */
export function applyOverAxes(
  func: (x: NDArray, axis: number) => NDArray,
  a: ArrayLike,
  axes: readonly number[],
): NDArray {
  requireFunction(func, "applyOverAxes");
  let x = asArray(a, "applyOverAxes", "a");
  for (const axis of axes) {
    const y = func(x, axis);
    if (y.ndim !== x.ndim && y.ndim !== x.ndim - 1) {
      throw new ShapeError({
        code: "rank",
        message: "applyOverAxes: the function must keep the number of axes or reduce it by one",
        details: [
          ["before", x.describe()],
          ["after", y.describe()],
        ],
      });
    }
    x = y.ndim === x.ndim ? y : expandDims(y, axis);
  }
  return x;
}

/** A constant, or a function of an element. */
export type Piece<A extends readonly unknown[] = readonly never[]> =
  ArrayLike | ((x: NDArray, ...args: A) => ArrayLike);

/**
 * Elements of x put through the function of the last condition that holds for them; through a further one, or 0, if none
 * does. Functions whose condition does not hold get no derivative there. The result has the dtype of x.
 *
 * @example
 * const x = np.array([-2, 3]);
 * np.piecewise(x, [x.less(0), x.greaterEqual(0)], [(v) => v.neg(), (v) => v.mul(10)]);  // [2, 30]
 */
export function piecewise<A extends readonly unknown[]>(
  x: ArrayLike,
  condlist: readonly ArrayLike[] | NDArray,
  funclist: readonly Piece<A>[],
  ...args: A
): NDArray {
  const a = asArray(x, "piecewise", "x");
  const conditions = condlist instanceof NDArray ? parts(condlist) : condlist;
  if (funclist.length !== conditions.length && funclist.length !== conditions.length + 1) {
    throw new ArgumentError({
      code: "piecewise-lengths",
      message: `piecewise: with ${conditions.length} conditions come ${conditions.length} or ${conditions.length + 1} functions, not ${funclist.length}`,
    });
  }
  const full = (y: NDArray): NDArray => broadcastToShape("piecewise", y, a.shape);
  const masks = conditions.map((c) => full(truth(asArray(c, "piecewise", "a condition"))));
  // From the last condition on: where it is the one that counts.
  let free: NDArray | undefined;
  const chosen = new Array<NDArray>(masks.length);
  for (let i = masks.length - 1; i >= 0; i--) {
    const mask = masks[i]!;
    chosen[i] = free === undefined ? mask : p.and(mask, free);
    free = free === undefined ? p.not(mask) : p.and(free, p.not(mask));
  }
  // As under a vmapped switch, a function that is not chosen sees the element as a constant: no NaN of its derivative leaks.
  const value = (piece: Piece<A>, where: NDArray | undefined): NDArray => {
    if (typeof piece !== "function") return full(convertOne(piece, a.dtype, false));
    const f = vectorize((v: NDArray) => asArray(piece(v, ...args), "piecewise", "a result"));
    return full(convert(f(where === undefined ? a : p.select(where, a, p.stopGradient(a))), a.dtype));
  };
  let result = value(funclist.length > conditions.length ? funclist.at(-1)! : 0, free);
  chosen.forEach((where, i) => {
    result = p.select(where, value(funclist[i]!, where), result);
  });
  return result;
}

function parts(x: NDArray): NDArray[] {
  if (x.ndim === 0)
    throw new ShapeError({
      code: "rank",
      message: "piecewise takes a list of conditions",
      details: [["condlist", x.describe()]],
    });
  return p.split(x, new Array<number>(x.shape[0]!).fill(1), 0).map((part) => p.squeeze(part, [0]));
}
