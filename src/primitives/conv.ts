import type { NDArray } from "../core/array.js";
import { type Aval, type Shape, sizeOf } from "../core/aval.js";
import { type DType, dtypeInfo, isFloat } from "../core/dtype.js";
import { type BatchResult, isLinear, type Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { isCount, requireArgument, requireDType, requireShape } from "./checks.js";
import { convAval, convolveOnHost, type ConvParams, operandsOf } from "./conv-shapes.js";
import { addTangents, ops, zerosOf } from "./define.js";
import { dotGeneral } from "./dot.js";
import { convertElementType } from "./elementwise.js";
import { forEachIndex } from "./host.js";
import { pad, rev, slice, transpose } from "./movement.js";
import { moveAxis, reshape } from "./movement-views.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";
import { dilated, windows } from "./window-views.js";

export type { ConvParams } from "./conv-shapes.js";

/**
 * Convolutions of groups, as networks have them (the kernel is not reversed): of images x [group, image, channel, …spatial]
 * and kernels w [group, feature, channel, …spatial],
 *
 *   out[g, n, o, …] = Σ over channels c and places p in the kernel of x[g, n, c, (… · stride + p · rhsDilation) …] · w[g, o, c, p]
 *
 * with x dilated and padded. Groups of features and of images are both reshapes of this, batches of kernels are groups, and
 * both transposes are convolutions of the same kind. It is computed as a product of matrices (`asProduct`), mostly of kernels
 * and windows of the images, which are a view.
 */
export const convPrimitive: PrimitiveDefinition<ConvParams> = definePrimitive<ConvParams>({
  name: "conv_general_dilated",
  abstract: ([x, w], params) => [convAval(x!, w!, params)],
  evaluate: ([x, w], params) => [convolveOnHost(x!, w!, params)],
  jvp: ([x, w], [dx, dw], params) => {
    const y = conv(x!, w!, params);
    const left = isZero(dx) ? new Zero(y.aval) : conv(dx!, w!, params);
    const right = isZero(dw) ? new Zero(y.aval) : conv(x!, dw!, params);
    return { outs: [y], tangents: [addTangents(left, right)] };
  },
  transpose: ([ct], [x, w], params) => {
    if (isLinear(x!)) return [pulled(ct!, x.aval, (t) => transposedImages(t, x.aval, w as NDArray, params)), null];
    return [null, pulled(ct!, w!.aval, (t) => transposedKernels(t, x!, w!.aval, params))];
  },
  batch: (size, [x, w], [dx, dw], params) => batchConv(size, x!, w!, dx!, dw!, params),
  lower: { kind: "expand", expand: ([x, w], params) => [asProduct(x!, w!, params)] },
  facts: { hazards: { nan: true }, cost: 64 },
});

/** Convolves groups of images with groups of kernels; see `convPrimitive`. */
export const conv = (x: NDArray, w: NDArray, params: ConvParams): NDArray => bind1(convPrimitive, [x, w], params);

export interface GroupedConv extends ConvParams {
  readonly featureGroupCount: number;
  readonly batchGroupCount: number;
  readonly preferredElementType?: DType | undefined;
}

/** Convolves images [n, channel, …] with kernels [feature, channel, …] in groups, to [n, feature, …]. */
export function convGrouped(x: NDArray, w: NDArray, { preferredElementType, ...given }: GroupedConv): NDArray {
  const { featureGroupCount, batchGroupCount, ...params } = given;
  checkGroups(x.aval, w.aval, featureGroupCount, batchGroupCount);
  if (preferredElementType !== undefined && preferredElementType !== x.dtype) {
    const fits = dtypeInfo[preferredElementType].bytes >= dtypeInfo[x.dtype].bytes;
    const same = dtypeInfo[preferredElementType].kind === dtypeInfo[x.dtype].kind;
    requireDType(x.dtype === w.dtype && fits && (same || isFloat(preferredElementType)), () => ({
      code: "conv-preferred",
      message: `convGeneralDilated cannot accumulate in ${preferredElementType}`,
      operands: operandsOf(x.aval, w.aval),
      hint: "the preferred dtype must hold the operands' values",
    }));
    const wide = (y: NDArray): NDArray => convertElementType(y, preferredElementType);
    return convGrouped(wide(x), wide(w), given);
  }
  const groups = featureGroupCount * batchGroupCount;
  const [n, channels, ...spatial] = x.shape as readonly [number, number, ...number[]];
  const [features, inner, ...kernel] = w.shape as readonly [number, number, ...number[]];
  // groups of channels lie within an image, groups of images side by side
  const images =
    featureGroupCount > 1
      ? moveAxis(reshape(x, [n, groups, channels / groups, ...spatial]), 1, 0)
      : reshape(x, [groups, n / groups, channels, ...spatial]);
  const y = conv(images, reshape(w, [groups, features / groups, inner, ...kernel]), params);
  const [, count, , ...places] = y.shape as readonly [number, number, number, ...number[]];
  return reshape(moveAxis(y, 0, 1), [count, features, ...places]);
}

function checkGroups(x: Aval, w: Aval, featureGroups: number, batchGroups: number): void {
  const operands = operandsOf(x, w);
  requireShape(x.shape.length === w.shape.length && x.shape.length >= 2, () => ({
    code: "rank",
    message: "convGeneralDilated needs images and kernels of the same number of dimensions, at least 2",
    operands,
  }));
  requireArgument(isCount(featureGroups, 1) && isCount(batchGroups, 1), () => ({
    code: "conv-groups",
    message: `convGeneralDilated: featureGroupCount ${featureGroups} and batchGroupCount ${batchGroups} must be whole numbers of at least 1`,
  }));
  requireArgument(featureGroups === 1 || batchGroups === 1, () => ({
    code: "conv-groups",
    message: `convGeneralDilated: at most one of featureGroupCount and batchGroupCount may be more than 1; got ${featureGroups} and ${batchGroups}`,
  }));
  const [n, channels] = x.shape as readonly [number, number];
  const [features, inner] = w.shape as readonly [number, number];
  requireShape(channels === inner * featureGroups, () => ({
    code: "conv-channels",
    message: `convGeneralDilated: the ${channels} channels of lhs in ${featureGroups} group${featureGroups === 1 ? "" : "s"} do not meet the ${inner} of rhs`,
    operands,
    hint: "rhs has lhs's channels divided by featureGroupCount; dimensionNumbers say which axes are which",
  }));
  const divides = features % (featureGroups * batchGroups) === 0 && n % batchGroups === 0;
  requireShape(divides, () => ({
    code: "conv-groups",
    message: `convGeneralDilated: ${features} output features${batchGroups > 1 ? ` and a batch of ${n}` : ""} do not divide into ${featureGroups * batchGroups} groups`,
    operands,
  }));
}

function pulled(ct: Tangent, linear: Aval, pull: (ct: NDArray) => NDArray): Tangent {
  return isZero(ct) || sizeOf(linear.shape) === 0 ? new Zero(linear) : pull(ct);
}

/** Images, features and channels in another order: the first three axes of images or kernels. */
const reorder = (x: NDArray, first: readonly [number, number, number]): NDArray =>
  transpose(
    x,
    x.shape.map((_, k) => first[k] ?? k),
  );

/** The cotangent of images: the result's, dilated by the strides, convolved with the reversed kernels. */
function transposedImages(ct: NDArray, x: Aval, w: NDArray, p: ConvParams): NDArray {
  const spatial = w.shape.slice(3).map((_, k) => k + 3);
  const padding = p.padding.map(([lo], k) => {
    const kernel = dilated(w.shape[k + 3]!, p.rhsDilation[k]!);
    const before = kernel - lo - 1;
    const image = dilated(x.shape[k + 3]!, p.lhsDilation[k]!);
    return [before, image + kernel - 1 - dilated(ct.shape[k + 3]!, p.strides[k]!) - before] as const;
  });
  if (ct.size === 0 || w.size === 0) return zerosOf(x);
  return conv(ct, rev(reorder(w, [0, 2, 1]), spatial), {
    strides: p.lhsDilation,
    padding,
    lhsDilation: p.strides,
    rhsDilation: p.rhsDilation,
    ...(p.channelsLast === true ? { channelsLast: true } : {}),
  });
}

/** The cotangent of kernels: the images convolved with the result's cotangent, channels in the place of images. */
function transposedKernels(ct: NDArray, x: NDArray, w: Aval, p: ConvParams): NDArray {
  if (ct.size === 0 || x.size === 0) return zerosOf(w);
  const padding = p.padding.map(([lo], k) => {
    const kernel = dilated(w.shape[k + 3]!, p.rhsDilation[k]!);
    const image = dilated(x.shape[k + 3]!, p.lhsDilation[k]!);
    const result = dilated(ct.shape[k + 3]!, p.strides[k]!);
    return [lo, result - image + kernel - lo - 1] as const;
  });
  // channels are in the place of images here: where those lie is of no use
  const y = conv(reorder(x, [0, 2, 1]), reorder(ct, [0, 2, 1]), {
    strides: p.rhsDilation,
    padding,
    lhsDilation: p.lhsDilation,
    rhsDilation: p.strides,
  });
  return reorder(y, [0, 2, 1]);
}

/** Batches of images are more images, batches of kernels more features, batches of both more groups. */
function batchConv(
  size: number,
  x: NDArray,
  w: NDArray,
  dx: number | null,
  dw: number | null,
  params: ConvParams,
): BatchResult {
  if (dx !== null && dw !== null) {
    const merge = (y: NDArray, d: number): NDArray => {
      const front = moveAxis(y, d, 0);
      return reshape(front, [size * front.shape[1]!, ...front.shape.slice(2)]);
    };
    const y = conv(merge(x, dx), merge(w, dw), params);
    return { outs: [reshape(y, [size, y.shape[0]! / size, ...y.shape.slice(1)])], dims: [0] };
  }
  // the axis that the batch goes to, images or features, is the second of the operand
  const [own, d, place] = dx !== null ? ([x, dx, 1] as const) : ([w, dw!, 2] as const);
  const beside = moveAxis(own, d, 1);
  const merged = reshape(beside, [beside.shape[0]!, size * beside.shape[2]!, ...beside.shape.slice(3)]);
  const y = dx !== null ? conv(merged, w, params) : conv(x, merged, params);
  const shape = [...y.shape.slice(0, place), size, y.shape[place]! / size, ...y.shape.slice(place + 1)];
  return { outs: [reshape(y, shape)], dims: [place] };
}

/** Features from which on windows of images are what moves least, and features the columns of their product. */
const FEATURES = 16;
/** Results of one image from which on images are products of their own, rather than columns of one. */
const IMAGE = 64;

/** No padding of an axis. */
const none: readonly [number, number, number] = [0, 0, 0];

/** The product that a convolution is: kernels [g, o, (c, p…)] times windows of images [g, n, (c, p…), …]. */
function asProduct(x: NDArray, w: NDArray, p: ConvParams): NDArray {
  const rank = x.ndim - 3;
  const zero = zerosOf({ shape: [], dtype: x.dtype, weakType: false });
  const out = convAval(x.aval, w.aval, p).shape;
  if (sizeOf(out) * sizeOf(w.shape) === 0) return zerosOf({ shape: out, dtype: x.dtype, weakType: false });
  // a kernel of one element multiplies no zeros between neighbours: they come between the results
  const isSpread = p.lhsDilation.map((s, k) => s > 1 && p.strides[k] === 1 && w.shape[k + 3] === 1);
  if (isSpread.includes(true)) {
    const y = conv(x, w, {
      ...p,
      padding: p.padding.map((pair, k) => (isSpread[k] ? ([0, 0] as const) : pair)),
      lhsDilation: p.lhsDilation.map((s, k) => (isSpread[k] ? 1 : s)),
    });
    const gaps = p.padding.map(([lo, hi], k) => (isSpread[k] ? ([lo, hi, p.lhsDilation[k]! - 1] as const) : none));
    return pad(y, zero, [none, none, none, ...gaps]);
  }
  const phases = p.lhsDilation.map((s, k) => (p.strides[k] === 1 && p.rhsDilation[k] === 1 ? s : 1));
  if (phases.some((s) => s > 1)) return inPhases(x, w, p, phases);
  const spatial = Array.from({ length: rank }, (_, k) => k + 3);
  const [groups, features, channels, ...kernel] = w.shape as [number, number, number, ...number[]];
  const elements = sizeOf(kernel);
  // a group of one channel and one feature is no matrix
  const isMatrix = groups === 1 || features !== 1 || channels !== 1;
  // products with all elements of the kernels, which are stored, are few, and no more than a few times the images
  const isFew =
    isMatrix &&
    elements > 1 &&
    features <= FEATURES &&
    2 * features <= channels &&
    features * elements <= 4 * channels &&
    p.strides.every((s) => s === 1);
  const isWide = features >= FEATURES || (features > 1 && elements === 1);
  // axes of images in the order in which they lie, if results of a product can well have it
  const last = p.channelsLast === true && (!isMatrix || (groups === 1 && isWide && !isFew));
  const order = last ? [1, ...spatial, 0, 2] : [0, 1, 2, ...spatial];
  const places = (axes: readonly number[]): number[] => axes.map((k) => order.indexOf(k));
  const padded = pad(
    transpose(x, order),
    zero,
    order.map((k) => (k < 3 ? none : [...p.padding[k - 3]!, p.lhsDilation[k - 3]! - 1])),
  );
  if (isFew) return sumOfElements(padded, w, p, out);
  const patches = windows(padded, {
    axes: places(spatial),
    sizes: kernel,
    strides: p.strides,
    dilations: p.rhsDilation,
  });
  const within = spatial.map((k) => k + rank);
  const ofPatches = [...places([2]), ...within];
  if (!isMatrix) {
    const kernels = ops.broadcastInDim(reshape(w, [groups, ...kernel]), patches.shape, [...places([0]), ...within]);
    const kept = order.filter((k) => k !== 2);
    const sums = ops.reduceSum(ops.mul(patches, kernels), ofPatches);
    return reshape(
      transpose(
        sums,
        [0, 1, ...spatial].map((k) => kept.indexOf(k)),
      ),
      out,
    );
  }
  const numImages = x.shape[1]!;
  const isOne = numImages > 1 && sizeOf(out.slice(3)) < IMAGE;
  const batch = isOne ? [0] : [0, 1];
  const kernels = isOne ? w : broadcastImages(w, numImages);
  const ofKernels = isOne ? [2, ...spatial] : [3, ...spatial.map((k) => k + 1)];
  if (last) {
    const y = dotGeneral(patches, kernels, {
      lhsContract: ofPatches,
      rhsContract: ofKernels,
      lhsBatch: places(batch),
      rhsBatch: batch,
    });
    return transpose(y, [0, 1, rank + 2, ...spatial.map((k) => k - 1)]);
  }
  const y = dotGeneral(kernels, patches, {
    lhsContract: ofKernels,
    rhsContract: ofPatches,
    lhsBatch: batch,
    rhsBatch: batch,
  });
  return isOne ? transpose(y, [0, 2, 1, ...spatial]) : y;
}

/**
 * The convolution of dilated images without the zeros between their neighbours. Along an axis that is dilated by s, places of
 * the result that are s apart see the same elements of images through the same elements of kernels: each of these s phases is
 * a feature of one convolution. Kernels get zeros before and behind, so that all phases look at as many elements and begin at
 * the same one.
 */
function inPhases(x: NDArray, w: NDArray, p: ConvParams, phases: readonly number[]): NDArray {
  const [groups, images, features, ...places] = convAval(x.aval, w.aval, p).shape as [
    number,
    number,
    number,
    ...number[],
  ];
  const channels = w.shape[2]!;
  const zero = zerosOf({ shape: [], dtype: x.dtype, weakType: false });
  const axes = phases.map((_, k) => k);
  // of each axis: zeros before a kernel, elements of a kernel that a phase sees, places of a phase
  const before = phases.map((s, k) => (((-1 - p.padding[k]![0]) % s) + s) % s);
  const taps = phases.map((s, k) => Math.ceil((w.shape[k + 3]! + before[k]!) / s));
  const counts = phases.map((s, k) => Math.ceil(places[k]! / s));
  const padded = pad(w, zero, [
    none,
    none,
    none,
    ...phases.map((s, k) => [before[k]!, taps[k]! * s - w.shape[k + 3]! - before[k]!, 0] as const),
  ]);
  const parts = reshape(padded, [groups, features, channels, ...phases.flatMap((s, k) => [taps[k]!, s])]);
  const ofPhases = axes.map((k) => 2 * k + 4);
  const kernels = transpose(rev(parts, ofPhases), [0, 1, ...ofPhases, 2, ...axes.map((k) => 2 * k + 3)]);
  const y = conv(x, reshape(kernels, [groups, features * sizeOf(phases), channels, ...taps]), {
    ...p,
    padding: p.padding.map((pair, k) => {
      const s = phases[k]!;
      const lo = (pair[0] + before[k]! + 1) / s - 1;
      return s === 1 ? pair : ([lo, counts[k]! + taps[k]! - 1 - x.shape[k + 3]! - lo] as const);
    }),
    lhsDilation: p.lhsDilation.map((d, k) => d / phases[k]!),
  });
  const apart = reshape(y, [groups, images, features, ...phases, ...counts]);
  const beside = transpose(apart, [0, 1, 2, ...axes.flatMap((k) => [axes.length + k + 3, k + 3])]);
  const first = [groups, images, features];
  const all = reshape(beside, [...first, ...phases.map((s, k) => s * counts[k]!)]);
  return slice(
    all,
    all.shape.map(() => 0),
    [...first, ...places],
  );
}

/** Products of all images with each element of the kernels, and their sum: less to move where there are fewer features than channels. */
function sumOfElements(x: NDArray, w: NDArray, p: ConvParams, out: Shape): NDArray {
  const [groups, features, channels, ...kernel] = w.shape as [number, number, number, ...number[]];
  const elements = sizeOf(kernel);
  const each = transpose(reshape(w, [groups, features, channels, elements]), [0, 3, 1, 2]);
  const many = reshape(each, [groups, elements * features, channels]);
  const all = dotGeneral(broadcastImages(many, x.shape[1]!), x, {
    lhsContract: [3],
    rhsContract: [2],
    lhsBatch: [0, 1],
    rhsBatch: [0, 1],
  });
  let sum: NDArray | undefined;
  forEachIndex(kernel, (place, element) => {
    const start = [0, 0, element * features, ...place.map((at, k) => at * p.rhsDilation[k]!)];
    const part = slice(
      all,
      start,
      start.map((at, k) => at + out[k]!),
    );
    sum = sum === undefined ? part : ops.add(sum, part);
  });
  return sum!;
}

/** The kernels once for every image: [g, n, o, c, …]. */
function broadcastImages(w: NDArray, n: number): NDArray {
  const [groups, ...rest] = w.shape as readonly [number, ...number[]];
  return ops.broadcastInDim(w, [groups, n, ...rest], [0, ...rest.map((_, k) => k + 2)]);
}
