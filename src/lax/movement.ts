import { NDArray } from "../core/array.js";
import { asShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { like, type Operand } from "../primitives/elementwise/operands.js";
import { frontAxes, frontAxis, listOf } from "./axes.js";

/** Movement of elements, as the primitives have it. */
const array = (x: ArrayLike, op: string): NDArray => asArray(x, `lax.${op}`, "operand");

const broadcastParams = signature<{ operand: ArrayLike; sizes: Shape }>("lax.broadcast", 2, ["operand", "sizes"]);
/**
 * Repeats an array along new leading axes: `[*n]` gives `[*sizes *n]`.
 *
 * @throws ShapeError `shape-invalid`.
 * @example
 * lax.broadcast(np.array([1, 2]), [2]); // [[1, 2], [1, 2]]
 */
export function broadcast(operand: ArrayLike, sizes: Shape): NDArray;
export function broadcast(...given: unknown[]): NDArray {
  const { operand, sizes } = broadcastParams(given);
  const x = array(operand, "broadcast");
  const lead = asShape(sizes, "lax.broadcast");
  return p.broadcastInDim(
    x,
    [...lead, ...x.shape],
    x.shape.map((_, k) => k + lead.length),
  );
}

const broadcastInDimParams = signature<{ operand: ArrayLike; shape: Shape; broadcastDimensions: readonly number[] }>(
  "lax.broadcastInDim",
  3,
  ["operand", "shape", "broadcastDimensions"],
);
/**
 * Repeats an array: its axis k, of the same length or 1, becomes axis `broadcastDimensions[k]` of the result.
 *
 * @throws ShapeError `shape-broadcast`, `shape-invalid`; ArgumentError `broadcast-dims`, `list-needed`.
 * @example
 * lax.broadcastInDim(np.array([1, 2]), [2, 2], [0]); // [[1, 1], [2, 2]]
 */
export function broadcastInDim(operand: ArrayLike, shape: Shape, broadcastDimensions: readonly number[]): NDArray;
export function broadcastInDim(...given: unknown[]): NDArray {
  const { operand, shape, broadcastDimensions } = broadcastInDimParams(given);
  const dims = listOf("lax.broadcastInDim", "broadcastDimensions", broadcastDimensions);
  return p.broadcastInDim(array(operand, "broadcastInDim"), asShape(shape, "lax.broadcastInDim"), dims);
}

const iotaParams = signature<{ dtype: DType; size: number }>("lax.iota", 2, ["dtype", "size"]);
/**
 * 0, 1, …, size − 1.
 *
 * @throws DTypeError `dtype-unsupported`; ShapeError `shape-invalid`.
 * @example
 * lax.iota("float32", 3); // [0, 1, 2]
 */
export function iota(dtype: DType, size: number): NDArray;
export function iota(...given: unknown[]): NDArray {
  const { dtype, size } = iotaParams(given);
  return p.iota(asDType(dtype), asShape(size, "lax.iota"), 0);
}

const broadcastedIotaParams = signature<{ dtype: DType; shape: Shape; dimension: number }>("lax.broadcastedIota", 3, [
  "dtype",
  "shape",
  "dimension",
]);
/**
 * The index along one axis, for every element of a shape.
 *
 * @throws ArgumentError `axis-range`; DTypeError `dtype-unsupported`; ShapeError `shape-invalid`.
 * @example
 * lax.broadcastedIota("int32", [2, 2], 0); // [[0, 0], [1, 1]]
 */
export function broadcastedIota(dtype: DType, shape: Shape, dimension: number): NDArray;
export function broadcastedIota(...given: unknown[]): NDArray {
  const { dtype, shape, dimension } = broadcastedIotaParams(given);
  const dims = asShape(shape, "lax.broadcastedIota");
  if (dimension < 0 || dimension >= dims.length) {
    throw new ArgumentError({
      code: "axis-range",
      message: `lax.broadcastedIota: there is no dimension ${dimension} in shape [${dims.join(",")}]`,
      hint: "dimensions count from 0 here, not from the end",
    });
  }
  return p.iota(asDType(dtype), dims, normalizeAxis(dimension, dims.length, "lax.broadcastedIota"));
}

const fullParams = signature<{ shape: Shape; fillValue: number; dtype?: DType }>("lax.full", 2, [
  "shape",
  "fillValue",
  "dtype",
]);
/**
 * An array of one value, of the value's dtype unless one is given.
 *
 * @throws ShapeError `shape-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * lax.full([2], 7); // [7, 7]
 */
export function full(shape: Shape, fillValue: number | boolean, dtype?: DType): NDArray;
export function full(...given: unknown[]): NDArray {
  const { shape, fillValue, dtype } = fullParams(given);
  return filled(fillValue, asShape(shape, "lax.full"), dtype ?? asArray(fillValue, "lax.full").dtype);
}

const fullLikeParams = signature<{ x: ArrayLike; fillValue: ArrayLike; dtype?: DType; shape?: Shape }>(
  "lax.fullLike",
  2,
  ["x", "fillValue", "dtype", "shape"],
);
/** An array of one value, a number or a scalar array, of the shape and dtype of another. */
export function fullLike(x: ArrayLike, fillValue: ArrayLike, dtype?: DType, shape?: Shape): NDArray;
export function fullLike(...given: unknown[]): NDArray {
  const { x, fillValue, dtype, shape } = fullLikeParams(given);
  const like = array(x, "fullLike");
  const to = shape ?? like.shape;
  if (!(fillValue instanceof NDArray)) return filled(fillValue, to, dtype ?? like.dtype);
  return p.broadcastInDim(
    p.convertElementType(fillValue, asDType(dtype ?? like.dtype)),
    asShape(to, "lax.fullLike"),
    [],
  );
}

function filled(value: number | boolean, shape: Shape, dtype: DType): NDArray {
  const to = asDType(dtype);
  // As a boolean any number but 0 is true.
  return p.full(to === "bool" ? Number(value !== 0 && value !== false) : Number(value), {
    shape,
    dtype: to,
    weakType: false,
  });
}

const reshapeParams = signature<{ operand: ArrayLike; newSizes: Shape; dimensions?: readonly number[] | null }>(
  "lax.reshape",
  2,
  ["operand", "newSizes", "dimensions"],
);
/**
 * The elements in row-major order under another shape; `dimensions` permutes the axes first.
 *
 * @throws ShapeError `reshape-size`, `shape-invalid` also for −1; ArgumentError `permutation`.
 * @example
 * lax.reshape(np.arange(4), [2, 2]); // [[0, 1], [2, 3]]
 */
export function reshape(operand: ArrayLike, newSizes: Shape, dimensions?: readonly number[] | null): NDArray;
export function reshape(...given: unknown[]): NDArray {
  const { operand, newSizes, dimensions = null } = reshapeParams(given);
  const x = array(operand, "reshape");
  return p.reshape(dimensions === null ? x : p.transpose(x, dimensions), asShape(newSizes, "lax.reshape"));
}

const collapseParams = signature<{ operand: ArrayLike; startDimension: number; stopDimension?: number | null }>(
  "lax.collapse",
  2,
  ["operand", "startDimension", "stopDimension"],
);
/**
 * Merges the axes from `startDimension` up to, not including, `stopDimension` (the end).
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * lax.collapse(np.ones([2, 3, 4]), 1); // float32[2, 12]
 */
export function collapse(operand: ArrayLike, startDimension: number, stopDimension?: number | null): NDArray;
export function collapse(...given: unknown[]): NDArray {
  const { operand, startDimension, stopDimension = null } = collapseParams(given);
  const x = array(operand, "collapse");
  const start = startDimension < 0 ? startDimension + x.ndim : startDimension;
  const stop = stopDimension === null ? x.ndim : stopDimension < 0 ? stopDimension + x.ndim : stopDimension;
  if (!(start >= 0 && start <= stop && stop <= x.ndim)) {
    throw new ArgumentError({
      code: "axis-range",
      message: `lax.collapse: axes ${start} to ${stop} are not a run of axes of ${x.ndim} dimensions`,
    });
  }
  return p.reshape(x, [...x.shape.slice(0, start), sizeOf(x.shape.slice(start, stop)), ...x.shape.slice(stop)]);
}

const transposeParams = signature<{ operand: ArrayLike; permutation: readonly number[] }>("lax.transpose", 2, [
  "operand",
  "permutation",
]);
/**
 * Permutes the axes: axis k of the result is axis `permutation[k]` of the operand.
 *
 * @throws ArgumentError `permutation`, `list-needed`.
 * @example
 * lax.transpose(np.ones([2, 3, 4]), [2, 0, 1]); // float32[4, 2, 3]
 */
export function transpose(operand: ArrayLike, permutation: readonly number[]): NDArray;
export function transpose(...given: unknown[]): NDArray {
  const { operand, permutation } = transposeParams(given);
  return p.transpose(array(operand, "transpose"), listOf("lax.transpose", "permutation", permutation));
}

const squeezeParams = signature<{ array: ArrayLike; dimensions: readonly number[] }>("lax.squeeze", 2, [
  "array",
  "dimensions",
]);
/**
 * Drops axes of length 1.
 *
 * @throws ShapeError `squeeze-length`; ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.squeeze(np.ones([1, 3]), [0]); // float32[3]
 */
export function squeeze(operand: ArrayLike, dimensions: readonly number[]): NDArray;
export function squeeze(...given: unknown[]): NDArray {
  const { array: operand, dimensions } = squeezeParams(given);
  const x = array(operand, "squeeze");
  return p.squeeze(x, normalizeAxes(dimensions, x.ndim, "lax.squeeze"));
}

const expandDimsParams = signature<{ array: ArrayLike; dimensions: readonly number[] }>("lax.expandDims", 2, [
  "array",
  "dimensions",
]);
/**
 * Adds axes of length 1, which `dimensions` counts in the result.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.expandDims(np.ones([3]), [0, 2]); // float32[1, 3, 1]
 */
export function expandDims(operand: ArrayLike, dimensions: readonly number[]): NDArray;
export function expandDims(...given: unknown[]): NDArray {
  const { array: operand, dimensions } = expandDimsParams(given);
  const x = array(operand, "expandDims");
  return p.expandDims(x, normalizeAxes(dimensions, x.ndim + dimensions.length, "lax.expandDims"));
}

const revParams = signature<{ operand: ArrayLike; dimensions: readonly number[] }>("lax.rev", 2, [
  "operand",
  "dimensions",
]);
/**
 * Reverses the order of elements along axes.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * lax.rev(np.array([1, 2, 3]), [0]); // [3, 2, 1]
 */
export function rev(operand: ArrayLike, dimensions: readonly number[]): NDArray;
export function rev(...given: unknown[]): NDArray {
  const { operand, dimensions } = revParams(given);
  const x = array(operand, "rev");
  return p.rev(x, frontAxes(dimensions, x.ndim, "lax.rev"));
}

const tileParams = signature<{ operand: ArrayLike; reps: readonly number[] }>("lax.tile", 2, ["operand", "reps"]);
/**
 * Repeats the whole array along its axes.
 *
 * @throws ArgumentError `tile-reps`; ShapeError `shape-invalid`.
 * @example
 * lax.tile(np.array([1, 2]), [2]); // [1, 2, 1, 2]
 */
export function tile(operand: ArrayLike, reps: readonly number[]): NDArray;
export function tile(...given: unknown[]): NDArray {
  const { operand, reps } = tileParams(given);
  const x = array(operand, "tile");
  const counts = asShape(reps, "lax.tile");
  if (counts.length !== x.ndim)
    throw new ArgumentError({
      code: "tile-reps",
      message: `lax.tile: ${counts.length} repetitions for ${x.ndim} axes`,
    });
  const split = x.shape.flatMap((n, k) => [counts[k]!, n]);
  const spread = p.broadcastInDim(
    x,
    split,
    x.shape.map((_, k) => 2 * k + 1),
  );
  return p.reshape(
    spread,
    x.shape.map((n, k) => n * counts[k]!),
  );
}

const concatenateParams = signature<{ operands: readonly ArrayLike[]; dimension: number }>("lax.concatenate", 2, [
  "operands",
  "dimension",
]);
/**
 * Joins arrays of one dtype along an axis.
 *
 * @throws ShapeError `concatenate-shapes`; DTypeError `dtype-mismatch`; ArgumentError `axis-range`, `list-empty`,
 * `list-needed`.
 * @example
 * lax.concatenate([np.array([1, 2]), np.array([3])], 0); // [1, 2, 3]
 */
export function concatenate(operands: readonly ArrayLike[], dimension: number): NDArray;
export function concatenate(...given: unknown[]): NDArray {
  const { operands, dimension } = concatenateParams(given);
  const xs = listOf("lax.concatenate", "operands", operands).map((x) => array(x, "concatenate"));
  if (xs.length === 0)
    throw new ArgumentError({ code: "list-empty", message: "lax.concatenate needs at least one array" });
  return p.concatenate(xs, frontAxis(dimension, xs[0]?.ndim ?? 0, "lax.concatenate"));
}

const padParams = signature<{ operand: ArrayLike; paddingValue: ArrayLike; paddingConfig: p.PadConfig }>("lax.pad", 3, [
  "operand",
  "paddingValue",
  "paddingConfig",
]);
/**
 * Adds (or, where negative, takes away) elements: `[low, high, interior]` for each axis, of which `interior` go between
 * neighbours.
 *
 * @throws ArgumentError `pad-config`; DTypeError `dtype-mismatch`.
 * @example
 * lax.pad(np.array([1, 2]), 0, [[1, 2, 1]]); // [0, 1, 0, 2, 0, 0]
 * lax.pad(np.array([1, 2]), 0, [[-1, 0, 0]]); // [2]
 */
export function pad(operand: ArrayLike, paddingValue: ArrayLike, paddingConfig: p.PadConfig): NDArray;
export function pad(...given: unknown[]): NDArray {
  const { operand, paddingValue, paddingConfig } = padParams(given);
  const x = array(operand, "pad");
  const value = like("lax.pad", paddingValue as Operand, x.dtype, "paddingValue");
  return p.pad(x, value, paddingConfig);
}

const sliceParams = signature<{
  operand: ArrayLike;
  startIndices: readonly number[];
  limitIndices: readonly number[];
  strides?: readonly number[] | null;
}>("lax.slice", 3, ["operand", "startIndices", "limitIndices", "strides"]);
/**
 * Elements from `startIndices` up to, not including, `limitIndices`, every `strides`-th; nothing counts from the end.
 *
 * @throws ArgumentError `slice-range`, `slice-rank`, `list-needed`.
 * @example
 * lax.slice(np.arange(10), [1], [8], [3]); // [1, 4, 7]
 */
export function slice(
  operand: ArrayLike,
  startIndices: readonly number[],
  limitIndices: readonly number[],
  strides?: readonly number[] | null,
): NDArray;
export function slice(...given: unknown[]): NDArray {
  const { operand, startIndices, limitIndices, strides } = sliceParams(given);
  const list = (name: string, given: readonly number[]): readonly number[] => listOf("lax.slice", name, given);
  const [from, to] = [list("startIndices", startIndices), list("limitIndices", limitIndices)];
  return p.slice(array(operand, "slice"), from, to, strides == null ? undefined : list("strides", strides));
}

interface SliceInDimOptions {
  readonly stride?: number;
  readonly axis?: number;
}
const sliceInDimParams = signature<
  { operand: ArrayLike; startIndex: number | null; limitIndex: number | null } & SliceInDimOptions
>("lax.sliceInDim", 3, ["operand", "startIndex", "limitIndex", "stride", "axis"]);
/**
 * A slice along one axis; null is the beginning or the end, negative indices count from the end.
 *
 * @throws ArgumentError `slice-range`, `axis-range`.
 * @example
 * lax.sliceInDim(np.arange(5), 1, -1); // [1, 2, 3]
 */
export function sliceInDim(
  operand: ArrayLike,
  startIndex: number | null,
  limitIndex: number | null,
  options?: SliceInDimOptions,
): NDArray;
export function sliceInDim(...given: unknown[]): NDArray {
  const { operand, startIndex, limitIndex, stride = 1, axis = 0 } = sliceInDimParams(given);
  const x = array(operand, "sliceInDim");
  const k = normalizeAxis(axis, x.ndim, "lax.sliceInDim");
  const n = x.shape[k]!;
  const at = (i: number | null, otherwise: number): number => (i === null ? otherwise : i < 0 ? i + n : i);
  return p.slice(
    x,
    x.shape.map((_, d) => (d === k ? at(startIndex, 0) : 0)),
    x.shape.map((size, d) => (d === k ? at(limitIndex, n) : size)),
    x.shape.map((_, d) => (d === k ? stride : 1)),
  );
}

interface IndexInDimOptions {
  readonly axis?: number;
  readonly keepdims?: boolean;
}
const indexInDimParams = signature<{ operand: ArrayLike; index: number } & IndexInDimOptions>("lax.indexInDim", 2, [
  "operand",
  "index",
  "axis",
  "keepdims",
]);
/**
 * The elements at an index of an axis, which stays with length 1 unless `keepdims` is false; negative indices count from
 * the end.
 *
 * @throws ArgumentError `index-range`, `axis-range`.
 * @example
 * lax.indexInDim(np.arange(3), -1, { keepdims: false }); // 2
 */
export function indexInDim(operand: ArrayLike, index: number, options?: IndexInDimOptions): NDArray;
export function indexInDim(...given: unknown[]): NDArray {
  const { operand, index, axis = 0, keepdims = true } = indexInDimParams(given);
  const x = array(operand, "indexInDim");
  const k = normalizeAxis(axis, x.ndim, "lax.indexInDim");
  const n = x.shape[k]!;
  if (!Number.isInteger(index) || index < -n || index >= n) {
    throw new ArgumentError({
      code: "index-range",
      message: `lax.indexInDim: index ${index} is out of bounds for axis ${k} of length ${n}`,
    });
  }
  const i = index < 0 ? index + n : index;
  const part = sliceInDim(x, i, i + 1, { axis: k });
  return keepdims ? part : p.squeeze(part, [k]);
}

const splitParams = signature<{ operand: ArrayLike; sizes: readonly number[]; axis?: number }>("lax.split", 2, [
  "operand",
  "sizes",
  "axis",
]);
/**
 * Splits an axis (the first) into parts of the given lengths.
 *
 * @throws ShapeError `split-sizes`; ArgumentError `axis-range`, `list-needed`.
 * @example
 * lax.split(np.arange(5), [2, 3]); // [[0, 1], [2, 3, 4]]
 */
export function split(
  operand: ArrayLike,
  sizes: readonly number[],
  options?: number | { readonly axis?: number },
): readonly NDArray[];
export function split(...given: unknown[]): readonly NDArray[] {
  const { operand, sizes, axis = 0 } = splitParams(given);
  const x = array(operand, "split");
  return p.split(x, listOf("lax.split", "sizes", sizes), normalizeAxis(axis, x.ndim, "lax.split"));
}
