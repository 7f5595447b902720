import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { recordsSources } from "../core/source.js";
import { currentStaging } from "../core/trace.js";
import * as p from "../primitives/all.js";
import { jit } from "../transforms/jit.js";
import { type Padding, paddingPairs, requireList, spansOf } from "./window-padding.js";

/** Convolutions as networks have them: kernels are not reversed. */

/**
 * Which axes are which, as three words with a letter an axis, for lhs, rhs and the result: N images, C channels, O output and
 * I input features of the kernel, any other letters the spatial axes. null: ["NCHW", "OIHW", "NCHW"], for any rank.
 */
export type ConvDimensionNumbers = readonly [lhs: string, rhs: string, out: string] | readonly string[] | null;

export interface ConvPrecision {
  readonly precision?: null | undefined;
  readonly preferredElementType?: DType | null | undefined;
}
export interface ConvGeneralDilatedOptions extends ConvPrecision {
  readonly lhsDilation?: readonly number[] | null | undefined;
  readonly rhsDilation?: readonly number[] | null | undefined;
  readonly dimensionNumbers?: ConvDimensionNumbers | undefined;
  readonly featureGroupCount?: number | undefined;
  readonly batchGroupCount?: number | undefined;
}
interface ConvArguments extends ConvGeneralDilatedOptions {
  readonly lhs: ArrayLike;
  readonly rhs: ArrayLike;
  readonly windowStrides: readonly number[];
  readonly padding: Padding;
}

const generalParams = /* @__PURE__ */ signature<ConvArguments>("lax.convGeneralDilated", 4, [
  "lhs",
  "rhs",
  "windowStrides",
  "padding",
  "lhsDilation",
  "rhsDilation",
  "dimensionNumbers",
  "featureGroupCount",
  "batchGroupCount",
  "precision",
  "preferredElementType",
]);
/**
 * Convolves images with kernels over any number of spatial axes: `lhs: [N C *spatial]` and `rhs: [O C/groups *window]` give
 * `[N O *spatial]`, unless `dimensionNumbers` orders the axes otherwise (`["NHWC", "HWIO", "NHWC"]`). Kernels are not reversed.
 *
 * @param windowStrides steps of the kernel, one for each spatial axis
 * @param padding "VALID", "SAME", "SAME_LOWER", or [low, high] for each spatial axis; negative numbers crop
 * @throws ShapeError `rank`, `conv-channels`; DTypeError `dtype-mismatch`; ArgumentError `window-list`, `window-padding`,
 * `conv-dimension-numbers`; ArgumentError `conv-padding` for padding by name of dilated images.
 *
 * @example
 * const images = np.ones([1, 1, 4, 4]);
 * const kernels = np.ones([2, 1, 3, 3]);
 * lax.convGeneralDilated(images, kernels, [1, 1], "SAME"); // float32[1, 2, 4, 4]
 */
export function convGeneralDilated(
  lhs: ArrayLike,
  rhs: ArrayLike,
  windowStrides: readonly number[],
  padding: Padding,
  options?: ConvGeneralDilatedOptions,
): NDArray;
export function convGeneralDilated(...given: unknown[]): NDArray {
  return general("lax.convGeneralDilated", generalParams(given));
}

function general(op: string, args: ConvArguments): NDArray {
  const x = asArray(args.lhs, op, "lhs");
  const w = asArray(args.rhs, op, "rhs");
  const orders = axisOrders(op, x, w, args.dimensionNumbers ?? null);
  const lengths = (y: NDArray, order: readonly number[]): number[] => order.slice(2).map((k) => y.shape[k]!);
  const rank = x.ndim - 2;
  const ones = Array<number>(rank).fill(1);
  const lhsDilation = args.lhsDilation ?? ones;
  const rhsDilation = args.rhsDilation ?? ones;
  requireList(op, "windowStrides", args.windowStrides, rank);
  requireList(op, "lhsDilation", lhsDilation, rank);
  requireList(op, "rhsDilation", rhsDilation, rank);
  refuseNamedPadding(op, args.padding, lhsDilation);
  const padding = paddingPairs(
    op,
    args.padding,
    lengths(x, orders.lhs),
    spansOf(lengths(w, orders.rhs), rhsDilation),
    args.windowStrides,
  );
  const preferred = args.preferredElementType;
  const params: p.GroupedConv = {
    strides: args.windowStrides,
    padding,
    lhsDilation,
    rhsDilation,
    ...(rank > 0 && orders.lhs[1] === rank + 1 && orders.out[1] === rank + 1 ? { channelsLast: true } : {}),
    featureGroupCount: args.featureGroupCount ?? 1,
    batchGroupCount: args.batchGroupCount ?? 1,
    preferredElementType: preferred === undefined || preferred === null ? undefined : asDType(preferred),
  };
  return currentStaging() === undefined && !recordsSources()
    ? ordered(x, w, JSON.stringify([orders, params]))
    : inOrder(x, w, orders, params);
}

function inOrder(x: NDArray, w: NDArray, orders: AxisOrders, params: p.GroupedConv): NDArray {
  const y = p.convGrouped(p.transpose(x, orders.lhs), p.transpose(w, orders.rhs), params);
  return p.transpose(
    y,
    orders.out.map((_, axis) => orders.out.indexOf(axis)),
  );
}

/** One program: arrays are not made of what is only another order of axes. */
const ordered = /* @__PURE__ */ jit(
  function convolution(x: NDArray, w: NDArray, how: string): NDArray {
    const [orders, params] = JSON.parse(how) as [AxisOrders, p.GroupedConv];
    return inOrder(x, w, orders, params);
  },
  { staticArgnums: 2 },
);

interface AxisOrders {
  /** The operand's axes in the order images, channels, spatial axes; kernels: output features, input features, spatial. */
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly out: readonly number[];
}

function axisOrders(op: string, x: NDArray, w: NDArray, numbers: ConvDimensionNumbers): AxisOrders {
  if (x.ndim !== w.ndim || x.ndim < 2) {
    throw new ShapeError({
      code: "rank",
      message: `${op} needs images and kernels of the same number of dimensions, at least 2`,
      details: [
        ["lhs", x.describe()],
        ["rhs", w.describe()],
      ],
    });
  }
  return ordersOf(op, x.ndim, numbers);
}

function ordersOf(op: string, ndim: number, numbers: ConvDimensionNumbers): AxisOrders {
  if (numbers === null) {
    const own = Array.from({ length: ndim }, (_, k) => k);
    return { lhs: own, rhs: own, out: own };
  }
  const fault = (why: string): ArgumentError =>
    new ArgumentError({
      code: "conv-dimension-numbers",
      message: `${op}: dimensionNumbers ${JSON.stringify(numbers)} ${why}`,
      hint: 'for example ["NHWC", "HWIO", "NHWC"]',
    });
  const [lhs, rhs, out, ...more] = numbers as readonly string[];
  if (lhs === undefined || rhs === undefined || out === undefined || more.length > 0)
    throw fault("must be three words: for lhs, rhs and the result");
  const spatial = [...rhs].filter((l) => l !== "O" && l !== "I");
  const order = (word: string, first: string, second: string): number[] => {
    if (word.length !== ndim) throw fault(`must have ${ndim} letters each, one an axis`);
    if (new Set(word).size !== ndim) throw fault("have a letter twice in one word");
    const places = [first, second, ...spatial].map((letter) => word.indexOf(letter));
    if (places.includes(-1))
      throw fault(`must have the letters ${first} and ${second} and the same spatial letters in each word`);
    return places;
  };
  return { lhs: order(lhs, "N", "C"), rhs: order(rhs, "O", "I"), out: order(out, "N", "C") };
}

const convParams = /* @__PURE__ */ signature<ConvArguments>("lax.conv", 4, [
  "lhs",
  "rhs",
  "windowStrides",
  "padding",
  "precision",
  "preferredElementType",
]);
/**
 * Convolves images `[N C *spatial]` with kernels `[O I *spatial]`; see `convGeneralDilated`. Kernels
 * are not reversed.
 *
 * @throws as `convGeneralDilated`.
 * @example
 * lax.conv(np.array([[[1, 2, 3]]]), np.array([[[1, 10]]]), [1], "VALID"); // [[[21, 32]]]
 */
export function conv(
  lhs: ArrayLike,
  rhs: ArrayLike,
  windowStrides: readonly number[],
  padding: Padding,
  options?: ConvPrecision,
): NDArray;
export function conv(...given: unknown[]): NDArray {
  return general("lax.conv", convParams(given));
}

const withPaddingParams = /* @__PURE__ */ signature<ConvArguments>("lax.convWithGeneralPadding", 4, [
  "lhs",
  "rhs",
  "windowStrides",
  "padding",
  "lhsDilation",
  "rhsDilation",
  "precision",
  "preferredElementType",
]);
/** Convolves images [N, C, …] with kernels [O, I, …], with dilations; see `convGeneralDilated`. */
export function convWithGeneralPadding(
  lhs: ArrayLike,
  rhs: ArrayLike,
  windowStrides: readonly number[],
  padding: Padding,
  lhsDilation?: readonly number[] | null,
  rhsDilation?: readonly number[] | null,
  options?: ConvPrecision,
): NDArray;
export function convWithGeneralPadding(...given: unknown[]): NDArray {
  return general("lax.convWithGeneralPadding", withPaddingParams(given));
}

/** Refuses padding by name for images that are dilated. @throws ArgumentError `conv-padding`. */
function refuseNamedPadding(op: string, padding: Padding, lhsDilation: readonly number[]): void {
  if (typeof padding !== "string" || lhsDilation.every((d) => d === 1)) return;
  throw new ArgumentError({
    code: "conv-padding",
    message: `${op}: padding "${padding}" has no meaning for images that are dilated by ${JSON.stringify(lhsDilation)}`,
    hint: "give [low, high] for each spatial axis, or use lax.convTranspose",
  });
}

export interface ConvTransposeOptions extends ConvPrecision {
  readonly rhsDilation?: readonly number[] | null | undefined;
  /** null: images last-channel, as ["NHWC", "HWIO", "NHWC"], for up to three spatial axes. */
  readonly dimensionNumbers?: ConvDimensionNumbers | undefined;
  /** Reverses the kernel and exchanges its input and output features: the gradient of the convolution with that kernel. */
  readonly transposeKernel?: boolean | undefined;
  /** Pairs are the padding of the convolution that this is the gradient of, rather than this one's own. */
  readonly useConsistentPadding?: boolean | undefined;
}
const transposeParams = /* @__PURE__ */ signature<
  ConvTransposeOptions & {
    readonly lhs: ArrayLike;
    readonly rhs: ArrayLike;
    readonly strides: readonly number[];
    readonly padding: Padding;
  }
>("lax.convTranspose", 4, [
  "lhs",
  "rhs",
  "strides",
  "padding",
  "rhsDilation",
  "dimensionNumbers",
  "transposeKernel",
  "precision",
  "preferredElementType",
  "useConsistentPadding",
]);
const channelsLast: readonly (readonly [string, string, string])[] = [
  ["NC", "IO", "NC"],
  ["NHC", "HIO", "NHC"],
  ["NHWC", "HWIO", "NHWC"],
  ["NHWDC", "HWDIO", "NHWDC"],
];
/**
 * Convolves images whose neighbours are moved `strides` apart: the "transposed" convolution, which enlarges them. Images are
 * `[N *spatial C]` and kernels `[*window I O]`, unless `dimensionNumbers` says otherwise.
 *
 * @throws ShapeError `rank`, `conv-channels`; ArgumentError `window-list`, `window-padding`.
 * @example
 * const images = np.ones([1, 4, 4, 3]);
 * const kernels = np.ones([2, 2, 3, 5]);
 * lax.convTranspose(images, kernels, [2, 2], "SAME").shape; // [1, 8, 8, 5]
 */
export function convTranspose(
  lhs: ArrayLike,
  rhs: ArrayLike,
  strides: readonly number[],
  padding: Padding,
  options?: ConvTransposeOptions,
): NDArray;
export function convTranspose(...given: unknown[]): NDArray {
  const op = "lax.convTranspose";
  const { lhs, rhs, strides, padding, ...options } = transposeParams(given);
  const x = asArray(lhs, op, "lhs");
  let w = asArray(rhs, op, "rhs");
  const rank = x.ndim - 2;
  const dimensionNumbers = options.dimensionNumbers ?? channelsLast[rank] ?? null;
  if (dimensionNumbers === null && rank >= channelsLast.length) {
    throw new ArgumentError({
      code: "conv-dimension-numbers",
      message: `${op}: dimensionNumbers must be given for ${rank} spatial axes`,
    });
  }
  const [, featuresOut, ...rest] = [0, ...axisOrders(op, x, w, dimensionNumbers).rhs] as readonly number[];
  const [featuresIn, ...spatial] = rest as [number, ...number[]];
  const rhsDilation = options.rhsDilation ?? Array<number>(rank).fill(1);
  requireList(op, "strides", strides, rank);
  requireList(op, "rhsDilation", rhsDilation, rank);
  const spans = spansOf(
    spatial.map((k) => w.shape[k]!),
    rhsDilation,
  );
  const pads = transposedPadding(op, padding, spans, strides, options.useConsistentPadding === true);
  if (options.transposeKernel === true) {
    const swapped = w.shape.map((_, k) => (k === featuresOut ? featuresIn : k === featuresIn ? featuresOut! : k));
    w = p.transpose(p.rev(w, spatial), swapped);
  }
  return general(op, {
    lhs: x,
    rhs: w,
    windowStrides: Array<number>(rank).fill(1),
    padding: pads,
    lhsDilation: strides,
    rhsDilation,
    dimensionNumbers,
    preferredElementType: options.preferredElementType,
  });
}

/** Padding of a transposed convolution, from that of the convolution it transposes. */
function transposedPadding(
  op: string,
  padding: Padding,
  spans: readonly number[],
  strides: readonly number[],
  consistent: boolean,
): Padding {
  if (padding !== "SAME" && padding !== "VALID") {
    const pairs = paddingPairs(op, padding, spans, spans, strides);
    return consistent && typeof padding !== "string"
      ? pairs.map(([lo, hi], k) => [spans[k]! - lo - 1, spans[k]! - hi - 1] as const)
      : pairs;
  }
  return spans.map((k, axis) => {
    const s = strides[axis]!;
    const sum = padding === "SAME" ? k + s - 2 : k + s - 2 + Math.max(k - s, 0);
    const before = padding === "VALID" || s > k - 1 ? k - 1 : Math.ceil(sum / 2);
    return [before, sum - before] as const;
  });
}

export interface ConvPatchesOptions extends ConvPrecision {
  readonly lhsDilation?: readonly number[] | null | undefined;
  readonly rhsDilation?: readonly number[] | null | undefined;
  readonly dimensionNumbers?: ConvDimensionNumbers | undefined;
}
const patchesParams = /* @__PURE__ */ signature<
  ConvPatchesOptions & {
    readonly lhs: ArrayLike;
    readonly filterShape: readonly number[];
    readonly windowStrides: readonly number[];
    readonly padding: Padding;
  }
>("lax.convGeneralDilatedPatches", 4, [
  "lhs",
  "filterShape",
  "windowStrides",
  "padding",
  "lhsDilation",
  "rhsDilation",
  "dimensionNumbers",
  "precision",
  "preferredElementType",
]);
/**
 * The patches of images that a convolution multiplies with its kernels: the result's channel axis has, for each channel of
 * lhs, the elements of the patch.
 *
 * @example
 * lax.convGeneralDilatedPatches(np.ones([1, 3, 8, 8]), [2, 2], [2, 2], "VALID").shape; // [1, 12, 4, 4]
 */
export function convGeneralDilatedPatches(
  lhs: ArrayLike,
  filterShape: readonly number[],
  windowStrides: readonly number[],
  padding: Padding,
  options?: ConvPatchesOptions,
): NDArray;
export function convGeneralDilatedPatches(...given: unknown[]): NDArray {
  const op = "lax.convGeneralDilatedPatches";
  const args = patchesParams(given);
  const x = asArray(args.lhs, op, "lhs");
  const rank = x.ndim - 2;
  const ones = Array<number>(Math.max(rank, 0)).fill(1);
  const lhsDilation = args.lhsDilation ?? ones;
  const rhsDilation = args.rhsDilation ?? ones;
  requireList(op, "filterShape", args.filterShape, rank);
  requireList(op, "windowStrides", args.windowStrides, rank);
  requireList(op, "lhsDilation", lhsDilation, rank);
  requireList(op, "rhsDilation", rhsDilation, rank);
  const orders = ordersOf(op, x.ndim, args.dimensionNumbers ?? null);
  const images = p.transpose(x, orders.lhs);
  const lengths = images.shape.slice(2);
  refuseNamedPadding(op, args.padding, lhsDilation);
  const pairs = paddingPairs(op, args.padding, lengths, spansOf(args.filterShape, rhsDilation), args.windowStrides);
  const padded = p.pad(images, p.zerosOf({ shape: [], dtype: x.dtype, weakType: false }), [
    [0, 0, 0],
    [0, 0, 0],
    ...pairs.map(([lo, hi], k) => [lo, hi, lhsDilation[k]! - 1] as const),
  ]);
  const spatial = ones.map((_, k) => k + 2);
  const all = p.windows(padded, {
    axes: spatial,
    sizes: args.filterShape,
    strides: args.windowStrides,
    dilations: rhsDilation,
  });
  const [n, channels, ...rest] = all.shape as readonly [number, number, ...number[]];
  const elements = rest.slice(rank).reduce((a, b) => a * b, 1);
  const joined = p.reshape(p.transpose(all, [0, 1, ...spatial.map((k) => k + rank), ...spatial]), [
    n,
    channels * elements,
    ...rest.slice(0, rank),
  ]);
  const y = p.transpose(
    joined,
    orders.out.map((_, axis) => orders.out.indexOf(axis)),
  );
  const preferred = args.preferredElementType;
  return preferred === undefined || preferred === null ? y : p.convertElementType(y, asDType(preferred));
}
