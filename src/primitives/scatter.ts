import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, sameShape, type Shape } from "../core/aval.js";
import type { Hazards } from "../core/checks.js";
import { dtypeInfo, isNumeric } from "../core/dtype.js";
import { TransformError } from "../core/errors.js";
import { type BatchResult, isLinear, type JvpResult, none } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import type { ScatterLowering } from "../kernel-ir/lowering.js";
import type { CombineOp } from "../kernel-ir/scalar.js";
import { requireDType, requireOneDType, requireShape } from "./checks.js";
import { definePrimitive, instantiate, ops, type PrimitiveDefinition, zerosOf } from "./define.js";
import { extremalJvp, setJvp } from "./scatter-jvp.js";
import {
  checkWindows,
  forEachElement,
  type IndexMode,
  lowerWindow,
  type WindowDims,
  windowAxesOf,
  type WindowNames,
  type Windows,
  windowsOf,
} from "./windows.js";

/** As JAX's: how the axes of the updates, the operand's and those of the index vectors belong together. */
export interface ScatterDimensionNumbers {
  /** Axes of the updates that run within a window. */
  readonly updateWindowDims: readonly number[];
  /** Axes of the operand that windows lack. */
  readonly insertedWindowDims: readonly number[];
  /** Entry k of an index vector counts along operand axis scatterDimsToOperandDims[k]. */
  readonly scatterDimsToOperandDims: readonly number[];
  readonly operandBatchingDims?: readonly number[];
  readonly scatterIndicesBatchingDims?: readonly number[];
}

export interface ScatterParams {
  readonly dimensionNumbers: ScatterDimensionNumbers;
  /** Updates outside of the operand are dropped, unless the mode is `clip`. */
  readonly mode: IndexMode;
  /** No element is updated twice, after clipping too: a promise. */
  readonly uniqueIndices: boolean;
}

export interface ScatterOptions {
  readonly mode: IndexMode;
  readonly uniqueIndices?: boolean | undefined;
}

const scatterHazards: Hazards<ScatterParams> = {
  nan: true,
  windows([x, , updates], { dimensionNumbers: dnums }) {
    const axes = dnums.scatterDimsToOperandDims;
    const sizes = windowSizes(x!.shape, updates!.shape, windowDims(dnums));
    return { indices: 1, scalars: false, axes, sizes: axes.map((axis) => sizes[axis]!) };
  },
};

/** Sets elements; of several updates of one element the last wins. */
export const scatterPrimitive: PrimitiveDefinition<ScatterParams> = definePrimitive<ScatterParams>({
  name: "scatter",
  abstract: ([x, indices, updates], p) => [scatterAval("scatter", x!, indices!, updates!, p)],
  evaluate: ([x, indices, updates], p) => [evaluateScatter(x!, indices!, updates!, p, null)],
  jvp: (primals, tangents, p) => setJvp(scatterPrimitive, primals, tangents, p),
  transpose: ([ct], [x, indices, updates], p) => {
    if (isZero(ct)) return [new Zero(x!.aval), null, new Zero(updates!.aval)];
    if (!p.uniqueIndices) {
      throw new TransformError({
        code: "scatter-transpose",
        message: "scatter has a transpose only where its indices are promised to be unique",
        hint: "pass uniqueIndices: true if no element is set twice; grad and vjp need no promise",
      });
    }
    const dx = isLinear(x!)
      ? bind1(scatterPrimitive, [ct!, indices as NDArray, zerosOf({ ...ct!.aval, shape: updates!.aval.shape })], p)
      : null;
    return [dx, null, isLinear(updates!) ? gatherBack(ct!, indices as NDArray, updates.aval.shape, p) : null];
  },
  batch: (size, inputs, dims, p) => batchScatter(scatterPrimitive, size, inputs, dims, p),
  lower: scatterLowering(null),
  facts: { cost: 4, hazards: scatterHazards },
});

/** Adds updates to elements; several of one element all count. */
export const scatterAddPrimitive: PrimitiveDefinition<ScatterParams> = definePrimitive<ScatterParams>({
  name: "scatter-add",
  abstract: ([x, indices, updates], p) => [numericAval("scatterAdd", x!, indices!, updates!, p)],
  evaluate: ([x, indices, updates], p) => [evaluateScatter(x!, indices!, updates!, p, (a, b) => a + b)],
  jvp: ([x, indices, updates], [dx, , du], p) => {
    const y = bind1(scatterAddPrimitive, [x!, indices!, updates!], p);
    if (isZero(dx) && isZero(du)) return { outs: [y], tangents: [new Zero(y.aval)] };
    return { outs: [y], tangents: [bind1(scatterAddPrimitive, [instantiate(dx!), indices!, instantiate(du!)], p)] };
  },
  transpose: ([ct], [x, indices, updates], p) => {
    if (isZero(ct)) return [new Zero(x!.aval), null, new Zero(updates!.aval)];
    return [
      isLinear(x!) ? ct! : null,
      null,
      isLinear(updates!) ? gatherBack(ct!, indices as NDArray, updates.aval.shape, p) : null,
    ];
  },
  batch: (size, inputs, dims, p) => batchScatter(scatterAddPrimitive, size, inputs, dims, p),
  lower: scatterLowering("add"),
  facts: { cost: 4, hazards: scatterHazards },
});

/** Multiplies elements by updates. */
export const scatterMulPrimitive: PrimitiveDefinition<ScatterParams> = definePrimitive<ScatterParams>({
  name: "scatter-mul",
  abstract: ([x, indices, updates], p) => [numericAval("scatterMul", x!, indices!, updates!, p)],
  evaluate: ([x, indices, updates], p) => [
    evaluateScatter(x!, indices!, updates!, p, x!.aval.dtype.startsWith("float") ? (a, b) => a * b : Math.imul),
  ],
  jvp: ([x, indices, updates], [dx, , du], p): JvpResult => {
    const y = bind1(scatterMulPrimitive, [x!, indices!, updates!], p);
    const ofX = isZero(dx) ? new Zero(y.aval) : bind1(scatterMulPrimitive, [dx!, indices!, updates!], p);
    if (isZero(du)) return { outs: [y], tangents: [ofX] };
    requireUnique(p);
    const ofUpdates = ops.mul(
      x!,
      bind1(scatterAddPrimitive, [zerosOf({ ...du!.aval, shape: x!.shape }), indices!, du!], p),
    );
    return { outs: [y], tangents: [isZero(ofX) ? ofUpdates : ops.add(ofX, ofUpdates)] };
  },
  transpose: ([ct], [x, indices, updates], p) => {
    if (isZero(ct)) return [new Zero(x!.aval), null, new Zero(updates!.aval)];
    if (isLinear(x!)) return [bind1(scatterMulPrimitive, [ct!, indices as NDArray, updates as NDArray], p), null, null];
    requireUnique(p);
    return [null, null, gatherBack(ops.mul(ct!, x!), indices as NDArray, updates!.aval.shape, p)];
  },
  batch: (size, inputs, dims, p) => batchScatter(scatterMulPrimitive, size, inputs, dims, p),
  lower: scatterLowering("mul"),
  facts: { cost: 4, hazards: scatterHazards },
});

/** Lowers elements to updates that are less. Updates and elements that tie share the tangent. */
export const scatterMinPrimitive: PrimitiveDefinition<ScatterParams> = definePrimitive<ScatterParams>({
  name: "scatter-min",
  abstract: ([x, indices, updates], p) => [numericAval("scatterMin", x!, indices!, updates!, p)],
  evaluate: ([x, indices, updates], p) => [evaluateScatter(x!, indices!, updates!, p, Math.min)],
  jvp: (primals, tangents, p) => extremalJvp(scatterMinPrimitive, primals, tangents, p),
  transpose: none("it is not linear"),
  batch: (size, inputs, dims, p) => batchScatter(scatterMinPrimitive, size, inputs, dims, p),
  lower: scatterLowering("min"),
  facts: { cost: 4, hazards: scatterHazards },
});

/** Raises elements to updates that are greater. Updates and elements that tie share the tangent. */
export const scatterMaxPrimitive: PrimitiveDefinition<ScatterParams> = definePrimitive<ScatterParams>({
  name: "scatter-max",
  abstract: ([x, indices, updates], p) => [numericAval("scatterMax", x!, indices!, updates!, p)],
  evaluate: ([x, indices, updates], p) => [evaluateScatter(x!, indices!, updates!, p, Math.max)],
  jvp: (primals, tangents, p) => extremalJvp(scatterMaxPrimitive, primals, tangents, p),
  transpose: none("it is not linear"),
  batch: (size, inputs, dims, p) => batchScatter(scatterMaxPrimitive, size, inputs, dims, p),
  lower: scatterLowering("max"),
  facts: { cost: 4, hazards: scatterHazards },
});

type Scatter = (
  x: NDArray,
  indices: NDArray,
  updates: NDArray,
  dnums: ScatterDimensionNumbers,
  options: ScatterOptions,
) => NDArray;
const wrap =
  (primitive: () => PrimitiveDefinition<ScatterParams>): Scatter =>
  (x, indices, updates, dnums, { mode, uniqueIndices = false }) =>
    bind1(primitive(), [x, indices, updates], { dimensionNumbers: dnums, mode, uniqueIndices });

/** `x` with windows at the index vectors along the last axis of `indices` set to `updates`. */
export const scatter: Scatter = wrap(() => scatterPrimitive);
/** As `scatter`, but adds to the elements. */
export const scatterAdd: Scatter = wrap(() => scatterAddPrimitive);
/** As `scatter`, but multiplies the elements. */
export const scatterMul: Scatter = wrap(() => scatterMulPrimitive);
/** As `scatter`, but keeps the lesser of element and update. */
export const scatterMin: Scatter = wrap(() => scatterMinPrimitive);
/** As `scatter`, but keeps the greater of element and update. */
export const scatterMax: Scatter = wrap(() => scatterMaxPrimitive);

const names: WindowNames = {
  windowDims: "updateWindowDims",
  droppedDims: "insertedWindowDims",
  startDims: "scatterDimsToOperandDims",
  operandBatchingDims: "operandBatchingDims",
  indicesBatchingDims: "scatterIndicesBatchingDims",
};

function windowDims(d: ScatterDimensionNumbers): WindowDims {
  return {
    windowDims: d.updateWindowDims,
    droppedDims: d.insertedWindowDims,
    startDims: d.scatterDimsToOperandDims,
    operandBatchingDims: d.operandBatchingDims ?? [],
    indicesBatchingDims: d.scatterIndicesBatchingDims ?? [],
  };
}

/** Sizes of the windows along the operand's axes. */
function windowSizes(operand: Shape, updates: Shape, dims: WindowDims): number[] {
  const sizes = operand.map(() => 1);
  windowAxesOf(operand.length, dims).forEach((axis, k) => (sizes[axis] = updates[dims.windowDims[k]!] ?? -1));
  return sizes;
}

function windows(operand: Shape, updates: Shape, d: ScatterDimensionNumbers): Windows {
  const dims = windowDims(d);
  return windowsOf(operand, dims, windowSizes(operand, updates, dims), updates.length);
}

function scatterAval(
  what: string,
  x: Aval,
  indices: Aval,
  updates: Aval,
  { dimensionNumbers: dnums }: ScatterParams,
): Aval {
  requireOneDType(what, [
    ["operand", x],
    ["updates", updates],
  ]);
  const dims = windowDims(dnums);
  const ndim = updates.shape.length;
  requireShape(ndim === dims.windowDims.length + indices.shape.length - 1, () => ({
    code: "scatter-updates",
    message: `${what}: updates must have the axes of indices without the last, and the windows' axes`,
    operands: [
      ["operand", x],
      ["indices", indices],
      ["updates", updates],
    ],
  }));
  checkWindows(what, x, indices, dims, windowSizes(x.shape, updates.shape, dims), ndim, names);
  const { batchDims } = windows(x.shape, updates.shape, dnums);
  requireShape(
    sameShape(
      batchDims.map((d) => updates.shape[d]!),
      indices.shape.slice(0, -1),
    ),
    () => ({
      code: "scatter-updates",
      message: `${what}: updates must have one window for each index vector`,
      operands: [
        ["operand", x],
        ["indices", indices],
        ["updates", updates],
      ],
    }),
  );
  return x;
}

function numericAval(what: string, x: Aval, indices: Aval, updates: Aval, p: ScatterParams): Aval {
  requireDType(isNumeric(x.dtype), () => ({
    code: "dtype-arithmetic",
    message: `${what} needs numbers`,
    operands: [
      ["operand", x],
      ["updates", updates],
    ],
  }));
  return scatterAval(what, x, indices, updates, p);
}

function evaluateScatter(
  x: HostArray,
  indices: HostArray,
  updates: HostArray,
  p: ScatterParams,
  combine: ((a: number, b: number) => number) | null,
): HostArray {
  const data = x.data.slice();
  const { words } = dtypeInfo[x.aval.dtype];
  forEachElement(
    windows(x.aval.shape, updates.aval.shape, p.dimensionNumbers),
    updates.aval.shape,
    indices,
    p.mode === "clip",
    (at, place) => {
      if (place < 0) return;
      for (let w = 0; w < words; w++) {
        const update = updates.data[at * words + w]!;
        data[place * words + w] = combine === null ? update : combine(data[place * words + w]!, update);
      }
    },
  );
  return { aval: x.aval, data };
}

function scatterLowering(combine: CombineOp | null): ScatterLowering<ScatterParams> {
  return {
    kind: "scatter",
    scatter: ([x, indices, updates], { dimensionNumbers: dnums, mode, uniqueIndices }) => {
      const w = windows(x!.aval.shape, updates!.aval.shape, dnums);
      return {
        updates: updates!.aval.shape,
        place: (u) => lowerWindow(w, indices!, u, mode !== "clip").place,
        value: (u) => updates!.at(u),
        when: (u) => (mode === "clip" ? null : lowerWindow(w, indices!, u).inside),
        combine,
        unique: uniqueIndices,
      };
    },
  };
}

/** The inverse of a scatter's movement: the operand's elements where the updates went; by default 0 for updates that were dropped. */
export function gatherBack(
  x: NDArray,
  indices: NDArray,
  updates: Shape,
  { dimensionNumbers: dnums, mode: given, uniqueIndices }: ScatterParams,
  mode: IndexMode = given === "clip" ? given : "fill",
): NDArray {
  const gdims = {
    offsetDims: dnums.updateWindowDims,
    collapsedSliceDims: dnums.insertedWindowDims,
    startIndexMap: dnums.scatterDimsToOperandDims,
    operandBatchingDims: dnums.operandBatchingDims ?? [],
    startIndicesBatchingDims: dnums.scatterIndicesBatchingDims ?? [],
  };
  const options = { mode, fillValue: 0, uniqueIndices } as const;
  return ops.gather(x, indices, gdims, windowSizes(x.shape, updates, windowDims(dnums)), options);
}

function batchScatter(
  primitive: PrimitiveDefinition<ScatterParams>,
  size: number,
  [x, indices, updates]: readonly NDArray[],
  [dx, di, du]: readonly (number | null)[],
  p: ScatterParams,
): BatchResult {
  const later = (dims: readonly number[] = []): number[] => dims.map((k) => k + 1);
  const d = p.dimensionNumbers;
  const front = ops.batchInFront(x!, dx!, size);
  const windowsInFront = ops.batchInFront(updates!, du!, size);
  const dnums: ScatterDimensionNumbers = {
    updateWindowDims: later(d.updateWindowDims),
    insertedWindowDims: later(d.insertedWindowDims),
    scatterDimsToOperandDims: later(d.scatterDimsToOperandDims),
    operandBatchingDims: later(d.operandBatchingDims),
    scatterIndicesBatchingDims: d.scatterIndicesBatchingDims ?? [],
  };
  if (di === null) {
    const wider = { ...dnums, updateWindowDims: [0, ...dnums.updateWindowDims] };
    return {
      outs: [bind1(primitive, [front, indices!, windowsInFront], { ...p, dimensionNumbers: wider })],
      dims: [0],
    };
  }
  const batched = {
    ...dnums,
    operandBatchingDims: [0, ...dnums.operandBatchingDims!],
    scatterIndicesBatchingDims: [0, ...later(d.scatterIndicesBatchingDims)],
  };
  return {
    outs: [
      bind1(primitive, [front, ops.moveAxis(indices!, di!, 0), windowsInFront], { ...p, dimensionNumbers: batched }),
    ],
    dims: [0],
  };
}

function requireUnique(p: ScatterParams): void {
  if (p.uniqueIndices) return;
  throw new TransformError({
    code: "scatter-mul-unique",
    message: "scatterMul has a derivative in its updates only where its indices are promised to be unique",
    hint: "pass uniqueIndices: true if no element is multiplied twice",
  });
}
