import { type Aval, type HostArray, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Operand } from "../kernel-ir/lowering.js";
import { constant, type Expr, op } from "../kernel-ir/scalar.js";
import { areAxes, isCount, isIncreasing, list, requireArgument, requireIndexDType, requireShape } from "./checks.js";
import { forEachIndex } from "./host.js";

/**
 * What an index that points outside of the operand does. `clip` moves the window inside. `fill`: a gather gives the fill
 * value, a scatter does nothing. `promiseInBounds`: as XLA does it, a gather clips and a scatter does nothing.
 */
export type IndexMode = "clip" | "fill" | "promiseInBounds";

/**
 * Windows of an operand, one for each index vector, as gather reads and scatter writes them. The windows together form the
 * "windowed" array: the result of the gather, the updates of the scatter. Its axes `windowDims` run within a window; the
 * others, in order, are the axes of `indices` without the last, which is the index vector.
 */
export interface WindowDims {
  readonly windowDims: readonly number[];
  /** Operand axes that windows lack; their size is 1. */
  readonly droppedDims: readonly number[];
  /** Entry k of an index vector counts along operand axis startDims[k]. */
  readonly startDims: readonly number[];
  /** Operand axes that are walked along with axes of `indices`: their size is 1 too. */
  readonly operandBatchingDims: readonly number[];
  readonly indicesBatchingDims: readonly number[];
}

/** How errors call the fields of WindowDims. */
export type WindowNames = Readonly<Record<keyof WindowDims, string>>;

export interface Windows {
  readonly operand: Shape;
  readonly dims: WindowDims;
  /** Size of a window along each operand axis. */
  readonly sizes: readonly number[];
  /** Axes of the windowed array that are axes of `indices`. */
  readonly batchDims: readonly number[];
  /** The operand axis that windowDims[k] runs along. */
  readonly windowAxes: readonly number[];
}

/** Works out how windows lie; `ndim` is the rank of the windowed array. */
export function windowsOf(operand: Shape, dims: WindowDims, sizes: readonly number[], ndim: number): Windows {
  return {
    operand,
    dims,
    sizes,
    batchDims: Array.from({ length: ndim }, (_, k) => k).filter((k) => !dims.windowDims.includes(k)),
    windowAxes: windowAxesOf(operand.length, dims),
  };
}

export const windowAxesOf = (ndim: number, dims: WindowDims): number[] =>
  Array.from({ length: ndim }, (_, k) => k).filter(
    (k) => !dims.droppedDims.includes(k) && !dims.operandBatchingDims.includes(k),
  );

/** Refuses dimension numbers that do not describe windows. `ndim` is the rank of the windowed array. */
export function checkWindows(
  what: string,
  operand: Aval,
  indices: Aval,
  dims: WindowDims,
  sizes: readonly number[],
  ndim: number,
  names: WindowNames,
): void {
  const operands = [
    ["operand", operand],
    ["indices", indices],
  ] as const;
  requireIndexDType(what, indices);
  requireShape(indices.shape.length > 0, () => ({
    code: "index-vector",
    message: `${what}: the last axis of indices is the index vector, so they cannot be a scalar`,
    operands,
    hint: "give them a last axis of length 1",
  }));
  const rank = operand.shape.length;
  const nIndex = indices.shape.length - 1;
  const axes = (key: keyof WindowDims, of: string, n: number, increasing: boolean): void =>
    requireArgument(areAxes(dims[key], n) && (!increasing || isIncreasing(dims[key])), () => ({
      code: "window-dims",
      message: `${what}: ${names[key]} ${list(dims[key])} must be distinct axes of ${of}${increasing ? ", in increasing order" : ""}`,
      operands,
    }));
  axes("windowDims", `an array of ${ndim} dimensions`, ndim, true);
  axes("droppedDims", "the operand", rank, true);
  axes("startDims", "the operand", rank, false);
  axes("operandBatchingDims", "the operand", rank, true);
  axes("indicesBatchingDims", "indices without the last", nIndex, false);
  requireShape(dims.startDims.length === indices.shape[nIndex], () => ({
    code: "index-vector",
    message: `${what}: ${names.startDims} ${list(dims.startDims)} needs one entry for each of the ${indices.shape[nIndex]} entries of an index vector`,
    operands,
  }));
  const disjoint = dims.operandBatchingDims.every((k) => !dims.droppedDims.includes(k) && !dims.startDims.includes(k));
  requireArgument(disjoint, () => ({
    code: "window-dims",
    message: `${what}: ${names.operandBatchingDims} ${list(dims.operandBatchingDims)} may appear neither in ${names.droppedDims} nor in ${names.startDims}`,
    operands,
  }));
  const paired =
    dims.operandBatchingDims.length === dims.indicesBatchingDims.length &&
    dims.operandBatchingDims.every((k, i) => operand.shape[k] === indices.shape[dims.indicesBatchingDims[i]!]);
  requireShape(paired, () => ({
    code: "window-batch",
    message: `${what}: ${names.operandBatchingDims} ${list(dims.operandBatchingDims)} and ${names.indicesBatchingDims} ${list(dims.indicesBatchingDims)} must be axes of equal lengths`,
    operands,
  }));
  requireArgument(sizes.length === rank && windowAxesOf(rank, dims).length === dims.windowDims.length, () => ({
    code: "window-dims",
    message: `${what}: each axis of the operand must run within windows (${names.windowDims}), be dropped (${names.droppedDims}) or be a batch axis`,
    operands,
  }));
  const fits = sizes.every((n, k) => isCount(n) && (n <= operand.shape[k]! || sizeOf(indices.shape) === 0));
  requireShape(fits, () => ({
    code: "window-size",
    message: `${what}: windows of shape ${list(sizes)} do not fit into the operand`,
    operands,
  }));
  requireShape(
    dims.droppedDims.every((k) => sizes[k] === 1) && dims.operandBatchingDims.every((k) => sizes[k]! <= 1),
    () => ({
      code: "window-size",
      message: `${what}: windows of shape ${list(sizes)} must have length 1 along the axes that they lack`,
      operands,
    }),
  );
}

/**
 * Walks the elements of the windowed array in row-major order; `body` gets each one's place there and in the operand, or
 * −1 where its window is outside and the mode is not to clip.
 */
export function forEachElement(
  w: Windows,
  windowed: Shape,
  indices: HostArray,
  clip: boolean,
  body: (at: number, place: number) => void,
): void {
  const strides = stridesOf(w.operand);
  const indexStrides = stridesOf(indices.aval.shape);
  forEachIndex(windowed, (u, at) => {
    let vector = 0;
    w.batchDims.forEach((d, k) => (vector += u[d]! * indexStrides[k]!));
    let place = 0;
    let inside = true;
    w.dims.startDims.forEach((axis, k) => {
      const start = indices.data[vector + k]!;
      const last = w.operand[axis]! - w.sizes[axis]!;
      if (start < 0 || start > last) inside = false;
      place += Math.min(Math.max(start, 0), last) * strides[axis]!;
    });
    w.dims.operandBatchingDims.forEach(
      (axis, k) => (place += u[w.batchDims[w.dims.indicesBatchingDims[k]!]!]! * strides[axis]!),
    );
    w.windowAxes.forEach((axis, k) => (place += u[w.dims.windowDims[k]!]! * strides[axis]!));
    body(at, inside || clip ? place : -1);
  });
}

/**
 * The operand's index for element `u` of the windowed array, and whether the window is inside (null: always). The index is
 * within bounds, or, for those who ask first, where the window is inside.
 */
export function lowerWindow(
  w: Windows,
  indices: Operand,
  u: readonly ix.Index[],
  asksFirst = false,
): { place: ix.Index[]; inside: Expr | null } {
  const batch = w.batchDims.map((d) => u[d]!);
  const place = w.operand.map(() => ix.lit(0));
  let inside: Expr | null = null;
  const both = (a: Expr | null, b: Expr): Expr => (a === null ? b : op("and", [a, b]));
  w.dims.startDims.forEach((axis, k) => {
    const raw = indices.at([...batch, ix.lit(k)]);
    const last = Math.max(0, w.operand[axis]! - w.sizes[axis]!);
    // as a word without a sign, what is negative is large
    const word = raw.type === "i32" ? op("convert", [raw], "u32") : raw;
    inside = both(inside, op("le", [word, constant(word.type, last)]));
    const isSafe = asksFirst && last > 0;
    place[axis] = isSafe
      ? ix.valueIndex(raw.type === "i32" ? raw : op("convert", [raw], "i32"), 0, last)
      : clampedIndex(raw, last);
  });
  w.dims.operandBatchingDims.forEach((axis, k) => (place[axis] = batch[w.dims.indicesBatchingDims[k]!]!));
  w.windowAxes.forEach((axis, k) => (place[axis] = ix.add(place[axis]!, u[w.dims.windowDims[k]!]!)));
  return { place, inside };
}

/** An index loaded from memory, moved into [0, last]. */
export function clampedIndex(raw: Expr, last: number): ix.Index {
  if (last <= 0) return ix.lit(0);
  const below = op("min", [raw, constant(raw.type, last)]);
  const inside = raw.type === "i32" ? op("max", [below, constant("i32", 0)]) : op("convert", [below], "i32");
  return ix.valueIndex(inside, 0, last);
}
