import { ArgumentError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import { at, type Index, type IndexUpdate, slice, take, type TakeOptions } from "./indexing.js";
import { attach, attachMethods } from "./methods.js";

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
