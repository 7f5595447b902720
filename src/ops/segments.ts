import type { NDArray } from "../core/array.js";
import { type ReadArguments, signature } from "../core/calling.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import { primitiveMode } from "../numpy/index-select.js";
import { convert, expandTo } from "../numpy/promotion.js";
import { extreme } from "../numpy/reductions.js";
import { requireInteger } from "../numpy/ufunc.js";
import * as p from "../primitives/all.js";

export interface SegmentOptions {
  /** How many segments there are; by default one more than the largest id, which must be known then. */
  readonly numSegments?: number | null | undefined;
  /** Hints of no consequence here. */
  readonly indicesAreSorted?: boolean | undefined;
  readonly bucketSize?: number | null | undefined;
  /** What ids do that are out of bounds: they do not count ("drop", "fill", the default), or move to the nearest segment ("clip"). */
  readonly mode?: "drop" | "fill" | "clip" | "promiseInBounds" | null | undefined;
  /** A promise that no id occurs twice. */
  readonly uniqueIndices?: boolean | undefined;
}
interface SegmentParams extends SegmentOptions {
  readonly data: ArrayLike;
  readonly segmentIds: ArrayLike;
}

/** Reduces the rows of `data`, which run along its first axis, that have one id in `segmentIds`. */
type SegmentReduction = (
  data: ArrayLike,
  segmentIds: ArrayLike,
  numSegments?: number | null | SegmentOptions,
  options?: SegmentOptions,
) => NDArray;

function segmentReduction(
  name: string,
  scatter: typeof p.scatterAdd,
  identity: (dtype: DType) => number,
  ofBooleans = false,
): SegmentReduction {
  const op = `ops.${name}`;
  const params: ReadArguments<SegmentParams> = signature(op, 2, [
    "data",
    "segmentIds",
    "numSegments",
    "indicesAreSorted",
    "uniqueIndices",
    "bucketSize",
    "mode",
  ]);
  return (...given) => {
    const { data, segmentIds, numSegments = null, uniqueIndices = false, mode } = params(given);
    const [x, ids] = [asArray(data, op, "data"), asArray(segmentIds, op, "segmentIds")];
    requireInteger(op, ids);
    if (x.dtype === "bool" && !ofBooleans) {
      throw new DTypeError({
        code: "number-needed",
        message: `${op} takes numbers, not booleans`,
        details: [["data", x.describe()]],
        hint: 'convert with .astype("int32"), or ask for any and all with segmentMax and segmentMin',
      });
    }
    const rest = x.shape.slice(1);
    const updates = [...ids.shape, ...rest];
    const offset = updates.length - x.ndim;
    if (ids.ndim === 0 || x.shape.some((n, i) => n !== 1 && n !== updates[i + offset])) {
      throw new ShapeError({
        code: "segment-shape",
        message: `${op}: segmentIds must have an id for each row of data`,
        details: [
          ["data", x.describe()],
          ["segmentIds", ids.describe()],
        ],
        hint: "rows run along the first axis; ids of more axes need data that broadcasts to [ids, row]",
      });
    }
    // Booleans are combined as integers: "any" is the largest, "all" the least.
    const dtype = x.dtype === "bool" ? "int32" : x.dtype;
    const start = x.dtype === "bool" ? Math.max(0, Math.min(1, identity(dtype))) : identity(dtype);
    const count = segmentCount(op, ids, numSegments);
    const out = p.full(start, { shape: [count, ...rest], dtype, weakType: false });
    const outOfBounds = primitiveMode(mode ?? "drop", op);
    if (count === 0) return convert(out, x.dtype);
    const result = scatter(
      out,
      p.expandDims(ids, [ids.ndim]),
      expandTo(convert(x, dtype), updates),
      { updateWindowDims: rest.map((_, i) => i + ids.ndim), insertedWindowDims: [0], scatterDimsToOperandDims: [0] },
      { mode: outOfBounds, uniqueIndices },
    );
    return convert(result, x.dtype);
  };
}

function segmentCount(op: string, ids: NDArray, given: number | null): number {
  if (given !== null) {
    if (Number.isInteger(given) && given >= 0) return given;
    throw new ArgumentError({
      code: "count",
      message: `${op}: numSegments must be a whole number that is not negative, not ${String(given)}`,
    });
  }
  const values = valuesNow(op, ids);
  if (values === undefined) {
    throw new ArgumentError({
      code: "length-needed",
      message: `${op}: how many segments there are depends on values that are not known here`,
      details: [["segmentIds", ids.describe()]],
      hint: "give {numSegments}",
    });
  }
  let largest = -1;
  for (const id of values) largest = Math.max(largest, Number(id));
  return largest + 1;
}

/**
 * The sums of the rows that have one id: `data: [n *row]` and `segmentIds: int[n]` give `[numSegments *row]`, 0 where there
 * is none. Ids that are out of bounds, negative ones too, do not count.
 *
 * @throws DTypeError `integer-needed`, `number-needed`; ShapeError `segment-shape`; ArgumentError `count`, `index-mode`;
 * ArgumentError `length-needed` without `numSegments` where ids are traced.
 * @example
 * ops.segmentSum(np.array([1, 2, 3]), np.array([0, 0, 1], "int32"), 2); // [3, 3]
 */
export const segmentSum = /* @__PURE__ */ segmentReduction("segmentSum", p.scatterAdd, () => 0);
/**
 * The products of the rows that have one id; 1 where there is none.
 *
 * @throws as `segmentSum`.
 * @example
 * ops.segmentProd(np.array([2, 3, 4]), np.array([0, 0, 1], "int32")); // [6, 4]
 */
export const segmentProd = /* @__PURE__ */ segmentReduction("segmentProd", p.scatterMul, () => 1);
/**
 * The largest elements of the rows that have one id; −∞ (integers: the least one) where there is none. Ties share the
 * derivative.
 *
 * @throws as `segmentSum`, but booleans are taken.
 * @example
 * ops.segmentMax(np.array([1, 2, 3]), np.array([0, 0, 2], "int32"), 3); // [2, -Infinity, 3]
 */
export const segmentMax = /* @__PURE__ */ segmentReduction(
  "segmentMax",
  p.scatterMax,
  (dtype) => extreme(dtype, -1),
  true,
);
/**
 * The least elements of the rows that have one id; ∞ (integers: the greatest one) where there is none. Ties share the
 * derivative.
 *
 * @throws as `segmentSum`, but booleans are taken.
 * @example
 * ops.segmentMin(np.array([1, 2, 3]), np.array([0, 0, 1], "int32")); // [1, 3]
 */
export const segmentMin = /* @__PURE__ */ segmentReduction(
  "segmentMin",
  p.scatterMin,
  (dtype) => extreme(dtype, 1),
  true,
);
