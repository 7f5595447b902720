import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { convert, convertAll, resultElementType } from "./promotion.js";
import { to2d, to3d } from "./shape.js";

/** Putting arrays together and taking them apart. */

/** Arrays of a list, or an array along its first axis. */
function listOf(op: string, arrays: unknown): ArrayLike[] {
  if (Array.isArray(arrays)) {
    if (arrays.length > 0) return arrays as ArrayLike[];
    throw new ArgumentError({ code: "list-empty", message: `${op} needs at least one array` });
  }
  if (typeof arrays === "object" && arrays !== null && "aval" in arrays) return unstackOf(arrays as NDArray, 0);
  throw new ArgumentError({
    code: "list-needed",
    message: `${op} takes a list of arrays, not ${describeValue(arrays)}`,
    hint: `${op}([x, y])`,
  });
}

function promoted(op: string, list: readonly ArrayLike[], dtype?: DType | null): NDArray[] {
  if (dtype !== undefined && dtype !== null) return list.map((x) => convert(asArray(x, op), asDType(dtype)));
  return convertAll(list, resultElementType(op, list));
}

/** Joins arrays of one dtype along an axis. @throws ShapeError `concatenate-shapes`. */
function join(op: string, xs: readonly NDArray[], axis: number): NDArray {
  const first = xs[0]!;
  if (first.ndim === 0) {
    throw new ShapeError({
      code: "concatenate-shapes",
      message: `${op}: arrays without dimensions cannot be joined`,
      hint: "np.stack makes an axis for them",
    });
  }
  const at = normalizeAxis(axis, first.ndim, op);
  if (xs.some((x) => x.ndim !== first.ndim || x.shape.some((d, i) => i !== at && d !== first.shape[i]))) {
    throw new ShapeError({
      code: "concatenate-shapes",
      message: `${op}: shapes must be equal but for axis ${at}`,
      details: xs.map((x, i) => [`array ${i}`, x.describe()] as const),
    });
  }
  return xs.length === 1 ? first : p.concatenate(xs, at);
}

const flat = (x: NDArray): NDArray => (x.ndim === 1 ? x : p.reshape(x, [x.size]));

export interface ConcatenateOptions {
  /** The axis along which arrays are joined (0); null flattens them first. */
  readonly axis?: number | null | undefined;
  readonly dtype?: DType | null | undefined;
}
const concatenateParams = /* @__PURE__ */ signature<ConcatenateOptions & { arrays: readonly ArrayLike[] }>(
  "concatenate",
  1,
  ["arrays", "axis", "dtype"],
);
/**
 * Joins arrays along an axis that they have (0; null flattens them first). Dtypes promote.
 *
 * @throws ShapeError `concatenate-shapes`; ArgumentError `axis-range`, `list-empty`, `list-needed`.
 * @example
 * np.concatenate([np.array([1, 2]), np.array([3])]); // [1, 2, 3]
 * np.concatenate([np.ones([2, 1]), np.zeros([2, 2])], 1); // [[1, 0, 0], [1, 0, 0]]
 */
export function concatenate(
  arrays: readonly ArrayLike[] | NDArray,
  axis?: number | null | ConcatenateOptions,
  options?: ConcatenateOptions,
): NDArray;
export function concatenate(): NDArray {
  const { arrays, axis = 0, dtype } = concatenateParams(arguments);
  const xs = promoted("concatenate", listOf("concatenate", arrays), dtype);
  return axis === null ? join("concatenate", xs.map(flat), 0) : join("concatenate", xs, axis);
}

const concatParams = /* @__PURE__ */ signature<ConcatenateOptions & { arrays: readonly ArrayLike[] }>("concat", 1, [
  "arrays",
  "axis",
]);
/** Joins arrays along an axis that they have. */
export function concat(arrays: readonly ArrayLike[] | NDArray, axis?: number | null | ConcatenateOptions): NDArray;
export function concat(): NDArray {
  const { arrays, axis = 0 } = concatParams(arguments);
  const xs = promoted("concat", listOf("concat", arrays));
  return axis === null ? join("concat", xs.map(flat), 0) : join("concat", xs, axis);
}

export interface StackOptions {
  readonly axis?: number | undefined;
  readonly dtype?: DType | null | undefined;
}
const stackParams = /* @__PURE__ */ signature<StackOptions & { arrays: readonly ArrayLike[] }>("stack", 1, [
  "arrays",
  "axis",
  "out",
  "dtype",
]);
/**
 * Joins n arrays of one shape along a new axis of length n. Dtypes promote.
 *
 * @throws ShapeError `stack-shapes`; ArgumentError `axis-range`, `list-empty`, `list-needed`.
 * @example
 * np.stack([np.array([1, 2]), np.array([3, 4])]); // [[1, 2], [3, 4]]
 * np.stack([np.array([1, 2]), np.array([3, 4])], 1); // [[1, 3], [2, 4]]
 */
export function stack(
  arrays: readonly ArrayLike[] | NDArray,
  axis?: number | StackOptions,
  options?: StackOptions,
): NDArray;
export function stack(): NDArray {
  const { arrays, axis = 0, dtype } = stackParams(arguments);
  return stackArrays("stack", promoted("stack", listOf("stack", arrays), dtype), axis);
}

/** Stacks arrays of one dtype. @throws ShapeError `stack-shapes`. */
export function stackArrays(op: string, xs: readonly NDArray[], axis: number): NDArray {
  const first = xs[0]!;
  if (xs.some((x) => x.ndim !== first.ndim || x.shape.some((d, i) => d !== first.shape[i]))) {
    throw new ShapeError({
      code: "stack-shapes",
      message: `${op}: arrays must have one shape`,
      details: xs.map((x, i) => [`array ${i}`, x.describe()] as const),
    });
  }
  const at = normalizeAxis(axis, first.ndim + 1, op);
  return p.concatenate(
    xs.map((x) => p.expandDims(x, [at])),
    at,
  );
}

type Joiner = (tup: readonly ArrayLike[] | NDArray, options?: { readonly dtype?: DType | null }) => NDArray;
function joiner(op: string, shaped: (x: NDArray) => NDArray, axis: (ndim: number) => number): Joiner {
  const params = signature<{ tup: readonly ArrayLike[]; dtype?: DType | null }>(op, 1, ["tup", "dtype"]);
  return function () {
    const { tup, dtype } = params(arguments);
    const xs = promoted(op, listOf(op, tup), dtype).map(shaped);
    return join(op, xs, axis(xs[0]!.ndim));
  };
}

/**
 * Joins along the first axis; vectors count as rows.
 *
 * @throws ShapeError `concatenate-shapes`; ArgumentError `list-empty`, `list-needed`.
 * @example
 * np.vstack([np.array([1, 2]), np.array([3, 4])]); // [[1, 2], [3, 4]]
 */
export const vstack = /* @__PURE__ */ joiner("vstack", to2d, () => 0);
/**
 * Joins along the second axis; vectors along their only one.
 *
 * @throws ShapeError `concatenate-shapes`; ArgumentError `list-empty`, `list-needed`.
 * @example
 * np.hstack([np.array([1, 2]), np.array([3])]); // [1, 2, 3]
 */
export const hstack = /* @__PURE__ */ joiner(
  "hstack",
  (x) => (x.ndim === 0 ? p.reshape(x, [1]) : x),
  (n) => (n === 1 ? 0 : 1),
);
/** Joins along the third axis. */
export const dstack = /* @__PURE__ */ joiner("dstack", to3d, () => 2);
/**
 * Joins along the second axis; vectors become columns.
 *
 * @throws ShapeError `concatenate-shapes`; ArgumentError `list-empty`, `list-needed`.
 * @example
 * np.columnStack([np.array([1, 2]), np.array([3, 4])]); // [[1, 3], [2, 4]]
 */
export const columnStack = /* @__PURE__ */ joiner(
  "columnStack",
  (x) => (x.ndim >= 2 ? x : p.reshape(x, [x.size, 1])),
  () => 1,
);

/** Arrays, and lists of them that are joined along ever earlier axes. */
export type Blocks = ArrayLike | readonly Blocks[];
const blockParams = /* @__PURE__ */ signature<{ arrays: Blocks }>("block", 1, ["arrays"]);
/**
 * Puts nested lists of blocks together: innermost lists along the last axis, the next along the one before it.
 *
 * @throws ArgumentError `block-depth`; ShapeError `concatenate-shapes`.
 * @example
 * np.block([[np.ones([1, 1]), np.zeros([1, 1])], [np.zeros([1, 1]), np.ones([1, 1])]]); // [[1, 0], [0, 1]]
 */
export function block(arrays: Blocks): NDArray;
export function block(): NDArray {
  const { arrays } = blockParams(arguments);
  const leaves: ArrayLike[] = [];
  const depth = collect(arrays, leaves, 0);
  const xs = convertAll(leaves, resultElementType("block", leaves));
  const ndim = Math.max(depth, ...xs.map((x) => x.ndim));
  let next = 0;
  const build = (blocks: Blocks, level: number): NDArray => {
    if (!Array.isArray(blocks)) {
      const x = xs[next++]!;
      return p.reshape(x, [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape]);
    }
    return join(
      "block",
      (blocks as readonly Blocks[]).map((b) => build(b, level + 1)),
      ndim - depth + level,
    );
  };
  if (depth === 0) return xs[0]!;
  return build(arrays, 0);
}

/** Gathers the arrays of nested lists; gives the depth, which must be the same everywhere. */
function collect(blocks: Blocks, leaves: ArrayLike[], level: number): number {
  if (!Array.isArray(blocks)) {
    leaves.push(blocks as ArrayLike);
    return level;
  }
  const depths = new Set((blocks as readonly Blocks[]).map((b) => collect(b, leaves, level + 1)));
  if (depths.size !== 1) {
    throw new ArgumentError({
      code: "block-depth",
      message: "block: lists must be nested equally deep, and none may be empty",
    });
  }
  return [...depths][0]!;
}

export interface AppendOptions {
  readonly axis?: number | null | undefined;
}
const appendParams = /* @__PURE__ */ signature<AppendOptions & { arr: ArrayLike; values: ArrayLike }>("append", 2, [
  "arr",
  "values",
  "axis",
]);
/**
 * Joins values to the end of an axis; without axis both are flattened.
 *
 * @throws ShapeError `concatenate-shapes`; ArgumentError `axis-range`.
 * @example
 * np.append(np.array([1, 2]), 3); // [1, 2, 3]
 */
export function append(arr: ArrayLike, values: ArrayLike, axis?: number | null | AppendOptions): NDArray;
export function append(): NDArray {
  const { arr, values, axis = null } = appendParams(arguments);
  const xs = promoted("append", [arr, values]);
  return axis === null ? join("append", xs.map(flat), 0) : join("append", xs, axis);
}

/** The parts of length 1 along an axis, without that axis. */
function unstackOf(x: NDArray, axis: number): NDArray[] {
  const n = x.shape[axis]!;
  if (n === 0) return [];
  return p.split(x, new Array<number>(n).fill(1), axis).map((y) => p.squeeze(y, [axis]));
}

const unstackParams = /* @__PURE__ */ signature<{ x: ArrayLike; axis?: number }>("unstack", 1, ["x", "axis"]);
/**
 * The arrays that were stacked along an axis: as many as it is long, without it.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.unstack(np.array([[1, 2], [3, 4]])); // [[1, 2], [3, 4]]
 */
export function unstack(x: ArrayLike, axis?: number | { readonly axis?: number }): NDArray[];
export function unstack(): NDArray[] {
  const { x, axis = 0 } = unstackParams(arguments);
  const a = asArray(x, "unstack", "x");
  return unstackOf(a, normalizeAxis(axis, a.ndim, "unstack"));
}

/** How many parts of equal length, or the positions between parts. */
export type Sections = number | readonly number[];

function splitParts(op: string, x: NDArray, sections: Sections, axis: number, uneven: boolean): NDArray[] {
  const at = normalizeAxis(axis, x.ndim, op);
  const n = x.shape[at]!;
  if (typeof sections !== "number") {
    if (!Array.isArray(sections)) {
      throw new ArgumentError({
        code: "split-sections",
        message: `${op} takes a number of parts or a list of positions, not ${describeValue(sections)}`,
      });
    }
    const edges = [0, ...sections, n];
    if (edges.some((e, i) => !Number.isInteger(e) || (i > 0 && e < edges[i - 1]!))) {
      throw new ArgumentError({
        code: "split-sections",
        message: `${op}: [${sections.join(", ")}] are no positions between parts of an axis of length ${n}`,
        hint: `positions ascend from 0 to ${n}`,
      });
    }
    return edges.slice(1).map((stop, i) => slicePart(x, at, edges[i]!, stop));
  }
  if (!Number.isInteger(sections) || sections < 1 || (!uneven && n % sections !== 0)) {
    throw new ArgumentError({
      code: "split-sections",
      message: `${op}: an axis of length ${n} does not split into ${String(sections)} equal parts`,
      hint: "np.arraySplit makes parts that differ by one",
    });
  }
  const [length, longer] = [Math.floor(n / sections), n % sections];
  return [
    ...p.split(
      x,
      Array.from({ length: sections }, (_, i) => length + (i < longer ? 1 : 0)),
      at,
    ),
  ];
}

function slicePart(x: NDArray, axis: number, start: number, stop: number): NDArray {
  return p.slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((d, i) => (i === axis ? stop : d)),
  );
}

export interface SplitOptions {
  readonly axis?: number | undefined;
}
type SplitParams = SplitOptions & { ary: ArrayLike; indicesOrSections: Sections };
const splitParams = /* @__PURE__ */ signature<SplitParams>("split", 2, ["ary", "indicesOrSections", "axis"]);
/**
 * Splits an axis into `n` equal parts, or at ascending positions.
 *
 * @throws ArgumentError `split-sections`, `axis-range`.
 * @example
 * np.split(np.arange(4), 2); // [[0, 1], [2, 3]]
 * np.split(np.arange(4), [1, 3]); // [[0], [1, 2], [3]]
 */
export function split(ary: ArrayLike, indicesOrSections: Sections, axis?: number | SplitOptions): NDArray[];
export function split(): NDArray[] {
  const { ary, indicesOrSections, axis = 0 } = splitParams(arguments);
  return splitParts("split", asArray(ary, "split", "ary"), indicesOrSections, axis, false);
}

const arraySplitParams = /* @__PURE__ */ signature<SplitParams>("arraySplit", 2, ["ary", "indicesOrSections", "axis"]);
/**
 * Splits an axis into parts whose lengths differ by one at most, the longer ones first, or at ascending positions.
 *
 * @throws ArgumentError `split-sections`, `axis-range`.
 * @example
 * np.arraySplit(np.arange(5), 2); // [[0, 1, 2], [3, 4]]
 */
export function arraySplit(ary: ArrayLike, indicesOrSections: Sections, axis?: number | SplitOptions): NDArray[];
export function arraySplit(): NDArray[] {
  const { ary, indicesOrSections, axis = 0 } = arraySplitParams(arguments);
  return splitParts("arraySplit", asArray(ary, "arraySplit", "ary"), indicesOrSections, axis, true);
}

type Splitter = (ary: ArrayLike, indicesOrSections: Sections) => NDArray[];
function splitter(op: string, axis: (ndim: number) => number): Splitter {
  const params = signature<SplitParams>(op, 2, ["ary", "indicesOrSections"]);
  return function () {
    const { ary, indicesOrSections } = params(arguments);
    const x = asArray(ary, op, "ary");
    return splitParts(op, x, indicesOrSections, axis(x.ndim), false);
  };
}
/** Splits the first axis. */
export const vsplit = /* @__PURE__ */ splitter("vsplit", () => 0);
/** Splits the second axis; of vectors the only one. */
export const hsplit = /* @__PURE__ */ splitter("hsplit", (n) => (n === 1 ? 0 : 1));
/** Splits the third axis. */
export const dsplit = /* @__PURE__ */ splitter("dsplit", () => 2);
