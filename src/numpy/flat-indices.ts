import type { NDArray } from "../core/array.js";
import { asShape, sizeOf, stridesOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType, isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import * as p from "../primitives/all.js";
import { divmod, remainder } from "./arithmetic.js";
import { clip } from "./logic.js";
import { broadcastOperands, convert, resultElementType } from "./promotion.js";
import { like, requireInteger } from "./ufunc.js";

/** Indices of flattened arrays, and the same as one index an axis. */

const unravelParams = /* @__PURE__ */ signature<{ indices: ArrayLike; shape: number | readonly number[] }>(
  "unravelIndex",
  2,
  ["indices", "shape"],
);
/**
 * For indices of a flattened array of a shape, their indices along each axis; what is out of bounds becomes the nearest corner.
 *
 * @example
 * np.unravelIndex(5, [2, 3]); // [1, 2]
 */
export function unravelIndex(indices: ArrayLike, shape: number | readonly number[]): NDArray[];
export function unravelIndex(): NDArray[] {
  const { indices, shape: given } = unravelParams(arguments);
  const shape = asShape(given, "unravelIndex");
  let rest = asArray(indices, "unravelIndex", "indices");
  requireInteger("unravelIndex", rest);
  const out: NDArray[] = [];
  for (const n of [...shape].reverse()) {
    const [quotient, i] = divmod(rest, n);
    out.unshift(i);
    rest = quotient;
  }
  const above = p.gt(rest, like(rest, 0));
  const below = rest.dtype === "uint32" ? undefined : p.lt(rest, like(rest, -1));
  return out.map((i, k) => {
    const inside = below === undefined ? i : p.select(below, like(i, 0), i);
    return p.select(above, like(i, shape[k]! - 1), inside);
  });
}

export type IndexOrder = "C" | "F";
export interface RavelMultiIndexOptions {
  /** What indices out of bounds do: throw, where values are known, wrap around, be clipped, or pass. */
  readonly mode?: "raise" | "wrap" | "clip" | "ignore" | undefined;
  readonly order?: IndexOrder | undefined;
  readonly dtype?: DType | null | undefined;
}
type RavelParams = RavelMultiIndexOptions & {
  readonly multiIndex: readonly ArrayLike[];
  readonly dims: readonly number[];
};
const ravelParams = /* @__PURE__ */ signature<RavelParams>(
  "ravelMultiIndex",
  2,
  ["multiIndex", "dims", "mode", "order"],
  { byName: ["dtype"] },
);
/**
 * Indices of the flattened array for indices along each axis. Mode "raise", the default, reads them: under jit choose another.
 *
 * @example
 * np.ravelMultiIndex([np.array([1], "int32"), np.array([2], "int32")], [2, 3]); // [5]
 */
export function ravelMultiIndex(
  multiIndex: readonly ArrayLike[],
  dims: readonly number[],
  mode?: RavelMultiIndexOptions["mode"] | RavelMultiIndexOptions,
  options?: RavelMultiIndexOptions,
): NDArray;
export function ravelMultiIndex(): NDArray {
  const { multiIndex, dims, mode = "raise", order = "C", dtype } = ravelParams(arguments);
  const shape = asShape(dims, "ravelMultiIndex");
  if (multiIndex.length !== shape.length) {
    throw new ArgumentError({
      code: "index-count",
      message: `ravelMultiIndex: ${multiIndex.length} index arrays for ${shape.length} axes`,
    });
  }
  const to = asDType(dtype ?? resultElementType("ravelMultiIndex", [0, ...multiIndex]).dtype);
  if (!isInteger(to))
    throw new DTypeError({ code: "integer-needed", message: `ravelMultiIndex takes and gives integers, not ${to}` });
  if (sizeOf(shape) - 1 > (to === "int32" ? 2147483647 : 4294967295)) {
    throw new ArgumentError({
      code: "index-range",
      message: `ravelMultiIndex: ${to} does not hold the indices of an array of shape [${shape.join(", ")}]`,
    });
  }
  const strides = order === "C" ? stridesOf(shape) : stridesOf([...shape].reverse()).reverse();
  let result: NDArray = p.full(0, { shape: [], dtype: to, weakType: false });
  multiIndex.forEach((given, k) => {
    const index = asArray(given, "ravelMultiIndex", `index ${k}`);
    requireInteger("ravelMultiIndex", index);
    const term = convert(bounded(index, shape[k]!, mode, k), to);
    const [sum, next] = broadcastOperands("ravelMultiIndex", [result, p.mul(term, like(term, strides[k]!))]);
    result = p.add(sum!, next!);
  });
  return result;
}

function bounded(index: NDArray, n: number, mode: NonNullable<RavelMultiIndexOptions["mode"]>, axis: number): NDArray {
  switch (mode) {
    case "clip":
      return clip(index, 0, n - 1);
    case "wrap":
      return remainder(index, n);
    case "ignore":
      return index;
    case "raise": {
      const values = valuesNow("ravelMultiIndex", index);
      if (values === undefined) {
        throw new ArgumentError({
          code: "index-traced",
          message: `ravelMultiIndex: mode "raise" must read index ${axis}, which is not known here`,
          details: [["index", index.describe()]],
          hint: 'use {mode: "wrap"}, "clip" or "ignore"',
        });
      }
      for (const i of values) {
        if (Number(i) >= 0 && Number(i) < n) continue;
        throw new ArgumentError({
          code: "index-range",
          message: `ravelMultiIndex: index ${i} is out of bounds for axis ${axis} of length ${n}`,
        });
      }
      return index;
    }
    default:
      throw new ArgumentError({
        code: "index-mode",
        message: `ravelMultiIndex: ${JSON.stringify(mode)} is not a mode`,
        hint: 'modes: "raise", "wrap", "clip", "ignore"',
      });
  }
}
