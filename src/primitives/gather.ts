import type { NDArray } from "../core/array.js";
import { hostZeros, type Shape } from "../core/aval.js";
import { type DType, dtypeInfo } from "../core/dtype.js";
import { isLinear } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { constant, op } from "../kernel-ir/scalar.js";
import { definePrimitive, ops, type PrimitiveDefinition, zerosOf } from "./define.js";
import {
  checkWindows,
  forEachElement,
  type IndexMode,
  lowerWindow,
  type WindowDims,
  type WindowNames,
  type Windows,
  windowsOf,
} from "./windows.js";

export type { IndexMode } from "./windows.js";

/** As JAX's: how the result's axes, the operand's and those of the index vectors belong together. */
export interface GatherDimensionNumbers {
  /** Axes of the result that run within a window. */
  readonly offsetDims: readonly number[];
  /** Axes of the operand, of slice size 1, that the result lacks. */
  readonly collapsedSliceDims: readonly number[];
  /** Entry k of an index vector counts along operand axis startIndexMap[k]. */
  readonly startIndexMap: readonly number[];
  readonly operandBatchingDims?: readonly number[];
  readonly startIndicesBatchingDims?: readonly number[];
}

export interface GatherParams {
  readonly dimensionNumbers: GatherDimensionNumbers;
  readonly sliceSizes: readonly number[];
  readonly mode: IndexMode;
  /** What windows outside of the operand give in mode `fill`. */
  readonly fillValue: number;
  /** No element is gathered twice: a promise that the transpose makes use of. */
  readonly uniqueIndices: boolean;
}

export interface GatherOptions {
  readonly mode: IndexMode;
  /** Default: NaN, the least int32, the greatest uint32, true. */
  readonly fillValue?: number | undefined;
  readonly uniqueIndices?: boolean | undefined;
}

export const gatherPrimitive: PrimitiveDefinition<GatherParams> = definePrimitive<GatherParams>({
  name: "gather",
  abstract: ([x, indices], { dimensionNumbers: dnums, sliceSizes }) => {
    const ndim = dnums.offsetDims.length + Math.max(0, indices!.shape.length - 1);
    checkWindows("gather", x!, indices!, windowDims(dnums), sliceSizes, ndim, names);
    return [{ ...x!, shape: resultShape(x!.shape, indices!.shape, dnums, sliceSizes) }];
  },
  evaluate: ([x, indices], p) => {
    const shape = resultShape(x!.aval.shape, indices!.aval.shape, p.dimensionNumbers, p.sliceSizes);
    const out = hostZeros({ ...x!.aval, shape });
    const { words } = dtypeInfo[x!.aval.dtype];
    forEachElement(windows(x!.aval.shape, p, shape.length), shape, indices!, p.mode !== "fill", (at, place) => {
      for (let w = 0; w < words; w++) out.data[at * words + w] = place < 0 ? p.fillValue : x!.data[place * words + w]!;
    });
    return [out];
  },
  jvp: ([x, indices], [t], p) => {
    const y = bind1(gatherPrimitive, [x!, indices!], p);
    return {
      outs: [y],
      tangents: [isZero(t) ? new Zero(y.aval) : bind1(gatherPrimitive, [t!, indices!], { ...p, fillValue: 0 })],
    };
  },
  transpose: ([ct], [x, indices], { dimensionNumbers: dnums, mode, uniqueIndices }) => {
    if (isZero(ct)) return [new Zero(x!.aval), null];
    const sdims = {
      updateWindowDims: dnums.offsetDims,
      insertedWindowDims: dnums.collapsedSliceDims,
      scatterDimsToOperandDims: dnums.startIndexMap,
      operandBatchingDims: dnums.operandBatchingDims ?? [],
      scatterIndicesBatchingDims: dnums.startIndicesBatchingDims ?? [],
    };
    if (isLinear(indices!)) return [null, null];
    return [
      ops.scatterAdd(zerosOf({ ...ct!.aval, shape: x!.aval.shape }), indices!, ct!, sdims, { mode, uniqueIndices }),
      null,
    ];
  },
  batch: (_size, [x, indices], [dx, di], p) => {
    const d = p.dimensionNumbers;
    const later = (dims: readonly number[] = []): number[] => dims.map((k) => k + 1);
    const operandLater = {
      collapsedSliceDims: later(d.collapsedSliceDims),
      startIndexMap: later(d.startIndexMap),
      operandBatchingDims: later(d.operandBatchingDims),
    };
    if (di === null) {
      const front = ops.moveAxis(x!, dx!, 0);
      const dnums = { ...d, ...operandLater, offsetDims: [0, ...later(d.offsetDims)] };
      return {
        outs: [
          bind1(gatherPrimitive, [front, indices!], {
            ...p,
            dimensionNumbers: dnums,
            sliceSizes: [front.shape[0]!, ...p.sliceSizes],
          }),
        ],
        dims: [0],
      };
    }
    const vectors = ops.moveAxis(indices!, di!, 0);
    const indicesLater = {
      offsetDims: later(d.offsetDims),
      startIndicesBatchingDims: later(d.startIndicesBatchingDims),
    };
    if (dx === null) {
      // several rows of indices now meet in one operand
      return {
        outs: [
          bind1(gatherPrimitive, [x!, vectors], {
            ...p,
            dimensionNumbers: { ...d, ...indicesLater },
            uniqueIndices: false,
          }),
        ],
        dims: [0],
      };
    }
    const front = ops.moveAxis(x!, dx!, 0);
    const dnums = {
      ...operandLater,
      offsetDims: indicesLater.offsetDims,
      operandBatchingDims: [0, ...operandLater.operandBatchingDims],
      startIndicesBatchingDims: [0, ...indicesLater.startIndicesBatchingDims],
    };
    const sliceSizes = [Math.min(1, front.shape[0]!), ...p.sliceSizes];
    return {
      outs: [bind1(gatherPrimitive, [front, vectors], { ...p, dimensionNumbers: dnums, sliceSizes })],
      dims: [0],
    };
  },
  lower: {
    kind: "element",
    element: ([x, indices], index, p) => {
      const { place, inside } = lowerWindow(windows(x!.aval.shape, p, index.length), indices!, index);
      const element = x!.at(place);
      return p.mode !== "fill" || inside === null
        ? element
        : op("select", [inside, element, constant(x!.type, p.fillValue)]);
    },
  },
  facts: {
    cost: 4,
    hazards: {
      windows: (_, { dimensionNumbers: { startIndexMap: axes }, sliceSizes }) => ({
        indices: 1,
        scalars: false,
        axes,
        sizes: axes.map((axis) => sliceSizes[axis]!),
      }),
    },
  },
});

/** Windows of `x` at the index vectors along the last axis of `indices`. */
export function gather(
  x: NDArray,
  indices: NDArray,
  dnums: GatherDimensionNumbers,
  sliceSizes: readonly number[],
  { mode, fillValue, uniqueIndices = false }: GatherOptions,
): NDArray {
  const filler = mode === "fill" ? asElement(fillValue ?? defaultFill[x.dtype], x.dtype) : 0;
  return bind1(gatherPrimitive, [x, indices], {
    dimensionNumbers: dnums,
    sliceSizes,
    mode,
    fillValue: filler,
    uniqueIndices,
  });
}

/** A fill value as an element of a dtype. */
const asElement = (value: number, dtype: DType): number =>
  dtype === "bool" ? Number(value !== 0) : dtypeInfo[dtype].kind === "float" ? value : Math.trunc(value);

const defaultFill: Readonly<Record<DType, number>> = {
  float32: NaN,
  float64: NaN,
  int32: -2147483648,
  uint32: 4294967295,
  bool: 1,
  key: 4294967295,
};

const names: WindowNames = {
  windowDims: "offsetDims",
  droppedDims: "collapsedSliceDims",
  startDims: "startIndexMap",
  operandBatchingDims: "operandBatchingDims",
  indicesBatchingDims: "startIndicesBatchingDims",
};

const windowDims = (d: GatherDimensionNumbers): WindowDims => ({
  windowDims: d.offsetDims,
  droppedDims: d.collapsedSliceDims,
  startDims: d.startIndexMap,
  operandBatchingDims: d.operandBatchingDims ?? [],
  indicesBatchingDims: d.startIndicesBatchingDims ?? [],
});

const windows = (operand: Shape, p: GatherParams, ndim: number): Windows =>
  windowsOf(operand, windowDims(p.dimensionNumbers), p.sliceSizes, ndim);

function resultShape(
  operand: Shape,
  indices: Shape,
  dnums: GatherDimensionNumbers,
  sizes: readonly number[],
): number[] {
  const ndim = dnums.offsetDims.length + indices.length - 1;
  const { batchDims, windowAxes } = windowsOf(operand, windowDims(dnums), sizes, ndim);
  const shape = new Array<number>(ndim);
  batchDims.forEach((d, k) => (shape[d] = indices[k]!));
  windowAxes.forEach((axis, k) => (shape[dnums.offsetDims[k]!] = sizes[axis]!));
  return shape;
}
