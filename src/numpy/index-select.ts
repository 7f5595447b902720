import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import * as p from "../primitives/all.js";
import { type IndexPlan, movesBox, selectedShape, selectStatic, staysInBounds, windowPlan } from "./index-plan.js";

/** What an index array that points outside of the array does. */
export type OutOfBounds = "fill" | "drop" | "clip" | "wrap" | "promiseInBounds" | "promise_in_bounds";

/** A mode as gather and scatter have it. @throws ArgumentError `index-mode`. */
export function primitiveMode(mode: OutOfBounds, op: string): p.IndexMode {
  if (mode === "drop" || mode === "fill") return "fill";
  if (mode === "clip" || mode === "promiseInBounds") return mode;
  if (mode === "promise_in_bounds") return "promiseInBounds";
  throw new ArgumentError({
    code: "index-mode",
    message: `${op}: ${JSON.stringify(mode)} is not a mode`,
    hint: `modes: "fill", "drop", "clip", "promiseInBounds"`,
  });
}

export interface Selection {
  readonly mode: p.IndexMode;
  readonly fillValue?: number | undefined;
  readonly uniqueIndices?: boolean | undefined;
  /** Negative numbers and entries of arrays count from the end (the default). */
  readonly wrap?: boolean | undefined;
}

/** What an index selects. */
export const selectWith = (x: NDArray, plan: IndexPlan, how: Selection): NDArray =>
  plan.block === undefined && staysInBounds(plan, how.wrap ?? true)
    ? selectStatic(x, plan)
    : selectByArrays(x, plan, how.mode === "promiseInBounds" && movesBox(plan) ? { ...how, mode: "clip" } : how);

/** What an index that holds arrays selects. */
export function selectByArrays(
  x: NDArray,
  plan: IndexPlan,
  { mode, fillValue, uniqueIndices, wrap = true }: Selection,
): NDArray {
  const { indices, indexed, dropped, windows, sizes } = windowPlan(plan, wrap);
  const dnums = { offsetDims: windows, collapsedSliceDims: dropped, startIndexMap: indexed };
  const picked = p.gather(x, indices, dnums, sizes, { mode, fillValue, uniqueIndices });
  return p.reshape(picked, selectedShape(plan));
}
