import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType, isFloat } from "../core/dtype.js";
import { ArgumentError, counted, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { multiply, subtract } from "./arithmetic.js";
import { arrange, contract, type Label } from "./contraction.js";
import { stack } from "./joining.js";
import { convert, convertAll, pairOf, promote2, resultElementType } from "./promotion.js";
import { moveaxis } from "./shape.js";

/** Products of vectors, matrices and stacks of them. */

export interface ProductOptions {
  /** The dtype in which products are made and added up; by default that of the promoted operands. */
  readonly preferredElementType?: DType | null | undefined;
  /** Accepted for JAX's sake: products are always as exact as the dtype allows. */
  readonly precision?: unknown;
}
type Operands = ProductOptions & { readonly a: ArrayLike; readonly b: ArrayLike };
const productOptions = { byName: ["precision", "preferredElementType"] } as const;

/** Operands of one dtype that can be multiplied and added, and what the result is converted to. */
interface Factors {
  readonly a: NDArray;
  readonly b: NDArray;
  readonly finish: (x: NDArray) => NDArray;
}

function factors(op: string, a: ArrayLike, b: ArrayLike, preferred: DType | null | undefined): Factors {
  const t = resultElementType(op, [a, b]);
  const result = preferred === undefined || preferred === null ? t.dtype : asDType(preferred);
  // Floats are multiplied and added as such also where an integer dtype is asked for.
  const compute = result === "bool" ? "int32" : isFloat(t.dtype) && !isFloat(result) ? t.dtype : result;
  const weak = t.weak && compute === t.dtype;
  const [x, y] = pairOf(convertAll([a, b], { dtype: compute, weak }));
  // Of booleans a product of matrices is true where some pair of elements is.
  return { a: x, b: y, finish: (z) => (result === "bool" ? p.ne(z, 0) : compute === result ? z : convert(z, result)) };
}

function requireRank(op: string, x: NDArray, name: string, rank: number): void {
  if (x.ndim < rank) {
    throw new ShapeError({
      code: "rank",
      message: `${op} needs operands of at least ${counted(rank, "dimension")}`,
      details: [[name, x.describe()]],
      hint: x.ndim === 0 ? "np.multiply takes scalars" : undefined,
    });
  }
}

const dotParams = /* @__PURE__ */ signature<Operands>("dot", 2, ["a", "b"], productOptions);
/**
 * Sums products over the last axis of a and the last but one of b (of vectors the only one): `[*m k]` and `[*n k l]` give
 * `[*m *n l]`. With a scalar it multiplies. Stacks of matrices are multiplied by `matmul`.
 *
 * @throws ShapeError `contract-length`.
 * @example
 * np.dot(np.array([1, 2]), np.array([3, 4])); // 11
 * np.dot(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function dot(a: ArrayLike, b: ArrayLike, options?: ProductOptions): NDArray;
export function dot(): NDArray {
  const given = dotParams(arguments);
  return dotOf("dot", given.a, given.b, given.preferredElementType);
}

function dotOf(op: string, x: ArrayLike, y: ArrayLike, preferred: DType | null | undefined): NDArray {
  const { a, b, finish } = factors(op, x, y, preferred);
  if (a.ndim === 0 || b.ndim === 0) return finish(p.mul(a, b));
  const inner = b.ndim === 1 ? 0 : b.ndim - 2;
  requireLength(op, a, a.ndim - 1, b, inner);
  return finish(p.dotGeneral(a, b, { lhsContract: [a.ndim - 1], rhsContract: [inner], lhsBatch: [], rhsBatch: [] }));
}

function requireLength(op: string, a: NDArray, i: number, b: NDArray, j: number): void {
  if (a.shape[i] === b.shape[j]) return;
  throw new ShapeError({
    code: "contract-length",
    message: `${op}: axis ${i} of the left operand has length ${a.shape[i]}, axis ${j} of the right one ${b.shape[j]}`,
    details: [
      ["left", a.describe()],
      ["right", b.describe()],
    ],
  });
}

const matmulParams = /* @__PURE__ */ signature<Operands>("matmul", 2, ["a", "b"], productOptions);
/**
 * The matrix product of the last two axes: `[*batch m k]` and `[*batch k n]` give `[*batch m n]`. Batch axes broadcast; a
 * vector counts as a row on the left and a column on the right, and its axis is dropped again. The method is `a.matmul(b)`.
 *
 * @throws ShapeError `rank` for scalars; ShapeError `contract-length`.
 * @example
 * np.matmul(np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 0]])); // [[2, 1], [4, 3]]
 * np.matmul(np.ones([5, 2, 3]), np.ones([3, 4])); // float32[5, 2, 4]
 */
export function matmul(a: ArrayLike, b: ArrayLike, options?: ProductOptions): NDArray;
export function matmul(): NDArray {
  const given = matmulParams(arguments);
  const { a, b, finish } = factors("matmul", given.a, given.b, given.preferredElementType);
  requireRank("matmul", a, "a", 1);
  requireRank("matmul", b, "b", 1);
  const rows = a.ndim > 1 ? ["row"] : [];
  const columns = b.ndim > 1 ? ["column"] : [];
  requireLength("matmul", a, a.ndim - 1, b, b.ndim > 1 ? b.ndim - 2 : 0);
  return finish(batched("matmul", a, [...rows, "k"], b, ["k", ...columns], [...rows, ...columns]));
}

/** Contracts the last axes as labelled; axes in front of them are batch axes that broadcast. */
function batched(
  op: string,
  a: NDArray,
  aLabels: readonly Label[],
  b: NDArray,
  bLabels: readonly Label[],
  out: readonly Label[],
): NDArray {
  const lead = (x: NDArray, own: readonly Label[]): Label[] =>
    Array.from({ length: x.ndim - own.length }, (_, i) => i - (x.ndim - own.length));
  const left = lead(a, aLabels);
  const right = lead(b, bLabels);
  const batch = left.length >= right.length ? left : right;
  const labels = [...batch, ...out];
  return arrange(
    contract(op, { x: a, labels: [...left, ...aLabels] }, { x: b, labels: [...right, ...bLabels] }, labels),
    labels,
  );
}

const matvecParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("matvec", 2, ["x1", "x2"]);
/**
 * Matrices times vectors: `[*batch m n]` and `[*batch n]` give `[*batch m]`.
 *
 * @throws ShapeError `rank`, `contract-length`.
 * @example
 * np.matvec(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function matvec(x1: ArrayLike, x2: ArrayLike): NDArray;
export function matvec(): NDArray {
  const { x1, x2 } = matvecParams(arguments);
  const { a, b, finish } = factors("matvec", x1, x2, undefined);
  requireRank("matvec", a, "x1", 2);
  requireRank("matvec", b, "x2", 1);
  requireLength("matvec", a, a.ndim - 1, b, b.ndim - 1);
  return finish(batched("matvec", a, ["row", "k"], b, ["k"], ["row"]));
}

const vecmatParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("vecmat", 2, ["x1", "x2"]);
/**
 * Vectors times matrices: `[*batch n]` and `[*batch n m]` give `[*batch m]`.
 *
 * @throws ShapeError `rank`, `contract-length`.
 * @example
 * np.vecmat(np.array([1, 1]), np.array([[1, 2], [3, 4]])); // [4, 6]
 */
export function vecmat(x1: ArrayLike, x2: ArrayLike): NDArray;
export function vecmat(): NDArray {
  const { x1, x2 } = vecmatParams(arguments);
  const { a, b, finish } = factors("vecmat", x1, x2, undefined);
  requireRank("vecmat", a, "x1", 1);
  requireRank("vecmat", b, "x2", 2);
  requireLength("vecmat", a, a.ndim - 1, b, b.ndim - 2);
  return finish(batched("vecmat", a, ["k"], b, ["k", "column"], ["column"]));
}

export interface VecdotOptions extends ProductOptions {
  readonly axis?: number | undefined;
}
const vecdotParams = /* @__PURE__ */ signature<VecdotOptions & { x1: ArrayLike; x2: ArrayLike }>(
  "vecdot",
  2,
  ["x1", "x2"],
  {
    byName: ["axis", ...productOptions.byName],
  },
);
/**
 * Inner products along an axis, by default the last; the others broadcast.
 *
 * @throws ShapeError `contract-length`; ArgumentError `axis-range`.
 * @example
 * np.vecdot(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function vecdot(x1: ArrayLike, x2: ArrayLike, options?: VecdotOptions): NDArray;
export function vecdot(): NDArray {
  const { x1, x2, axis = -1, preferredElementType } = vecdotParams(arguments);
  const { a, b, finish } = factors("vecdot", x1, x2, preferredElementType);
  const last = (x: NDArray): NDArray => moveaxis(x, normalizeAxis(axis, x.ndim, "vecdot"), -1);
  const [u, v] = [last(a), last(b)];
  requireLength("vecdot", u, u.ndim - 1, v, v.ndim - 1);
  return finish(batched("vecdot", u, ["k"], v, ["k"], []));
}

const vdotParams = /* @__PURE__ */ signature<Operands>("vdot", 2, ["a", "b"], productOptions);
/**
 * The inner product of two flattened arrays.
 *
 * @throws ShapeError `contract-length`.
 * @example
 * np.vdot(np.array([[1, 2], [3, 4]]), np.ones([4])); // 10
 */
export function vdot(a: ArrayLike, b: ArrayLike, options?: ProductOptions): NDArray;
export function vdot(): NDArray {
  const given = vdotParams(arguments);
  const flat = (x: NDArray): NDArray => p.reshape(x, [x.size]);
  return dotOf(
    "vdot",
    flat(asArray(given.a, "vdot", "a")),
    flat(asArray(given.b, "vdot", "b")),
    given.preferredElementType,
  );
}

const innerParams = /* @__PURE__ */ signature<Operands>("inner", 2, ["a", "b"], productOptions);
/**
 * Sums products over the last axes of both operands: `[*m k]` and `[*n k]` give `[*m *n]`.
 *
 * @throws ShapeError `contract-length`.
 * @example
 * np.inner(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function inner(a: ArrayLike, b: ArrayLike, options?: ProductOptions): NDArray;
export function inner(): NDArray {
  const given = innerParams(arguments);
  const { a, b, finish } = factors("inner", given.a, given.b, given.preferredElementType);
  if (a.ndim === 0 || b.ndim === 0) return finish(p.mul(a, b));
  requireLength("inner", a, a.ndim - 1, b, b.ndim - 1);
  return finish(
    p.dotGeneral(a, b, { lhsContract: [a.ndim - 1], rhsContract: [b.ndim - 1], lhsBatch: [], rhsBatch: [] }),
  );
}

const outerParams = /* @__PURE__ */ signature<{ a: ArrayLike; b: ArrayLike }>("outer", 2, ["a", "b", "out"]);
/**
 * All products of an element of a and one of b: a matrix `[m, n]` of operands that are flattened to m and n elements.
 *
 * @example
 * np.outer(np.array([1, 2]), np.array([3, 4])); // [[3, 4], [6, 8]]
 */
export function outer(a: ArrayLike, b: ArrayLike): NDArray;
export function outer(): NDArray {
  const given = outerParams(arguments);
  const [a, b] = pairOf(convertAll([given.a, given.b], resultElementType("outer", [given.a, given.b])));
  return multiply(p.reshape(a, [a.size, 1]), p.reshape(b, [1, b.size]));
}

/** How many axes, or which axes of a and of b. */
export type TensordotAxes = number | readonly [number | readonly number[], number | readonly number[]];
export interface TensordotOptions extends ProductOptions {
  readonly axes?: TensordotAxes | undefined;
}
const tensordotParams = /* @__PURE__ */ signature<TensordotOptions & Operands>(
  "tensordot",
  2,
  ["a", "b", "axes"],
  productOptions,
);
/**
 * Sums products over the last `axes` axes of a and the first of b (2), or over given pairs of axes; the others stay, those
 * of a in front.
 *
 * @throws ArgumentError `axes-count`, `axis-range`; ShapeError `contract-length`.
 * @example
 * np.tensordot(np.ones([2, 3, 4]), np.ones([4, 5]), 1); // float32[2, 3, 5]
 * np.tensordot(np.ones([2, 3]), np.ones([5, 2]), [[0], [1]]); // float32[3, 5]
 */
export function tensordot(
  a: ArrayLike,
  b: ArrayLike,
  axes?: TensordotAxes | TensordotOptions,
  options?: TensordotOptions,
): NDArray;
export function tensordot(): NDArray {
  const { axes = 2, ...given } = tensordotParams(arguments);
  const { a, b, finish } = factors("tensordot", given.a, given.b, given.preferredElementType);
  const [left, right] = tensordotAxes(a, b, axes);
  left.forEach((i, k) => requireLength("tensordot", a, i, b, right[k]!));
  if (left.length > 0)
    return finish(p.dotGeneral(a, b, { lhsContract: left, rhsContract: right, lhsBatch: [], rhsBatch: [] }));
  return finish(multiply(p.reshape(a, [...a.shape, ...b.shape.map(() => 1)]), b));
}

function tensordotAxes(a: NDArray, b: NDArray, axes: TensordotAxes): [number[], number[]] {
  if (typeof axes === "number") {
    if (!Number.isInteger(axes) || axes < 0 || axes > Math.min(a.ndim, b.ndim)) {
      throw new ArgumentError({
        code: "axes-count",
        message: `tensordot: ${axes} axes are not there in both operands`,
        details: [
          ["a", a.describe()],
          ["b", b.describe()],
        ],
      });
    }
    return [Array.from({ length: axes }, (_, i) => a.ndim - axes + i), Array.from({ length: axes }, (_, i) => i)];
  }
  const list = (side: number | readonly number[], x: NDArray): number[] =>
    (typeof side === "number" ? [side] : side).map((i) => normalizeAxis(i, x.ndim, "tensordot"));
  const [left, right] = [list(axes[0], a), list(axes[1], b)];
  if (left.length !== right.length) {
    throw new ArgumentError({
      code: "axes-count",
      message: `tensordot: ${left.length} axes of a do not pair with ${right.length} of b`,
    });
  }
  return [left, right];
}

const booleans = (op: string, a: NDArray, b: NDArray): DTypeError =>
  new DTypeError({
    code: "number-needed",
    message: `${op} multiplies numbers, not booleans`,
    details: [
      ["a", a.describe()],
      ["b", b.describe()],
    ],
    hint: 'convert with .astype("int32")',
  });

const kronParams = /* @__PURE__ */ signature<{ a: ArrayLike; b: ArrayLike }>("kron", 2, ["a", "b"]);
/**
 * The Kronecker product: b scaled by each element of a, laid out like a.
 *
 * @throws DTypeError `number-needed` for two arrays of booleans.
 * @example
 * np.kron(np.array([1, 10]), np.array([1, 2])); // [1, 2, 10, 20]
 */
export function kron(a: ArrayLike, b: ArrayLike): NDArray;
export function kron(): NDArray {
  const given = kronParams(arguments);
  const type = resultElementType("kron", [given.a, given.b]);
  const [a, b] = pairOf(convertAll([given.a, given.b], type));
  if (type.dtype === "bool") throw booleans("kron", a, b);
  const ndim = Math.max(a.ndim, b.ndim);
  const pad = (x: NDArray): readonly number[] => [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const [m, n] = [pad(a), pad(b)];
  const product = multiply(
    p.reshape(
      a,
      m.flatMap((d) => [d, 1]),
    ),
    p.reshape(
      b,
      n.flatMap((d) => [1, d]),
    ),
  );
  return p.reshape(
    product,
    m.map((d, i) => d * n[i]!),
  );
}

export interface CrossOptions {
  readonly axisa?: number | undefined;
  readonly axisb?: number | undefined;
  readonly axisc?: number | undefined;
  readonly axis?: number | null | undefined;
}
const crossParams = /* @__PURE__ */ signature<CrossOptions & { a: ArrayLike; b: ArrayLike }>("cross", 2, [
  "a",
  "b",
  "axisa",
  "axisb",
  "axisc",
  "axis",
]);
/**
 * The cross product of vectors of 2 or 3 elements along an axis; of 2 and 2 only its third element.
 *
 * @throws ShapeError `cross-length`; ArgumentError `axis-range`.
 * @example
 * np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])); // [0, 0, 1]
 * np.cross(np.array([1, 2]), np.array([3, 4])); // -2
 */
export function cross(a: ArrayLike, b: ArrayLike, options?: CrossOptions): NDArray;
export function cross(): NDArray {
  const given = crossParams(arguments);
  const { axisa = -1, axisb = -1, axisc = -1, axis } = given;
  const components = (x: ArrayLike, at: number): NDArray[] => {
    const v = moveaxis(asArray(x, "cross"), axis ?? at, 0);
    if (v.shape[0] !== 2 && v.shape[0] !== 3) {
      throw new ShapeError({
        code: "cross-length",
        message: "cross takes vectors of 2 or 3 elements",
        details: [["operand", v.describe()]],
      });
    }
    return Array.from({ length: v.shape[0]! }, (_, i) =>
      p.squeeze(p.slice(v, [i, ...v.shape.slice(1).map(() => 0)], [i + 1, ...v.shape.slice(1)]), [0]),
    );
  };
  const [u, v] = [components(given.a, axisa), components(given.b, axisb)];
  const minor = (i: number, j: number): NDArray => {
    const term = (m: number, n: number): NDArray | undefined =>
      u[m] === undefined || v[n] === undefined ? undefined : multiply(u[m], v[n]);
    const [plus, minus] = [term(i, j), term(j, i)];
    if (plus === undefined)
      return minus === undefined ? p.zerosOf(promote2("cross", u[0]!, v[0]!)[0]!.aval) : p.neg(minus);
    return minus === undefined ? plus : subtract(plus, minus);
  };
  if (u.length === 2 && v.length === 2) return minor(0, 1);
  return moveaxis(stack([minor(1, 2), minor(2, 0), minor(0, 1)]), 0, axis ?? axisc);
}
