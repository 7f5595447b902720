import { ArgumentError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import { at, type Index, type IndexUpdate, slice, take, type TakeOptions } from "./indexing.js";
import { attach, attachMethods } from "./methods.js";

/** Indexing as methods of arrays. */
declare module "../core/array.js" {
  interface NDArray {
    /**
     * The elements that an index selects, one entry an axis: numbers, ranges `[start, stop, step]` (`[]` is a whole axis), null
     * for a new axis, "..." for all axes that are not named, integer arrays. Negative numbers count from the end. Numbers that
     * are out of bounds throw; ranges are cut short as in Python, entries of arrays are clamped as in JAX, and have no
     * derivative then.
     * @throws ArgumentError `index-range`, `index-count`, `index-invalid`, DTypeError `index-dtype` (masks choose by `np.where`).
     * @example
     * const x = np.array([[1, 2, 3], [4, 5, 6]]);
     * x.slice(0); // [1, 2, 3]
     * x.slice([], [1, 3]); // [[2, 3], [5, 6]]
     * x.slice([null, null, -1], -1); // [6, 3]
     * x.slice(1, np.array([2, 0, 9], "int32")); // [6, 4, 6]
     */
    slice(...index: readonly Index[]): NDArray;
    /**
     * Updated copies, at an index as `slice` takes it or a boolean mask: `set`, `add`, `mul`, `min`, … Of several updates of one
     * element all count, of `set` the last. Entries of arrays that are out of bounds are dropped, unless `mode` is "clip".
     * @throws as slice; ShapeError `update-shape` where values do not broadcast to what is selected.
     * @example
     * const x = np.array([1, 2, 3]);
     * x.at(0).set(9); // [9, 2, 3]
     * x.at(np.array([0, 0, 7], "int32")).add(10); // [21, 2, 3]
     * x.at(x.greater(1)).mul(10); // [1, 20, 30]
     */
    at(...index: readonly Index[]): IndexUpdate;
    /** Elements at indices along an axis, or of the flattened array; see `np.take`. */
    take(indices: ArrayLike, axis?: number | null | TakeOptions, options?: TakeOptions): NDArray;
  }
}

attachMethods({ slice, at, take });

/**
 * JavaScript's brackets would find nothing, and what is put there would be lost: the numbers that people and loops begin with
 * say how elements are selected. (TypeScript refuses all of them; keys that `random.split` gave have entries of their own.)
 */
for (const i of [0, 1, 2, 3, -1]) {
  const refuse = (): never => {
    throw new ArgumentError({
      code: "index-brackets",
      message: `arrays are not indexed with brackets, as in x[${i}]`,
      hint: `x.slice(${i}) selects; x.at(${i}).set(v) gives an updated copy; x.js() gives nested lists`,
    });
  };
  attach(i, { get: refuse, set: refuse });
}
