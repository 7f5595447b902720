import type { NDArray } from "../core/array.js";
import { normalizeAxis, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType } from "../core/dtype.js";
import { getEngine } from "../core/engine.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { choose } from "./logic.js";
import { convert } from "./promotion.js";
import { count } from "./ranges.js";
import { like } from "./ufunc.js";

/** Identity, triangular and diagonal matrices. */

/** Whether column − row satisfies a relation to k, for an [n, m] matrix. */
function band(n: number, m: number, k: number, relation: (difference: NDArray, k: NDArray) => NDArray): NDArray {
  const difference = p.sub(p.iota("int32", [n, m], 1), p.iota("int32", [n, m], 0));
  return relation(difference, like(difference, k));
}

export interface EyeOptions {
  readonly M?: number | null | undefined;
  /** Which diagonal: above the main one if positive. */
  readonly k?: number | undefined;
  readonly dtype?: DType | null | undefined;
  readonly device?: string | undefined;
}
const eyeParams = /* @__PURE__ */ signature<EyeOptions & { N: number }>("eye", 1, ["N", "M", "k", "dtype"], {
  byName: ["device"],
});
/**
 * An N×M matrix with ones on the diagonal k, which lies above the main one if positive.
 *
 * @throws ArgumentError `count-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * np.eye(2); // [[1, 0], [0, 1]]
 * np.eye(2, 3, { k: 1 }); // [[0, 1, 0], [0, 0, 1]]
 */
export function eye(N: number, M?: number | null | EyeOptions, k?: number | EyeOptions, options?: EyeOptions): NDArray;
export function eye(): NDArray {
  const { N, M, k = 0, dtype } = eyeParams(arguments);
  const n = count("eye", "N", N);
  return convert(
    band(n, M === undefined || M === null ? n : count("eye", "M", M), k, p.eq),
    asDType(dtype ?? defaultFloat()),
  );
}

const identityParams = /* @__PURE__ */ signature<{ n: number; dtype?: DType | null }>("identity", 1, ["n", "dtype"]);
/**
 * The n×n identity matrix.
 *
 * @throws ArgumentError `count-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * np.identity(2); // [[1, 0], [0, 1]]
 */
export function identity(n: number, dtype?: DType | null | { readonly dtype?: DType | null }): NDArray;
export function identity(): NDArray {
  const { n, dtype } = identityParams(arguments);
  return convert(band(count("identity", "n", n), n, 0, p.eq), asDType(dtype ?? defaultFloat()));
}

const triParams = /* @__PURE__ */ signature<EyeOptions & { N: number }>("tri", 1, ["N", "M", "k", "dtype"]);
/**
 * An N×M matrix with ones at and below the diagonal k.
 *
 * @throws ArgumentError `count-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * np.tri(2, 3); // [[1, 0, 0], [1, 1, 0]]
 */
export function tri(N: number, M?: number | null | EyeOptions, k?: number | EyeOptions, options?: EyeOptions): NDArray;
export function tri(): NDArray {
  const { N, M, k = 0, dtype } = triParams(arguments);
  const n = count("tri", "N", N);
  return convert(band(n, M ?? n, k, p.le), asDType(dtype ?? "float32"));
}

export interface DiagonalChoice {
  /** Which diagonal: above the main one if positive. */
  readonly k?: number | undefined;
}
function triangle(
  op: string,
  given: ArrayLike,
  k: number,
  relation: (difference: NDArray, k: NDArray) => NDArray,
): NDArray {
  const m = asArray(given, op, "m");
  if (m.ndim < 2)
    throw new ArgumentError({
      code: "rank",
      message: `${op} needs at least 2 dimensions`,
      details: [["m", m.describe()]],
    });
  const mask = band(m.shape[m.ndim - 2]!, m.shape[m.ndim - 1]!, k, relation);
  return choose(op, mask, m, p.full(0, { shape: [], dtype: m.dtype, weakType: m.weakType }));
}

const trilParams = /* @__PURE__ */ signature<DiagonalChoice & { m: ArrayLike }>("tril", 1, ["m", "k"]);
/**
 * The matrices of the last two axes with zeros above the diagonal k: `m: [*batch n m]`.
 *
 * @throws ArgumentError `rank`.
 * @example
 * np.tril(np.ones([2, 2])); // [[1, 0], [1, 1]]
 */
export function tril(m: ArrayLike, k?: number | DiagonalChoice): NDArray;
export function tril(): NDArray {
  const { m, k = 0 } = trilParams(arguments);
  return triangle("tril", m, k, p.le);
}

const triuParams = /* @__PURE__ */ signature<DiagonalChoice & { m: ArrayLike }>("triu", 1, ["m", "k"]);
/**
 * The matrices of the last two axes with zeros below the diagonal k: `m: [*batch n m]`.
 *
 * @throws ArgumentError `rank`.
 * @example
 * np.triu(np.ones([2, 2]), 1); // [[0, 1], [0, 0]]
 */
export function triu(m: ArrayLike, k?: number | DiagonalChoice): NDArray;
export function triu(): NDArray {
  const { m, k = 0 } = triuParams(arguments);
  return triangle("triu", m, k, p.ge);
}

/** The diagonal of the last two axes, by a strided slice of the flattened matrices. */
export function diagonalOf(x: NDArray, offset: number): NDArray {
  const lead = x.shape.slice(0, -2);
  const [n, m] = x.shape.slice(-2) as [number, number];
  const length = Math.max(0, Math.min(n + Math.min(offset, 0), m - Math.max(offset, 0)));
  const flat = p.reshape(x, [...lead, n * m]);
  const start = length === 0 ? 0 : offset >= 0 ? offset : -offset * m;
  const stop = length === 0 ? 0 : start + (length - 1) * (m + 1) + 1;
  return p.slice(flat, [...lead.map(() => 0), start], [...lead, stop], [...lead.map(() => 1), m + 1]);
}

/** Moves two axes to the end, in order. */
export function axesLast(op: string, x: NDArray, axis1: number, axis2: number): NDArray {
  const [a, b] = [normalizeAxis(axis1, x.ndim, op), normalizeAxis(axis2, x.ndim, op)];
  if (a === b) throw new ArgumentError({ code: "axis-duplicate", message: `${op}: axis1 and axis2 are both ${axis1}` });
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  return p.transpose(x, [...rest, a, b]);
}

export interface DiagonalOptions {
  readonly offset?: number | undefined;
  readonly axis1?: number | undefined;
  readonly axis2?: number | undefined;
}
const diagonalParams = /* @__PURE__ */ signature<DiagonalOptions & { a: ArrayLike }>("diagonal", 1, [
  "a",
  "offset",
  "axis1",
  "axis2",
]);
/**
 * A diagonal of two axes, as the last axis of the result: `[n, m, *rest]` gives `[*rest, min(n, m)]` where `offset` is 0.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.diagonal(np.array([[1, 2], [3, 4]]), 1); // [2]
 */
export function diagonal(
  a: ArrayLike,
  offset?: number | DiagonalOptions,
  axis1?: number | DiagonalOptions,
  axis2?: number | DiagonalOptions,
): NDArray;
export function diagonal(): NDArray {
  const { a, offset = 0, axis1 = 0, axis2 = 1 } = diagonalParams(arguments);
  return diagonalOf(axesLast("diagonal", asArray(a, "diagonal", "a"), axis1, axis2), offset);
}

export interface TraceOptions extends DiagonalOptions {
  readonly dtype?: DType | null | undefined;
}
const traceParams = /* @__PURE__ */ signature<TraceOptions & { a: ArrayLike }>("trace", 1, [
  "a",
  "offset",
  "axis1",
  "axis2",
  "dtype",
  "out",
]);
/**
 * The sum along a diagonal of two axes; booleans are counted.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.trace(np.array([[1, 2], [3, 4]])); // 5
 */
export function trace(
  a: ArrayLike,
  offset?: number | TraceOptions,
  axis1?: number | TraceOptions,
  axis2?: number | TraceOptions,
  options?: TraceOptions,
): NDArray;
export function trace(): NDArray {
  const { a, offset = 0, axis1 = 0, axis2 = 1, dtype } = traceParams(arguments);
  const d = diagonalOf(axesLast("trace", asArray(a, "trace", "a"), axis1, axis2), offset);
  const to = dtype === undefined || dtype === null ? (d.dtype === "bool" ? "int32" : d.dtype) : asDType(dtype);
  return p.reduceSum(convert(d, to), [d.ndim - 1]);
}

/** A square matrix with a vector on a diagonal, zeros elsewhere. */
function matrixOf(v: NDArray, k: number): NDArray {
  const n = v.shape[0]! + Math.abs(k);
  const zero = p.full(0, { shape: [], dtype: v.dtype, weakType: false });
  const column = p.pad(v, zero, [[Math.max(0, -k), Math.max(0, k), 0]]);
  return p.select(band(n, n, k, p.eq), p.broadcastInDim(column, [n, n], [0]), zero);
}

const diagParams = /* @__PURE__ */ signature<DiagonalChoice & { v: ArrayLike }>("diag", 1, ["v", "k"]);
/**
 * The matrix with a vector on its diagonal k, or the diagonal k of a matrix.
 *
 * @throws ArgumentError `rank`.
 * @example
 * np.diag(np.array([1, 2])); // [[1, 0], [0, 2]]
 * np.diag(np.array([[1, 2], [3, 4]])); // [1, 4]
 */
export function diag(v: ArrayLike, k?: number | DiagonalChoice): NDArray;
export function diag(): NDArray {
  const { v, k = 0 } = diagParams(arguments);
  const x = asArray(v, "diag", "v");
  if (x.ndim === 1) return matrixOf(x, k);
  if (x.ndim === 2) return diagonalOf(x, k);
  throw new ArgumentError({
    code: "rank",
    message: "diag takes a vector or a matrix",
    details: [["v", x.describe()]],
    hint: "np.diagonal takes more dimensions",
  });
}

const diagflatParams = /* @__PURE__ */ signature<DiagonalChoice & { v: ArrayLike }>("diagflat", 1, ["v", "k"]);
/** The matrix with the elements of an array on its diagonal. */
export function diagflat(v: ArrayLike, k?: number | DiagonalChoice): NDArray;
export function diagflat(): NDArray {
  const { v, k = 0 } = diagflatParams(arguments);
  const x = asArray(v, "diagflat", "v");
  return matrixOf(p.reshape(x, [x.size]), k);
}

const fillDiagonalParams = /* @__PURE__ */ signature<{
  a: ArrayLike;
  val: ArrayLike;
  wrap?: boolean;
  inplace?: boolean;
}>("fillDiagonal", 2, ["a", "val", "wrap", "inplace"]);
/** The array with its main diagonal set to a value, or to the elements of an array one after the other. */
export function fillDiagonal(
  a: ArrayLike,
  val: ArrayLike,
  options?: { readonly wrap?: boolean; readonly inplace?: boolean },
): NDArray;
export function fillDiagonal(): NDArray {
  const given = fillDiagonalParams(arguments);
  const [x, value] = [asArray(given.a, "fillDiagonal", "a"), asArray(given.val, "fillDiagonal", "val")];
  if (x.ndim < 2 || (x.ndim > 2 && x.shape.some((d) => d !== x.shape[0])) || given.wrap) {
    throw new ArgumentError({
      code: "fill-diagonal",
      message: "fillDiagonal needs a matrix, or an array whose axes have one length, and no wrap",
      details: [["a", x.describe()]],
    });
  }
  const mask = x.shape.slice(1).reduce<NDArray | undefined>((m, _, i) => {
    const same = p.eq(p.iota("int32", x.shape, 0), p.iota("int32", x.shape, i + 1));
    return m === undefined ? same : p.and(m, same);
  }, undefined);
  let fill = convert(value, x.dtype);
  if (fill.ndim > 0) {
    const n = Math.min(...x.shape);
    const flat = p.reshape(fill, [fill.size]);
    const times = Math.ceil(n / Math.max(1, fill.size));
    const tiled = p.reshape(p.broadcastInDim(flat, [times, fill.size], [1]), [times * fill.size]);
    const along = p.pad(p.slice(tiled, [0], [n]), p.full(0, { shape: [], dtype: x.dtype, weakType: false }), [
      [0, x.shape[0]! - n, 0],
    ]);
    fill = p.broadcastInDim(along, x.shape, [0]);
  }
  return p.select(mask!, fill, x);
}

/** Row and column indices, computed here, as int32 arrays. */
function indexArrays(rows: readonly number[], columns: readonly number[]): NDArray[] {
  return [rows, columns].map((list) =>
    getEngine().fromHost({
      aval: { shape: [list.length], dtype: "int32", weakType: false },
      data: Int32Array.from(list),
    }),
  );
}

function bandIndices(n: number, m: number, inside: (difference: number) => boolean): [NDArray, NDArray] {
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      if (!inside(j - i)) continue;
      rows.push(i);
      columns.push(j);
    }
  }
  return indexArrays(rows, columns) as [NDArray, NDArray];
}

export interface TriangleIndicesOptions extends DiagonalChoice {
  readonly m?: number | null | undefined;
}
const trilIndicesParams = /* @__PURE__ */ signature<TriangleIndicesOptions & { n: number }>("trilIndices", 1, [
  "n",
  "k",
  "m",
]);
/**
 * Row and column indices of the lower triangle, up to the diagonal k, of an n×m matrix.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.trilIndices(2); // [[0, 1, 1], [0, 0, 1]]
 */
export function trilIndices(
  n: number,
  k?: number | TriangleIndicesOptions,
  m?: number | null | TriangleIndicesOptions,
): [rows: NDArray, columns: NDArray];
export function trilIndices(): [NDArray, NDArray] {
  const { n, k = 0, m } = trilIndicesParams(arguments);
  return bandIndices(count("trilIndices", "n", n), m ?? n, (d) => d <= k);
}

const triuIndicesParams = /* @__PURE__ */ signature<TriangleIndicesOptions & { n: number }>("triuIndices", 1, [
  "n",
  "k",
  "m",
]);
/**
 * Row and column indices of the upper triangle, from the diagonal k, of an n×m matrix.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.triuIndices(2); // [[0, 0, 1], [0, 1, 1]]
 */
export function triuIndices(
  n: number,
  k?: number | TriangleIndicesOptions,
  m?: number | null | TriangleIndicesOptions,
): [rows: NDArray, columns: NDArray];
export function triuIndices(): [NDArray, NDArray] {
  const { n, k = 0, m } = triuIndicesParams(arguments);
  return bandIndices(count("triuIndices", "n", n), m ?? n, (d) => d >= k);
}

function matrixShape(op: string, given: ArrayLike): readonly [number, number] {
  const x = asArray(given, op, "arr");
  if (x.ndim !== 2)
    throw new ArgumentError({ code: "rank", message: `${op} takes a matrix`, details: [["arr", x.describe()]] });
  return x.shape as unknown as readonly [number, number];
}
const trilFromParams = /* @__PURE__ */ signature<DiagonalChoice & { arr: ArrayLike }>("trilIndicesFrom", 1, [
  "arr",
  "k",
]);
/** Row and column indices of the lower triangle of a matrix. */
export function trilIndicesFrom(arr: ArrayLike, k?: number | DiagonalChoice): [rows: NDArray, columns: NDArray];
export function trilIndicesFrom(): [NDArray, NDArray] {
  const { arr, k = 0 } = trilFromParams(arguments);
  return bandIndices(...matrixShape("trilIndicesFrom", arr), (d) => d <= k);
}
const triuFromParams = /* @__PURE__ */ signature<DiagonalChoice & { arr: ArrayLike }>("triuIndicesFrom", 1, [
  "arr",
  "k",
]);
/** Row and column indices of the upper triangle of a matrix. */
export function triuIndicesFrom(arr: ArrayLike, k?: number | DiagonalChoice): [rows: NDArray, columns: NDArray];
export function triuIndicesFrom(): [NDArray, NDArray] {
  const { arr, k = 0 } = triuFromParams(arguments);
  return bandIndices(...matrixShape("triuIndicesFrom", arr), (d) => d >= k);
}

const diagIndicesParams = /* @__PURE__ */ signature<{ n: number; ndim?: number }>("diagIndices", 1, ["n", "ndim"]);
/**
 * Indices of the main diagonal of an array of `ndim` axes (2) of length n.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * const diagonal = np.diagIndices(2);
 * np.zeros([2, 2]).at(...diagonal).set(5); // [[5, 0], [0, 5]]
 */
export function diagIndices(n: number, ndim?: number): NDArray[];
export function diagIndices(): NDArray[] {
  const { n, ndim = 2 } = diagIndicesParams(arguments);
  return Array.from({ length: count("diagIndices", "ndim", ndim) }, () =>
    p.iota("int32", [count("diagIndices", "n", n)], 0),
  );
}

const diagIndicesFromParams = /* @__PURE__ */ signature<{ arr: ArrayLike }>("diagIndicesFrom", 1, ["arr"]);
/** Indices of the main diagonal of an array whose axes have one length. */
export function diagIndicesFrom(arr: ArrayLike): NDArray[];
export function diagIndicesFrom(): NDArray[] {
  const x = asArray(diagIndicesFromParams(arguments).arr, "diagIndicesFrom", "arr");
  if (x.ndim < 2 || sizeOf(x.shape) !== x.shape[0]! ** x.ndim) {
    throw new ArgumentError({
      code: "rank",
      message: "diagIndicesFrom takes arrays whose axes, two or more, have one length",
      details: [["arr", x.describe()]],
    });
  }
  return diagIndices(x.shape[0]!, x.ndim);
}
