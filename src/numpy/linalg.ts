import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { multiply } from "./arithmetic.js";
import { broadcastToShape } from "./broadcasting.js";
import { diagonal as diagonalOf, eye, trace as traceOf } from "./matrices.js";
import { decompositionAbsent } from "./norms.js";
import { cross as crossOf, matmul } from "./products.js";
import { expandDims } from "./shape.js";

/** Linear algebra that needs no decomposition. Matrices are the last two axes, the others are batch axes. */

export {
  matrixNorm,
  type MatrixNormOptions,
  norm,
  type NormOptions,
  type NormOrder,
  vectorNorm,
  type VectorNormOptions,
} from "./norms.js";
export { matmul, tensordot, vecdot } from "./products.js";
export { matrixTranspose } from "./shape.js";

const outerParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("linalg.outer", 2, ["x1", "x2"]);
/**
 * All products of elements of two vectors: `[m]` and `[n]` give `[m n]`.
 *
 * @throws ShapeError `rank`; `np.outer` flattens its operands.
 * @example
 * np.linalg.outer(np.array([1, 2]), np.array([3, 4])); // [[3, 4], [6, 8]]
 */
export function outer(x1: ArrayLike, x2: ArrayLike): NDArray;
export function outer(): NDArray {
  const given = outerParams(arguments);
  const [a, b] = [asArray(given.x1, "linalg.outer", "x1"), asArray(given.x2, "linalg.outer", "x2")];
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new ShapeError({
      code: "rank",
      message: "linalg.outer takes two vectors",
      details: [
        ["x1", a.describe()],
        ["x2", b.describe()],
      ],
      hint: "np.outer flattens its operands",
    });
  }
  return multiply(expandDims(a, 1), expandDims(b, 0));
}

export interface OffsetOptions {
  /** Which diagonal: above the main one if positive. */
  readonly offset?: number | undefined;
}
const diagonalParams = /* @__PURE__ */ signature<OffsetOptions & { x: ArrayLike }>("linalg.diagonal", 1, ["x"], {
  byName: ["offset"],
});
/**
 * A diagonal of each matrix: `[*batch n m]` gives `[*batch min(n, m)]` where `offset` is 0.
 *
 * @throws ArgumentError `axis-range` for vectors.
 * @example
 * np.linalg.diagonal(np.array([[1, 2], [3, 4]])); // [1, 4]
 */
export function diagonal(x: ArrayLike, options?: OffsetOptions): NDArray;
export function diagonal(): NDArray {
  const { x, offset = 0 } = diagonalParams(arguments);
  return diagonalOf(x, { offset, axis1: -2, axis2: -1 });
}

export interface LinalgTraceOptions extends OffsetOptions {
  readonly dtype?: DType | null | undefined;
}
const traceParams = /* @__PURE__ */ signature<LinalgTraceOptions & { x: ArrayLike }>("linalg.trace", 1, ["x"], {
  byName: ["offset", "dtype"],
});
/**
 * The sum along a diagonal of each matrix: `[*batch n m]` gives `[*batch]`.
 *
 * @throws ArgumentError `axis-range` for vectors.
 * @example
 * np.linalg.trace(np.array([[1, 2], [3, 4]])); // 5
 */
export function trace(x: ArrayLike, options?: LinalgTraceOptions): NDArray;
export function trace(): NDArray {
  const { x, offset = 0, dtype } = traceParams(arguments);
  return traceOf(x, { offset, axis1: -2, axis2: -1, dtype });
}

const crossParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike; axis?: number }>(
  "linalg.cross",
  2,
  ["x1", "x2"],
  { byName: ["axis"] },
);
/**
 * The cross product of vectors of 3 elements along an axis, by default the last.
 *
 * @throws ShapeError `cross-length`.
 * @example
 * np.linalg.cross(np.array([1, 0, 0]), np.array([0, 1, 0])); // [0, 0, 1]
 */
export function cross(x1: ArrayLike, x2: ArrayLike, options?: { readonly axis?: number }): NDArray;
export function cross(): NDArray {
  const { x1, x2, axis = -1 } = crossParams(arguments);
  const [a, b] = [asArray(x1, "linalg.cross", "x1"), asArray(x2, "linalg.cross", "x2")];
  if (a.shape.at(axis) !== 3 || b.shape.at(axis) !== 3) {
    throw new ShapeError({
      code: "cross-length",
      message: "linalg.cross takes vectors of 3 elements",
      details: [
        ["x1", a.describe()],
        ["x2", b.describe()],
      ],
    });
  }
  return crossOf(a, b, { axis });
}

const matrixPowerParams = /* @__PURE__ */ signature<{ a: ArrayLike; n: number }>("linalg.matrixPower", 2, ["a", "n"]);
/**
 * Square matrices `[*batch n n]` multiplied with themselves n times, by repeated squaring; the identity for n = 0.
 *
 * @throws ShapeError `square`; ArgumentError `integer-needed`; ArgumentError `decomposition-absent` for negative powers.
 * @example
 * np.linalg.matrixPower(np.array([[1, 1], [1, 0]]), 5); // [[8, 5], [5, 3]]
 */
export function matrixPower(a: ArrayLike, n: number): NDArray;
export function matrixPower(): NDArray {
  const { a: given, n } = matrixPowerParams(arguments);
  const a = asArray(given, "linalg.matrixPower", "a");
  const size = a.shape.at(-1);
  if (a.ndim < 2 || size !== a.shape.at(-2))
    throw new ShapeError({
      code: "square",
      message: "linalg.matrixPower takes square matrices",
      details: [["a", a.describe()]],
    });
  if (!Number.isInteger(n))
    throw new ArgumentError({
      code: "integer-needed",
      message: `linalg.matrixPower: n must be a whole number, not ${String(n)}`,
    });
  if (n < 0) throw decompositionAbsent("linalg.matrixPower", "a negative power needs the inverse");
  if (n === 0) return broadcastToShape("linalg.matrixPower", eye(size!, { dtype: a.dtype }), a.shape);
  if (n === 3) return matmul(matmul(a, a), a);
  let result: NDArray | undefined;
  let square = a;
  for (let rest = n; ; square = matmul(square, square)) {
    if (rest % 2 === 1) result = result === undefined ? square : matmul(result, square);
    rest = Math.floor(rest / 2);
    if (rest === 0) return result!;
  }
}

const multiDotParams = /* @__PURE__ */ signature<{ arrays: readonly ArrayLike[]; precision?: unknown }>(
  "linalg.multiDot",
  1,
  ["arrays"],
  { byName: ["precision"] },
);
/**
 * The product of a chain of matrices, in the order that takes the fewest multiplications (matrix-chain order, Cormen et
 * al.); the first and the last may be vectors.
 *
 * @throws ArgumentError `chain-length`; ShapeError `rank`, `contract-length`.
 * @example
 * np.linalg.multiDot([np.ones([10, 100]), np.ones([100, 5]), np.ones([5])]); // float32[10]
 */
export function multiDot(arrays: readonly ArrayLike[]): NDArray;
export function multiDot(): NDArray {
  const chain = multiDotParams(arguments).arrays.map((x, i) => asArray(x, "linalg.multiDot", `array ${i}`));
  const last = chain.length - 1;
  const fault = (code: string, message: string): ShapeError =>
    new ShapeError({
      code,
      message: `linalg.multiDot: ${message}`,
      details: chain.map((x, i) => [`array ${i}`, x.describe()] as const),
    });
  if (last < 1)
    throw new ArgumentError({
      code: "chain-length",
      message: `linalg.multiDot needs two arrays at least, but got ${chain.length}`,
    });
  if (chain.some((x, i) => x.ndim !== 2 && !(x.ndim === 1 && (i === 0 || i === last)))) {
    throw fault("rank", "arrays must be matrices, the first and the last may be vectors");
  }
  if (chain.some((x, i) => i > 0 && x.shape[0] !== chain[i - 1]!.shape.at(-1))) {
    throw fault("contract-length", "each array's last axis must have the length of the next one's first");
  }
  // lengths[i] × lengths[i + 1] is the i-th matrix; a vector counts as a row or a column.
  const rows = chain.map((x, i) => (x.ndim === 1 && i === 0 ? 1 : x.shape[0]!));
  const lengths = [...rows, chain[last]!.ndim === 1 ? 1 : chain[last]!.shape[1]!];
  const splits = chainOrder(lengths);
  const product = (i: number, j: number): NDArray => {
    if (i === j) return chain[i]!;
    const k = splits[i]![j]!;
    return matmul(product(i, k), product(k + 1, j));
  };
  return product(0, last);
}

/** For each piece i … j of a chain of matrices, after which of them it is best split (Cormen et al., matrix-chain order). */
function chainOrder(lengths: readonly number[]): readonly (readonly number[])[] {
  const n = lengths.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const splits = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let span = 1; span < n; span++) {
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      cost[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const c = cost[i]![k]! + cost[k + 1]![j]! + lengths[i]! * lengths[k + 1]! * lengths[j + 1]!;
        if (c < cost[i]![j]!) {
          cost[i]![j] = c;
          splits[i]![j] = k;
        }
      }
    }
  }
  return splits;
}
