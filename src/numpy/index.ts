/**
 * NumPy's functions, made of primitives: they work on arrays and under every transformation. A JS number goes wherever an
 * array goes, as a weakly typed scalar.
 *
 * What they say they throw comes besides what all functions throw: ArgumentError `not-an-array` (lists are made arrays by
 * `np.array`), `argument-missing`, `argument-surplus`, `option-unknown`, `option-twice`, and `axis-invalid` for an axis that is
 * no number; TracerError `tracer-read` for a traced length in a shape.
 */
export * from "./arg-extremes.js";
export * from "./arithmetic.js";
export { array, type ArrayData, type ArrayOptions, asarray, astype, copy, type NestedArrayLike } from "./array.js";
export { i0 } from "./bessel.js";
export * from "./bits.js";
export { broadcastArrays, broadcastShapes, broadcastTo } from "./broadcasting.js";
export {
  convolve,
  type ConvolveMode,
  type ConvolveOptions,
  corrcoef,
  type CorrcoefOptions,
  correlate,
  cov,
  type CovOptions,
} from "./correlation.js";
export {
  type CreationOptions,
  empty,
  emptyLike,
  full,
  fullLike,
  type LikeOptions,
  ones,
  onesLike,
  type ShapeLike,
  zeros,
  zerosLike,
} from "./creation.js";
export * from "./choosing.js";
export * from "./cumulative.js";
export * from "./differences.js";
export * from "./dtypes.js";
export * from "./editing.js";
export { einsum, type EinsumOptions } from "./einsum.js";
export * from "./elementary.js";
export * from "./flat-indices.js";
export * from "./floats.js";
export { fromfunction } from "./fromfunction.js";
export {
  type GetOptions,
  type Index,
  type IndexUpdate,
  type OutOfBounds,
  put,
  putAlongAxis,
  take,
  takeAlongAxis,
  type TakeOptions,
  type UpdateOptions,
} from "./indexing.js";
export * from "./functional.js";
export { interp, type InterpOptions } from "./interpolation.js";
export {
  append,
  type AppendOptions,
  arraySplit,
  block,
  type Blocks,
  columnStack,
  concat,
  concatenate,
  type ConcatenateOptions,
  dsplit,
  dstack,
  hsplit,
  hstack,
  type Sections,
  split,
  type SplitOptions,
  stack,
  type StackOptions,
  unstack,
  vsplit,
  vstack,
} from "./joining.js";
export * as linalg from "./linalg.js";
export {
  allclose,
  arrayEqual,
  type ArrayEqualOptions,
  arrayEquiv,
  clip,
  type ClipOptions,
  type CloseOptions,
  equal,
  greater,
  greaterEqual,
  isclose,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  select,
  type SelectOptions,
  where,
} from "./logic.js";
export {
  diag,
  diagflat,
  diagIndices,
  diagIndicesFrom,
  type DiagonalChoice,
  diagonal,
  type DiagonalOptions,
  eye,
  type EyeOptions,
  fillDiagonal,
  identity,
  trace,
  type TraceOptions,
  tri,
  type TriangleIndicesOptions,
  tril,
  trilIndices,
  trilIndicesFrom,
  triu,
  triuIndices,
  triuIndicesFrom,
} from "./matrices.js";
export * from "./nan.js";
export * from "./padding.js";
export * from "./products.js";
export * from "./polynomials.js";
export type { Axis } from "./promotion.js";
export * from "./quantiles.js";
export {
  arange,
  type ArangeOptions,
  geomspace,
  type GridRange,
  indices,
  type IndicesOptions,
  linspace,
  type LinspaceOptions,
  logspace,
  type LogspaceOptions,
  meshgrid,
  type MeshgridOptions,
  mgrid,
  ogrid,
  vander,
  type VanderOptions,
} from "./ranges.js";
export {
  type AxisOption,
  flip,
  fliplr,
  flipud,
  repeat,
  type RepeatOptions,
  resize,
  roll,
  rot90,
  type Rot90Options,
  tile,
} from "./rearranging.js";
export {
  all,
  amax,
  amin,
  any,
  countNonzero,
  type ExtremeOptions,
  type KeepdimsOptions,
  type LogicOptions,
  max,
  min,
  prod,
  ptp,
  type ReduceOptions,
  sum,
} from "./reductions.js";
export * from "./rounding.js";
export * from "./searching.js";
export {
  type AtLeast,
  atleast1d,
  atleast2d,
  atleast3d,
  expandDims,
  matrixTranspose,
  moveaxis,
  ndim,
  type Order,
  permuteDims,
  ravel,
  reshape,
  type ReshapeOptions,
  rollaxis,
  shape,
  size,
  squeeze,
  type SqueezeOptions,
  swapaxes,
  transpose,
  type TransposeOptions,
} from "./shape.js";
export * from "./sorting.js";
export { average, type AverageOptions, mean, type MeanOptions, std, var_, type VarOptions } from "./statistics.js";
export type { Binary, Unary } from "./ufunc.js";
export { vectorize, type VectorizeOptions } from "./vectorize.js";
export * from "./windows.js";
export type { DType } from "../core/dtype.js";

/** 3.14159… */
export const pi = Math.PI;
/** Euler's number, 2.718… */
export const e = Math.E;
/** The Euler–Mascheroni constant, 0.577… */
export const eulerGamma = 0.5772156649015329;
/** ∞, a number of JavaScript. */
export const inf = Infinity;
/** NaN, a number of JavaScript. */
export const nan = NaN;
/** A new axis of length 1 in an index: `x.slice(np.newaxis, 0)`. */
export const newaxis = null;

/** The dtype of booleans. */
export const bool_ = "bool";
/** The dtype of whole numbers from −2³¹ to 2³¹ − 1, which wrap around. */
export const int32 = "int32";
/** The dtype of whole numbers from 0 to 2³² − 1, which wrap around. */
export const uint32 = "uint32";
/** The dtype of floats of 24 bits of precision; the default. */
export const float32 = "float32";
/** The dtype of floats of 53 bits of precision, as JavaScript's numbers are; the default with `config.enableX64`. */
export const float64 = "float64";
