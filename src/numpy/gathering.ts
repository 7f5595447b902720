import type { NDArray } from "../core/array.js";
import { getEngine } from "../core/engine.js";
import * as p from "../primitives/all.js";

/** Elements by index along one axis: what library functions gather with. Indices are in bounds (or clamped). */

/** The slices of x at `indices` (of any shape) along an axis, whose place the axes of `indices` take. */
export function takeAlong(x: NDArray, indices: NDArray, axis: number): NDArray {
  const offsetDims = [...x.shape.keys()].filter((i) => i !== axis).map((i) => (i < axis ? i : i - 1 + indices.ndim));
  return p.gather(
    x,
    p.expandDims(indices, [indices.ndim]),
    { offsetDims, collapsedSliceDims: [axis], startIndexMap: [axis] },
    x.shape.map((d, i) => (i === axis ? 1 : d)),
    { mode: "clip" },
  );
}

/** For each position of the other axes, the element of x at its own index along an axis. All axes but `axis` have equal lengths. */
export function pickAlong(x: NDArray, indices: NDArray, axis: number): NDArray {
  const batch = [...x.shape.keys()].filter((i) => i !== axis);
  return p.gather(
    x,
    p.expandDims(indices, [indices.ndim]),
    {
      offsetDims: [],
      collapsedSliceDims: [axis],
      startIndexMap: [axis],
      operandBatchingDims: batch,
      startIndicesBatchingDims: batch,
    },
    x.shape.map(() => 1),
    { mode: "clip" },
  );
}

/** An int32 vector of indices that are known now. */
export const indexVector = (indices: readonly number[]): NDArray =>
  getEngine().fromHost({
    aval: { shape: [indices.length], dtype: "int32", weakType: false },
    data: Int32Array.from(indices),
  });
