import type { ArrayLike } from "../core/literal.js";
import { at, type Index, type IndexUpdate, slice, take, type TakeOptions } from "./indexing.js";
import { attachMethods } from "./methods.js";

/** Indexing as methods of arrays. */
declare module "../core/array.js" {
  interface NDArray {
    /**
     * The elements that an index selects: numbers, ranges `[start, stop, step]` (`[]` is a whole axis), null for a new axis,
     * integer arrays. `x.slice(0)` is the first row, `x.slice([], [1, 3])` two columns.
     */
    slice(...index: readonly Index[]): NDArray;
    /** Updated copies: `x.at(0).set(v)`, `x.at([], 1).add(v)`. */
    at(...index: readonly Index[]): IndexUpdate;
    take(indices: ArrayLike, axis?: number | null | TakeOptions, options?: TakeOptions): NDArray;
  }
}

attachMethods({ slice, at, take });
