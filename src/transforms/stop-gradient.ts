import { NDArray } from "../core/array.js";
import type { In } from "../core/types.js";
import { flatten, unflatten } from "../core/tree.js";
import { isFloat } from "../core/dtype.js";
import { stopGradient as stopArray } from "../primitives/all.js";

/**
 * The same values, whose derivative is zero. Takes any pytree; what is no float array is passed on.
 * @example
 * const g = grad((x) => x.mul(stopGradient(x)))(3); // 3, not 6
 */
export function stopGradient<T>(tree: In<T>): T {
  const [leaves, def] = flatten(tree);
  return unflatten(
    def,
    leaves.map((x) => (x instanceof NDArray && isFloat(x.dtype) ? stopArray(x) : x)),
  ) as T;
}
