import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, type Shape, stridesOf } from "../core/aval.js";
import { dtypeInfo } from "../core/dtype.js";
import { isLinear } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Operand } from "../kernel-ir/lowering.js";
import {
  isCount,
  list,
  requireArgument,
  requireDType,
  requireIndexDType,
  requireOneDType,
  requireShape,
} from "./checks.js";
import { definePrimitive, instantiate, ops, type PrimitiveDefinition, zerosOf } from "./define.js";
import { copyBlock, readBlock } from "./host.js";
import { clampedIndex } from "./windows.js";

export interface DynamicSliceParams {
  readonly sizes: readonly number[];
}

/** Operands: the array, then one scalar start an axis. Starts are moved so that the slice lies within the array. */
export const dynamicSlicePrimitive: PrimitiveDefinition<DynamicSliceParams> = definePrimitive<DynamicSliceParams>({
  name: "dynamic_slice",
  abstract: ([x, ...starts], { sizes }) => {
    checkStarts("dynamicSlice", x!, starts);
    requireShape(sizes.length === x!.shape.length && sizes.every((n, k) => isCount(n) && n <= x!.shape[k]!), () => ({
      code: "slice-size",
      message: `dynamicSlice: a slice of shape ${list(sizes)} does not fit into the operand`,
      operands: [["operand", x!]],
    }));
    return [{ ...x!, shape: sizes }];
  },
  evaluate: ([x, ...starts], { sizes }) => [
    readBlock(x!, { ...x!.aval, shape: sizes }, placeOf(x!.aval.shape, starts, sizes)),
  ],
  jvp: ([x, ...starts], [t], { sizes }) => {
    const y = dynamicSlice(x!, starts, sizes);
    return { outs: [y], tangents: [isZero(t) ? new Zero(y.aval) : dynamicSlice(t!, starts, sizes)] };
  },
  transpose: ([ct], [x, ...starts]) => [
    isZero(ct)
      ? new Zero(x!.aval)
      : dynamicUpdateSlice(zerosOf({ ...ct!.aval, shape: x!.aval.shape }), ct!, starts as readonly NDArray[]),
    ...starts.map(() => null),
  ],
  batch: (size, [x, ...starts], [dx, ...ds], { sizes }) => {
    const every = sizes.map((_, k) => k);
    if (ds.every((d) => d === null)) {
      const front = ops.moveAxis(x!, dx!, 0);
      return { outs: [dynamicSlice(front, [zerosOf(startType(starts)), ...starts], [size, ...sizes])], dims: [0] };
    }
    const vectors = startVectors(starts, ds, size);
    const later = every.map((k) => k + 1);
    if (dx === null) {
      const dnums = { offsetDims: later, collapsedSliceDims: [], startIndexMap: every };
      return { outs: [ops.gather(x!, vectors, dnums, sizes, { mode: "clip" })], dims: [0] };
    }
    const dnums = {
      offsetDims: later,
      collapsedSliceDims: [],
      startIndexMap: later,
      operandBatchingDims: [0],
      startIndicesBatchingDims: [0],
    };
    const front = ops.moveAxis(x!, dx!, 0);
    return {
      outs: [ops.gather(front, vectors, dnums, [Math.min(1, size), ...sizes], { mode: "clip", uniqueIndices: true })],
      dims: [0],
    };
  },
  lower: {
    kind: "element",
    element: ([x, ...starts], index, { sizes }) => x!.at(lowerPlace(x!.aval.shape, starts, sizes, index)),
  },
  facts: {
    hazards: {
      windows: (_, { sizes }) => ({ indices: 1, scalars: true, axes: sizes.map((_, k) => k), sizes }),
    },
  },
});

/** The part of `x` of shape `sizes` that begins at `starts`, moved inwards where it would reach over an edge. */
export function dynamicSlice(x: NDArray, starts: readonly NDArray[], sizes: readonly number[]): NDArray {
  return bind1(dynamicSlicePrimitive, [x, ...starts], { sizes });
}

/** Operands: the array, the update, then one scalar start an axis, moved so that the update lies within the array. */
export const dynamicUpdateSlicePrimitive: PrimitiveDefinition<Record<never, never>> = definePrimitive<
  Record<never, never>
>({
  name: "dynamic_update_slice",
  abstract: ([x, update, ...starts]) => {
    checkStarts("dynamicUpdateSlice", x!, starts);
    requireOneDType("dynamicUpdateSlice", [
      ["operand", x!],
      ["update", update!],
    ]);
    requireShape(update!.shape.length === x!.shape.length && update!.shape.every((n, k) => n <= x!.shape[k]!), () => ({
      code: "slice-size",
      message: "dynamicUpdateSlice: the update does not fit into the operand",
      operands: [
        ["operand", x!],
        ["update", update!],
      ],
    }));
    return [{ ...x!, weakType: x!.weakType && update!.weakType }];
  },
  evaluate: ([x, update, ...starts]) => {
    const { shape } = update!.aval;
    const data = x!.data.slice();
    const from = { offset: 0, strides: stridesOf(shape) };
    copyBlock(shape, update!.data, from, data, placeOf(x!.aval.shape, starts, shape), dtypeInfo[x!.aval.dtype].words);
    return [{ aval: { ...x!.aval, weakType: x!.aval.weakType && update!.aval.weakType }, data }];
  },
  jvp: ([x, update, ...starts], [dx, du]) => {
    const y = dynamicUpdateSlice(x!, update!, starts);
    return {
      outs: [y],
      tangents: [
        isZero(dx) && isZero(du) ? new Zero(y.aval) : dynamicUpdateSlice(instantiate(dx!), instantiate(du!), starts),
      ],
    };
  },
  transpose: ([ct], [x, update, ...rest]) => {
    const none = rest.map(() => null);
    if (isZero(ct)) return [new Zero(x!.aval), new Zero(update!.aval), ...none];
    const starts = rest as readonly NDArray[];
    const { shape } = update!.aval;
    return [
      isLinear(x!) ? dynamicUpdateSlice(ct!, zerosOf({ ...ct!.aval, shape }), starts) : null,
      isLinear(update!) ? dynamicSlice(ct!, starts, shape) : null,
      ...none,
    ];
  },
  batch: (size, [x, update, ...starts], [dx, du, ...ds]) => {
    const front = ops.batchInFront(x!, dx!, size);
    const updates = ops.batchInFront(update!, du!, size);
    if (ds.every((d) => d === null))
      return { outs: [dynamicUpdateSlice(front, updates, [zerosOf(startType(starts)), ...starts])], dims: [0] };
    const later = starts.map((_, k) => k + 1);
    const dnums = {
      updateWindowDims: later,
      insertedWindowDims: [],
      scatterDimsToOperandDims: later,
      operandBatchingDims: [0],
      scatterIndicesBatchingDims: [0],
    };
    return {
      outs: [ops.scatter(front, startVectors(starts, ds, size), updates, dnums, { mode: "clip", uniqueIndices: true })],
      dims: [0],
    };
  },
  lower: {
    kind: "scatter",
    scatter: ([x, update, ...starts]) => ({
      updates: update!.aval.shape,
      place: (u) => lowerPlace(x!.aval.shape, starts, update!.aval.shape, u),
      value: (u) => update!.at(u),
      when: () => null,
      combine: null,
      unique: true,
    }),
  },
  facts: {
    hazards: {
      windows: ([, update]) => {
        const sizes = update!.shape;
        return { indices: 2, scalars: true, axes: sizes.map((_, k) => k), sizes };
      },
    },
  },
});

/** `x` with the part that begins at `starts` replaced by `update`, which is moved inwards where it would reach over an edge. */
export function dynamicUpdateSlice(x: NDArray, update: NDArray, starts: readonly NDArray[]): NDArray {
  return bind1(dynamicUpdateSlicePrimitive, [x, update, ...starts], {});
}

function checkStarts(op: string, x: Aval, starts: readonly Aval[]): void {
  requireArgument(starts.length === x.shape.length && starts.every((s) => s.shape.length === 0), () => ({
    code: "slice-starts",
    message: `${op} needs one scalar start for each axis of the operand`,
    operands: [["operand", x], ...starts.map((s, k) => [`start ${k}`, s] as const)],
  }));
  for (const s of starts) requireIndexDType(op, s, "start");
  requireDType(
    starts.every((s) => s.dtype === starts[0]!.dtype),
    () => ({
      code: "dtype-mismatch",
      message: `${op} needs starts of one dtype`,
      operands: starts.map((s, k) => [`start ${k}`, s] as const),
    }),
  );
}

/** Where the window lies, its starts moved inside. */
function placeOf(shape: Shape, starts: readonly HostArray[], sizes: Shape) {
  const strides = stridesOf(shape);
  const at = starts.map((s, k) => Math.min(Math.max(s.data[0]!, 0), shape[k]! - sizes[k]!));
  return { offset: at.reduce((sum, s, k) => sum + s * strides[k]!, 0), strides };
}

const lowerPlace = (shape: Shape, starts: readonly Operand[], sizes: Shape, index: readonly ix.Index[]): ix.Index[] =>
  index.map((i, k) => ix.add(i, clampedIndex(starts[k]!.at([]), shape[k]! - sizes[k]!)));

/** The type of a start that belongs with these; a scalar array is given none to go by. */
const startType = (starts: readonly NDArray[]): Aval => ({
  shape: [],
  dtype: starts[0]?.dtype ?? "int32",
  weakType: false,
});

/** One index vector a batch element, from starts of which some are batched. */
function startVectors(starts: readonly NDArray[], dims: readonly (number | null)[], size: number): NDArray {
  return ops.concatenate(
    starts.map((s, k) => ops.reshape(ops.batchInFront(s, dims[k]!, size), [size, 1])),
    1,
  );
}
