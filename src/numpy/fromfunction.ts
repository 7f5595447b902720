import type { NDArray } from "../core/array.js";
import { asShape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType } from "../core/dtype.js";
import * as p from "../primitives/all.js";
import { requireFunction } from "../transforms/arguments.js";
import { vmap } from "../transforms/vmap.js";

type ElementFunction = (...indices: NDArray[]) => NDArray;
const params = /* @__PURE__ */ signature<{
  function: ElementFunction;
  shape: number | readonly number[];
  dtype?: DType | null;
}>("fromfunction", 2, ["function", "shape"], {
  byName: ["dtype"],
});
/**
 * The array whose element at an index is the function of that index. The function is mapped over the indices: it sees
 * scalars, floats unless `dtype` says otherwise.
 *
 * @throws ArgumentError `not-a-function`; ShapeError `shape-invalid`.
 * @example
 * np.fromfunction((i, j) => i.mul(10).add(j), [2, 3]); // [[0, 1, 2], [10, 11, 12]]
 */
export function fromfunction(
  f: ElementFunction,
  shape: number | readonly number[],
  options?: { readonly dtype?: DType | null },
): NDArray;
export function fromfunction(): NDArray {
  const { function: f, shape, dtype } = params(arguments);
  requireFunction(f, "fromfunction");
  const lengths = asShape(shape, "fromfunction");
  const indices = lengths.map((n) => p.iota(asDType(dtype ?? defaultFloat()), [n], 0));
  let mapped = f;
  for (let axis = lengths.length - 1; axis >= 0; axis--) {
    const inner = mapped;
    const inAxes = lengths.map((_, i) => (i === axis ? 0 : null));
    mapped = (...xs) => (vmap(inner as (...args: NDArray[]) => NDArray, { inAxes }) as ElementFunction)(...xs);
  }
  return mapped(...indices);
}
