import type { NDArray } from "../core/array.js";
import { atOnce } from "../core/at-once.js";
import { scalarOf } from "../core/literal.js";
import * as p from "../primitives/all.js";

const counted = /* @__PURE__ */ atOnce("indices", (i: NDArray, n: NDArray) => p.select(p.lt(i, 0), p.add(i, n), i));

/** Indices of an axis of length n, of which negative ones count from the end. */
export const fromEnd = (i: NDArray, n: number): NDArray =>
  i.dtype === "uint32" ? i : counted(i, scalarOf(n, { shape: [], dtype: i.dtype, weakType: false }));
