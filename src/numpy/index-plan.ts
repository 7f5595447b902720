import { NDArray } from "../core/array.js";
import { broadcastShapes, type Shape, sizeOf } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, counted, DTypeError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { fromEnd } from "../lax/from-end.js";
import * as p from "../primitives/all.js";
import { expandTo } from "./promotion.js";

/**
 * An index as `slice` and `at` take it, one entry an axis: a number, a range (`[]` the whole axis, `[a]` from a to the end,
 * `[a, b]`, `[a, b, step]`), `null` for a new axis, `"..."` for all axes that are not named, or an integer array. A list is
 * always a range, never an array.
 */
export type Index = number | readonly (number | null)[] | null | "..." | NDArray;

/** What happens on one axis of the array. */
type AxisIndex =
  | {
      readonly kind: "number";
      /** Its place, counted from the front. */
      readonly at: number;
      readonly given: number;
    }
  | {
      readonly kind: "range";
      readonly start: number;
      readonly step: number;
      readonly count: number;
      readonly whole: boolean;
    }
  | { readonly kind: "array"; readonly indices: NDArray };

/** An index resolved for a shape. */
export interface IndexPlan {
  readonly shape: Shape;
  readonly axes: readonly AxisIndex[];
  /** Axes of the result in order: of the array's axes that are ranges, of the block of arrays, new ones. */
  readonly result: readonly (number | "block" | "new")[];
  /** The shape that index arrays broadcast to; undefined where there are none. */
  readonly block: Shape | undefined;
}

/** Resolves an index. @throws ArgumentError `index-count`, `index-range`, `index-invalid`; DTypeError `index-dtype`. */
export function planIndex(shape: Shape, index: readonly Index[], op: string): IndexPlan {
  const full = fillIn(shape, index, op);
  const axes: AxisIndex[] = [];
  const order: (number | "new")[] = [];
  for (const i of full) {
    if (i === null) {
      order.push("new");
      continue;
    }
    const axis = axes.length;
    axes.push(resolve(i, shape[axis]!, axis, op));
    order.push(axis);
  }
  const arrays = axes.flatMap((a) => (a.kind === "array" ? [a.indices] : []));
  const block =
    arrays.length === 0
      ? undefined
      : broadcastShapes(
          arrays.map((a) => a.shape),
          op,
        );
  return { shape, axes, result: arrangement(order, axes, block !== undefined), block };
}

/** Replaces "..." and adds what is missing at the end: whole axes. */
function fillIn(shape: Shape, index: readonly Index[], op: string): Exclude<Index, "...">[] {
  const named = index.filter((i) => i !== null && i !== "...").length;
  const dots = index.filter((i) => i === "...").length;
  if (named > shape.length || dots > 1) {
    throw new ArgumentError({
      code: "index-count",
      message:
        dots > 1
          ? `${op}: "..." may stand once`
          : `${op}: ${named} indices for an array of ${counted(shape.length, "axis", "axes")}`,
      details: [["array", `[${shape.join(",")}]`]],
    });
  }
  const rest = new Array<readonly number[]>(shape.length - named).fill([]);
  const at = index.indexOf("...");
  const parts = at < 0 ? [...index, ...rest] : [...index.slice(0, at), ...rest, ...index.slice(at + 1)];
  return parts as Exclude<Index, "...">[];
}

function resolve(i: Exclude<Index, null | "...">, n: number, axis: number, op: string): AxisIndex {
  if (i instanceof NDArray) return { kind: "array", indices: integers(i, op) };
  if (typeof i === "number") {
    if (!Number.isInteger(i) || i < -n || i >= n) {
      throw new ArgumentError({
        code: "index-range",
        message: `${op}: index ${i} is out of bounds for axis ${axis} of length ${n}`,
        hint: Number.isInteger(i) ? `indices run from ${-n} to ${n - 1}` : "indices are whole numbers",
      });
    }
    return { kind: "number", at: i < 0 ? i + n : i, given: i };
  }
  if (Array.isArray(i)) return range(i as readonly (number | null)[], n, op);
  throw new ArgumentError({
    code: "index-invalid",
    message: `${op}: ${describeValue(i)} is no index`,
    hint: "use numbers, ranges [start, stop, step], null for a new axis, or integer arrays",
  });
}

/** Demands an array of integers. @throws DTypeError `index-dtype`. */
export function integers(i: NDArray, op: string): NDArray {
  if (isInteger(i.dtype)) return i;
  throw new DTypeError({
    code: "index-dtype",
    message: `${op}: index arrays hold integers, not ${i.dtype}`,
    hint:
      i.dtype === "bool"
        ? "the result's shape would depend on the mask's values: use np.where(mask, a, b), or at(mask).set(…)"
        : `convert with .astype("int32")`,
  });
}

/** Python's rules for slices. */
function range(r: readonly (number | null)[], n: number, op: string): AxisIndex {
  const step = r[2] ?? 1;
  if (r.length > 3 || step === 0 || r.some((x) => x !== null && !Number.isInteger(x))) {
    const hasArray = r.some((x: unknown) => x instanceof NDArray);
    throw new ArgumentError({
      code: "index-invalid",
      message: `${op}: [${r.map((x) => (typeof x === "object" ? describeValue(x) : String(x))).join(", ")}] is no range`,
      hint: hasArray
        ? "ranges are of numbers, for they decide a shape; lax.dynamicSlice takes a piece of known length from where an array says"
        : "a range is [], [start], [start, stop] or [start, stop, step] of whole numbers, step not 0",
    });
  }
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const bound = (x: number | null | undefined, otherwise: number): number =>
    x == null ? otherwise : Math.min(Math.max(x < 0 ? x + n : x, low), high);
  const start = bound(r[0], step > 0 ? 0 : n - 1);
  const stop = bound(r[1], step > 0 ? n : -1);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return { kind: "range", start, step, count, whole: start === 0 && step === 1 && count === n };
}

/** NumPy's rule: arrays (and numbers among them) that stand together keep their place, else their axes come first. */
function arrangement(
  order: readonly (number | "new")[],
  axes: readonly AxisIndex[],
  hasBlock: boolean,
): (number | "block" | "new")[] {
  const isAdvanced = (o: number | "new"): boolean => o !== "new" && axes[o]!.kind !== "range";
  const result: (number | "block" | "new")[] = order.filter((o) => !isAdvanced(o));
  if (!hasBlock) return result;
  const positions = order.flatMap((o, k) => (isAdvanced(o) ? [k] : []));
  const together = positions.at(-1)! - positions[0]! === positions.length - 1;
  const before = together ? order.slice(0, positions[0]).length : 0;
  result.splice(before, 0, "block");
  return result;
}

/** The shape of what the index selects. */
export function selectedShape(plan: IndexPlan): number[] {
  return plan.result.flatMap((r) => (r === "new" ? [1] : r === "block" ? [...plan.block!] : [lengthOf(plan.axes[r]!)]));
}

const lengthOf = (a: AxisIndex): number => (a.kind === "range" ? a.count : 1);

/** The selected shape without new axes: what gather gives and scatter takes. */
export function gatheredShape(plan: IndexPlan): number[] {
  return plan.result.flatMap((r) => (r === "new" ? [] : r === "block" ? [...plan.block!] : [lengthOf(plan.axes[r]!)]));
}

/** A plan as gather and scatter want it. */
export interface WindowPlan {
  /** Index vectors along the last axis. */
  readonly indices: NDArray;
  /** Axes of the array that the vectors count along. */
  readonly indexed: readonly number[];
  /** Axes of the array of which a window has one element, and which the result lacks. */
  readonly dropped: readonly number[];
  /** Axes of the result that run within windows. */
  readonly windows: readonly number[];
  /** Shape of a window. */
  readonly sizes: readonly number[];
}

/**
 * Index vectors for every window that is selected: axes that are taken whole or in one run belong to the windows. Negative
 * numbers and entries of arrays count from the end where `wrap` holds.
 */
export function windowPlan(plan: IndexPlan, wrap: boolean): WindowPlan {
  const parts = plan.result.filter((r): r is number | "block" => r !== "new");
  const windows: number[] = [];
  const grid: number[] = [];
  const placeOf = new Map<number | "block", number>();
  let position = 0;
  for (const r of parts) {
    if (r !== "block" && isRun(plan.axes[r]!)) windows.push(position++);
    else {
      placeOf.set(r, grid.length);
      const dims = r === "block" ? [...plan.block!] : [lengthOf(plan.axes[r]!)];
      grid.push(...dims);
      position += dims.length;
    }
  }
  const indexed = plan.axes.flatMap((a, k) => (isWhole(a) ? [] : [k]));
  const fixed = (start: number): NDArray => p.full(start, { shape: grid, dtype: "int32", weakType: false });
  const vectors = indexed.map((k) => {
    const a = plan.axes[k]!;
    if (a.kind === "number") return fixed(wrap ? a.at : a.given);
    if (a.kind === "range") {
      if (isRun(a)) return fixed(a.start);
      return p.add(p.mul(p.iota("int32", grid, placeOf.get(k)!), a.step), a.start);
    }
    const i = p.convertElementType(a.indices, "int32");
    const n = plan.shape[k]!;
    const counted = wrap && a.indices.dtype !== "uint32" ? fromEnd(i, n) : i;
    const spread = expandTo(counted, plan.block!);
    const start = placeOf.get("block")!;
    return p.broadcastInDim(
      spread,
      grid,
      plan.block!.map((_, d) => start + d),
    );
  });
  const columns = vectors.map((v) => p.expandDims(v, [grid.length]));
  const indices =
    columns.length === 0
      ? p.zerosOf({ shape: [...grid, 0], dtype: "int32", weakType: false })
      : columns.length === 1
        ? columns[0]!
        : p.concatenate(columns, grid.length);
  return {
    indices,
    indexed,
    dropped: plan.axes.flatMap((a, k) => (isRun(a) ? [] : [k])),
    windows,
    sizes: plan.axes.map((a) => (isRun(a) ? lengthOf(a) : 1)),
  };
}

/** Whether the index's numbers stay in bounds also where negative ones do not count from the end. */
export const staysInBounds = (plan: IndexPlan, wrap: boolean): boolean =>
  wrap || plan.axes.every((a) => a.kind !== "number" || a.given >= 0);

/** Where the one box lies that an index selects; undefined where it selects by arrays, in steps or backwards. */
export function boxStarts(plan: IndexPlan): number[] | undefined {
  const starts = plan.axes.map((a) =>
    a.kind === "number" ? a.at : a.kind === "range" && isRun(a) ? a.start : undefined,
  );
  return starts.includes(undefined) ? undefined : (starts as number[]);
}

/** The shape of the box, without new axes and with those of numbers. */
export const boxShape = (plan: IndexPlan): number[] => plan.axes.map(lengthOf);

/** Whether a range is elements in a row. */
const isRun = (a: AxisIndex): boolean => a.kind === "range" && (a.step === 1 || (a.count === 1 && a.step > 0));
/** Whether single indices and whole runs select one box: what is out of bounds then moves the box, as in `dynamicSlice`. */
export const movesBox = (plan: IndexPlan): boolean =>
  plan.block?.length === 0 && plan.axes.every((a) => a.kind !== "range" || Math.abs(a.step) === 1);
const isWhole = (a: AxisIndex): boolean => a.kind === "range" && a.whole;

/** Selects without gathering, where the index holds no arrays: slices, reversals and reshapes. */
export function selectStatic(x: NDArray, plan: IndexPlan): NDArray {
  const ranges = plan.axes.map((a) => {
    if (a.kind === "number") return { start: a.at, limit: a.at + 1, stride: 1, reversed: false };
    const { start, step, count } = a as Extract<AxisIndex, { kind: "range" }>;
    if (count === 0) return { start: 0, limit: 0, stride: 1, reversed: false };
    const last = start + (count - 1) * step;
    return step > 0
      ? { start, limit: last + 1, stride: step, reversed: false }
      : { start: last, limit: start + 1, stride: -step, reversed: true };
  });
  const part = p.slice(
    x,
    ranges.map((r) => r.start),
    ranges.map((r) => r.limit),
    ranges.map((r) => r.stride),
  );
  const turned = ranges.flatMap((r, k) => (r.reversed ? [k] : []));
  return p.reshape(turned.length === 0 ? part : p.rev(part, turned), selectedShape(plan));
}

export const isEmptySelection = (plan: IndexPlan): boolean => sizeOf(selectedShape(plan)) === 0;
