import type { Index } from "./index-expr.js";
import type { CombineOp, Expr, ScalarType } from "./scalar.js";

/**
 * Kernels: what runs over a domain of elements in one launch.
 *
 *   kernel ::= nest | dot | sort
 *
 * A buffer argument is a flat run of elements; bool takes a 32-bit word (0/1). Indices count elements, not bytes.
 */
export interface BufferArg {
  readonly type: Exclude<ScalarType, "i64">;
  readonly access: "read" | "write" | "readwrite";
  /** Elements that the kernel may touch: every index lies in [0, length). */
  readonly length: number;
}

export type Kernel = NestKernel | DotKernel | SortKernel;

/**
 * A nest of loops: for every point of the parallel axes (a "row"), the phases in order; in each phase, for every point of the
 * reduced axes in row-major order, the body; then, once, what comes after.
 *
 *   for p in parallel:                       // in any order, unless `sequential`
 *     for phase in phases:
 *       slots of this phase = their initial values
 *       for r in reduced: phase.body        // once, if there are no reduced axes
 *       phase.after
 *
 * Axes are numbered parallel first, then reduced. A Loop is a nest without reduced axes and with one phase (its statements
 * in `body`); softmax is one with three phases; cumsum one with a running slot; scatter one that is sequential and updates.
 * Every store of one phase goes to its own place: two points never write one element unless the nest is sequential.
 */
export interface NestKernel {
  readonly kind: "nest";
  readonly name: string;
  readonly buffers: readonly BufferArg[];
  readonly parallel: readonly number[];
  readonly reduced: readonly number[];
  /** Rows run one after another in row-major order: later ones see what earlier ones wrote. */
  readonly sequential: boolean;
  /** Of a sequential nest: no two rows update one element (a promise), so that their order does not matter after all. */
  readonly unique?: boolean;
  readonly slots: readonly Slot[];
  /** Row buffers: one element per point of the reduced axes, private to a row. */
  readonly keeps: readonly ScalarType[];
  readonly phases: readonly Phase[];
}

/** An accumulator. `combine` gives the new value from the old one and the statement's value. */
export interface Slot {
  readonly type: ScalarType;
  readonly initial: number;
  readonly combine: CombineOp;
  /** Read inside the body, after its statement (a scan): the reduced axes run in order, one after another. */
  readonly running: boolean;
}

export interface Phase {
  readonly body: readonly Statement[];
  readonly after: readonly Statement[];
}

export type Statement =
  | { readonly kind: "store"; readonly buffer: number; readonly index: Index; readonly value: Expr }
  /** buffer[index] = combine(buffer[index], value), or a plain store where combine is null, if `when` holds. Sequential nests only. */
  | {
      readonly kind: "update";
      readonly buffer: number;
      readonly index: Index;
      readonly value: Expr;
      readonly combine: CombineOp | null;
      readonly when: Expr | null;
    }
  | { readonly kind: "keep"; readonly keep: number; readonly value: Expr }
  | { readonly kind: "accumulate"; readonly slot: number; readonly value: Expr };

/** Where a matrix lies in its buffer: element (b…, i, j) at offset + Σ batch[k]·b_k + row·i + col·j. */
export interface MatrixLayout {
  readonly offset: number;
  readonly batch: readonly number[];
  readonly row: number;
  readonly col: number;
  /**
   * Instead of row·i and col·j: places that no one stride describes (windows of images), of operands of devices with `dotDigits`.
   * `row` and `col` are 0 then.
   */
  readonly digits?: MatrixDigits;
}

/** i and j as numbers of several digits, the last fastest, each with a stride; the product of the sizes is the extent. */
export interface MatrixDigits {
  readonly rows: readonly Digit[];
  readonly cols: readonly Digit[];
}
export interface Digit {
  readonly size: number;
  readonly stride: number;
}

/** What an index adds to an element's place. */
export function digitOffset(digits: readonly Digit[], index: number): number {
  let [rest, offset] = [index, 0];
  for (let k = digits.length - 1; k >= 0; k--) {
    const { size, stride } = digits[k]!;
    offset += (rest % size) * stride;
    rest = Math.floor(rest / size);
  }
  return offset;
}

/**
 * out[b, i, j] = Σ_k lhs[b, i, k] · rhs[b, k, j]; buffers 0 lhs, 1 rhs, 2 out (written whole over its layout), then those that
 * the epilogue reads. `type` f32 or f64. k may be 0 (zeros).
 */
export interface DotKernel {
  readonly kind: "dot";
  readonly name: string;
  readonly type: "f32" | "f64";
  readonly buffers: readonly BufferArg[];
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lhs: MatrixLayout;
  readonly rhs: MatrixLayout;
  readonly out: MatrixLayout;
  /**
   * Instead of storing the sum at `out`: stores (only) made of it, for every point of the axes batch…, i, j (numbered in this
   * order). Slot 0 is the sum; loads read buffers other than 0 to 2 (buffer 2 is then untouched unless a store names it).
   */
  readonly epilogue?: readonly Statement[];
}

/**
 * Sorts rows of n elements stably by the first `numKeys` of the operands, lexicographically, ascending; the others follow.
 * Operand i is read from buffer i and written to buffer operands + i, both contiguous [outer, n, inner], sorted along n.
 * Floats: −0 equals 0, NaNs are equal and last. bool: false first. Descending is the contrary order, stable as well.
 * Of each row only the first `count` elements are written, contiguous [outer, count, inner]; the others need no order.
 */
export interface SortKernel {
  readonly kind: "sort";
  readonly name: string;
  readonly buffers: readonly BufferArg[];
  readonly operands: number;
  readonly numKeys: number;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly descending: boolean;
  readonly count: number;
}
