import type { NDArray } from "../../src/core/array.js";
import type { DType } from "../../src/core/dtype.js";

/**
 * Contract rows: what a primitive promises, one record a primitive (or several, for its variants), from which
 * `contract.test.ts` derives the laws every primitive keeps:
 *
 * - abstract evaluation gives the shape and dtype that evaluation produces, and the row binds the primitive it names;
 * - jvp = central finite differences (float64);
 * - ⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩;
 * - vmap = a loop, for each operand alone at each axis, and for all operands together at mixed axes;
 * - jit = eager, and every backend = reference;
 * - where smooth, the laws of jvp and transposition hold for the derivative again.
 *
 * Files `rows-*.ts` of this folder export `rows: readonly ContractRow[]`; they are found by name.
 */
export interface ContractRow {
  /** Name of the primitive in the table. */
  readonly primitive: string;
  /** Tells rows of one primitive apart, e.g. "reverse". */
  readonly variant?: string;
  /** Operands, drawn from a seeded generator. */
  readonly args: readonly ArgSpec[];
  /** The primitive is gone when `apply` returns, as a collective is when its axis is mapped: it is looked for in what this stages. */
  readonly inside?: (stage: (f: () => NDArray) => void) => void;
  /** Calls the wrapper with the operands. */
  readonly apply: (args: readonly NDArray[]) => NDArray | readonly NDArray[];
  /** How often it may be differentiated at the drawn operands: 0 needs `because`. */
  readonly smooth: 0 | 1 | 2;
  /** Why there is no derivative: integer results, a step function … */
  readonly because?: string;
  /** Relative and absolute tolerance of the derivative laws in float64; default 1e-6. */
  readonly tolerance?: number;
  /** Tolerance between backends and for jit = eager in float32, in units of the last place of the result's magnitude; default 4. */
  readonly ulps?: number;
  /** False where batching is refused by design; then `because` says why. */
  readonly batches?: boolean;
}

export interface ArgSpec {
  readonly shape: readonly number[];
  /** "float": float32 for values and backends, float64 for derivatives. */
  readonly dtype: DType | "float";
  /** Uniform in [lo, hi]; whole numbers for ints. */
  readonly range?: readonly [lo: number, hi: number];
  /** The elements, instead of random ones; row-major. */
  readonly values?: readonly number[];
  /** The elements for each example of a batch in turn, where `values` alone would make them all equal. */
  readonly examples?: readonly (readonly number[])[];
  /** Elements differ pairwise by at least a hundredth of the range: for max, sort and the like. */
  readonly distinct?: boolean;
  /** Float operand that derivatives leave alone: the primitive is not differentiable in it. */
  readonly constant?: boolean;
}

export const floats = (shape: readonly number[], range: readonly [number, number] = [-2, 2]): ArgSpec => ({
  shape,
  dtype: "float",
  range,
});
export const distinct = (shape: readonly number[], range: readonly [number, number] = [-2, 2]): ArgSpec => ({
  shape,
  dtype: "float",
  range,
  distinct: true,
});
export const ints = (shape: readonly number[], range: readonly [number, number] = [-10, 10]): ArgSpec => ({
  shape,
  dtype: "int32",
  range,
});
export const uints = (shape: readonly number[], range: readonly [number, number] = [0, 4294967295]): ArgSpec => ({
  shape,
  dtype: "uint32",
  range,
});
export const bools = (shape: readonly number[]): ArgSpec => ({ shape, dtype: "bool", range: [0, 1] });
/** Given elements. */
export const given = (shape: readonly number[], dtype: DType | "float", values: readonly number[]): ArgSpec => ({
  shape,
  dtype,
  values,
});
/** Random keys: words drawn over all of uint32. */
export const keys = (shape: readonly number[]): ArgSpec => ({ shape, dtype: "key", range: [0, 4294967295] });
