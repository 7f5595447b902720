import type { NDArray } from "../core/array.js";
import { asShape, broadcastShapes as broadcastShapesOf, type Shape } from "../core/aval.js";
import { signature, variadic } from "../core/calling.js";
import { ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { expandTo } from "./promotion.js";

/** Broadcasting, asked for by name. */

/** Broadcasts an array to a shape, which must be what broadcasting gives. */
export function broadcastToShape(op: string, x: NDArray, shape: Shape): NDArray {
  const offset = shape.length - x.ndim;
  if (offset < 0 || x.shape.some((d, i) => d !== 1 && d !== shape[i + offset])) {
    throw new ShapeError({
      code: "shape-broadcast",
      message: `${op}: an array of shape [${x.shape.join(",")}] does not broadcast to [${shape.join(",")}]`,
      details: [["array", x.describe()]],
      hint: "trailing axes must be equal, or 1 in the array",
    });
  }
  return expandTo(x, shape);
}

const broadcastToParams = /* @__PURE__ */ signature<{ array: ArrayLike; shape: number | readonly number[] }>(
  "broadcastTo",
  2,
  ["array", "shape"],
);
/**
 * The array repeated to fill a shape, without copying; the derivative sums over what was repeated.
 *
 * @throws ShapeError `shape-broadcast`, `shape-invalid`.
 * @example
 * np.broadcastTo(np.array([1, 2]), [2, 2]); // [[1, 2], [1, 2]]
 */
export function broadcastTo(array: ArrayLike, shape: number | readonly number[]): NDArray;
export function broadcastTo(): NDArray {
  const { array, shape } = broadcastToParams(arguments);
  return broadcastToShape("broadcastTo", asArray(array, "broadcastTo", "array"), asShape(shape, "broadcastTo"));
}

const broadcastArraysParams = /* @__PURE__ */ variadic("broadcastArrays", []);
/**
 * Arrays broadcast to one shape.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * const [a, b] = np.broadcastArrays(np.ones([2, 1]), np.ones([3]));
 * [a.shape, b.shape]; // [[2, 3], [2, 3]]
 */
export function broadcastArrays(...arrays: readonly ArrayLike[]): NDArray[];
export function broadcastArrays(): NDArray[] {
  const [values] = broadcastArraysParams(arguments);
  const arrays = values.map((x) => asArray(x, "broadcastArrays"));
  const shape = broadcastShapesOf(
    arrays.map((x) => x.shape),
    "broadcastArrays",
  );
  return arrays.map((x) => expandTo(x, shape));
}

const broadcastShapesParams = /* @__PURE__ */ variadic("broadcastShapes", []);
/**
 * The shape that arrays of these shapes broadcast to.
 *
 * @throws ShapeError `shape-broadcast`, `shape-invalid`.
 * @example
 * np.broadcastShapes([2, 1], [3]); // [2, 3]
 */
export function broadcastShapes(...shapes: readonly (number | readonly number[])[]): number[];
export function broadcastShapes(): number[] {
  const [values] = broadcastShapesParams(arguments);
  return broadcastShapesOf(
    values.map((s) => asShape(s as number | readonly number[], "broadcastShapes")),
    "broadcastShapes",
  );
}
