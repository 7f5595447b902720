import type { NDArray } from "../core/array.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import { whileLoop } from "../lax/loops.js";
import * as p from "../primitives/all.js";
import { vmap } from "../transforms/vmap.js";
import { convert, resultElementType } from "./promotion.js";

/** Users' functions applied to the elements that an index selects. */

/** A function of one element: a scalar of the array's dtype, which it gives back. */
export type ElementFunction = (x: NDArray) => ArrayLike;

/** `f` of every element of an array. @throws ArgumentError `not-a-function`; ShapeError, DTypeError `apply-result`. */
export function mapElements(op: string, f: unknown, x: NDArray): NDArray {
  if (typeof f !== "function") {
    throw new ArgumentError({
      code: "not-a-function",
      message: `${op} takes a function of one element, not ${describeValue(f)}`,
      hint: `for example ${op}((v) => v.mul(2))`,
    });
  }
  const element = (v: NDArray): NDArray => ofElement(op, (f as (v: NDArray) => unknown)(v), v);
  return x.ndim === 0 ? element(x) : p.reshape(vmap(element)(p.reshape(x, [x.size])), x.shape);
}

/** A result of a user's function as an element of `x`. */
function ofElement(op: string, result: unknown, x: NDArray): NDArray {
  const y = asArray(result, op, "the function's result");
  const details = [
    ["element", x.describe()],
    ["result", y.describe()],
  ] as const;
  if (y.ndim !== 0) {
    throw new ShapeError({
      code: "apply-result",
      message: `${op}: the function takes one element and gives one back, a scalar`,
      details,
    });
  }
  const fits = y.dtype === x.dtype || (y.weakType && resultElementType(op, [x, y]).dtype === x.dtype);
  if (!fits) {
    throw new DTypeError({
      code: "apply-result",
      message: `${op}: the function must keep the array's dtype`,
      details,
      hint: `convert its result with .astype("${x.dtype}")`,
    });
  }
  return convert(y, x.dtype, x.weakType);
}

/** Applies a function to each element as many times as `counts` says. */
export function applyTimes(op: string, f: unknown, x: NDArray, counts: NDArray): NDArray {
  const most = counts.ndim === 0 ? counts : p.reduceMax(counts, [...counts.shape.keys()]);
  const [, result] = whileLoop(
    ([k]) => p.lt(k, most),
    ([k, y]): [NDArray, NDArray] => [p.add(k, 1), p.select(p.gt(counts, k), mapElements(op, f, y), y)],
    [p.full(0, { shape: [], dtype: "int32", weakType: false }), x] as [NDArray, NDArray],
  );
  return result;
}
