import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { DotKernel, MatrixDigits, MatrixLayout, Statement } from "../../../kernel-ir/kernel.js";
import { slotRef } from "../../../kernel-ir/scalar.js";
import { Substitution } from "../../../kernel-ir/substitute.js";

/**
 * A product as the shaders see it: sum[b…, i, j] = Σ_k a[b…, i, k] · b[b…, k, j], and what is stored of each sum.
 *
 * Batch axes along which one operand stays where it is have become rows or columns where its neighbour's strides allow it
 * (vmap of a matrix-vector product is one matrix product), and the transposed product is taken where that suits the layouts.
 */
export interface Problem {
  readonly batch: readonly BatchAxis[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Matrix;
  readonly b: Matrix;
  /** Over the axes batch…, i, j of the problem, in this order; slot 0 is the sum. */
  readonly stores: readonly StoreStatement[];
}

export interface BatchAxis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
}

/** Element (i, k) of a, or (k, j) of b, at offset + row·(first) + col·(second). Strides of axes of extent 1 are 0. */
export interface Matrix {
  /** Buffer of the kernel: 0 or 1. */
  readonly buffer: number;
  readonly offset: number;
  readonly row: number;
  readonly col: number;
  /** Instead of strides, which are 0 then. */
  readonly digits?: MatrixDigits;
}

export type StoreStatement = Extract<Statement, { kind: "store" }>;

/** Columns up to which a product counts as one of a matrix with vectors. */
export const FEW = 4;

export function problemOf(kernel: DotKernel): Problem {
  const { batch, m, n, k, lhs, rhs } = kernel;
  let draft: Draft = {
    batch: batch.flatMap((size, axis) =>
      size === 1 ? [] : [{ size, a: lhs.batch[axis]!, b: rhs.batch[axis]!, id: axis }],
    ),
    m,
    n,
    k,
    i: batch.length,
    j: batch.length + 1,
    a: { buffer: 0, ...strides(lhs, m, k) },
    b: { buffer: 1, ...strides(rhs, k, n) },
    original: [...batch, m, n].map((extent, axis) => ix.axisIndex(axis, extent)),
    ids: batch.length + 2,
  };
  draft = foldBatch(draft);
  if (prefersTransposed(draft, kernel)) draft = transposed(draft);
  return finish(draft, kernel);
}

/** A problem on its way; its axes have names that never change, and the kernel's axes are said in terms of them. */
interface Draft extends Omit<Problem, "batch" | "stores"> {
  readonly batch: readonly (BatchAxis & { readonly id: number })[];
  readonly i: number;
  readonly j: number;
  readonly original: readonly Index[];
  /** Names given so far. */
  readonly ids: number;
}

const strides = (l: MatrixLayout, rows: number, cols: number): Omit<Matrix, "buffer"> => ({
  offset: l.offset,
  row: rows === 1 ? 0 : l.row,
  col: cols === 1 ? 0 : l.col,
  ...(l.digits && { digits: l.digits }),
});

const transposeMatrix = ({ buffer, offset, row, col, digits }: Matrix): Matrix => ({
  buffer,
  offset,
  row: col,
  col: row,
  ...(digits && { digits: { rows: digits.cols, cols: digits.rows } }),
});

const transposed = (p: Draft): Draft => ({
  ...p,
  m: p.n,
  n: p.m,
  i: p.j,
  j: p.i,
  a: transposeMatrix(p.b),
  b: transposeMatrix(p.a),
  batch: p.batch.map(({ size, a, b, id }) => ({ size, a: b, b: a, id })),
});

function foldBatch(draft: Draft): Draft {
  let p = draft;
  for (let axis = p.batch.length - 1; axis >= 0; axis--) {
    const folded = foldIntoRows(p, axis) ?? foldIntoColumns(p, axis);
    if (!folded) continue;
    p = folded;
    // what did not fold before may do so now
    axis = p.batch.length;
  }
  return p;
}

function foldIntoColumns(p: Draft, axis: number): Draft | undefined {
  const folded = foldIntoRows(transposed(p), axis);
  return folded && transposed(folded);
}

function foldIntoRows(p: Draft, at: number): Draft | undefined {
  const axis = p.batch[at]!;
  if (axis.b !== 0 || p.a.digits) return undefined;
  const outer = p.m === 1 || axis.a === p.m * p.a.row;
  if (!outer && p.a.row !== axis.size * axis.a) return undefined;
  const rows = p.m * axis.size;
  const id = p.ids;
  const row = ix.axisIndex(id, rows);
  const [b, i] = outer ? [ix.div(row, p.m), ix.mod(row, p.m)] : [ix.mod(row, axis.size), ix.div(row, axis.size)];
  const rename = new Substitution((name, index) => (name === axis.id ? b : name === p.i ? i : index));
  return {
    ...p,
    m: rows,
    a: { ...p.a, row: outer && p.m > 1 ? p.a.row : axis.a },
    batch: p.batch.filter((_, other) => other !== at),
    i: id,
    original: p.original.map((index) => rename.index(index)),
    ids: id + 1,
  };
}

/**
 * A product of vectors with a matrix has the matrix first; else sums that are next to each other in k's row of results are
 * those of one thread, which stores them together.
 */
function prefersTransposed(p: Draft, kernel: DotKernel): boolean {
  if (p.m <= FEW || p.n <= FEW) {
    if (p.m <= FEW && p.n <= FEW) return p.a.col !== 1 && p.b.row === 1;
    return p.m <= FEW;
  }
  const [store] = finish(p, kernel).stores;
  const along = (axis: number): number | undefined => store && ix.coefficient(store.index, axis);
  return along(p.batch.length + 1) !== 1 && along(p.batch.length) === 1;
}

function finish(p: Draft, kernel: DotKernel): Problem {
  const { batch, lhs: _lhs, out, type } = kernel;
  const order = [...p.batch.map(({ id }) => id), p.i, p.j];
  const number = new Substitution((name, index) => ix.axisIndex(order.indexOf(name), index.hi + 1));
  const axes = p.original.map((index) => number.index(index));
  const place = new Substitution((axis) => axes[axis]!);
  const plain: StoreStatement = {
    kind: "store",
    buffer: 2,
    index: ix.addConst(
      ix.flatten(
        [...batch, kernel.m, kernel.n].map((extent, axis) => ix.axisIndex(axis, extent)),
        [...out.batch, out.row, out.col],
      ),
      out.offset,
    ),
    value: slotRef(type, 0),
  };
  const stores = (kernel.epilogue ?? [plain]) as readonly StoreStatement[];
  return {
    batch: p.batch.map(({ size, a, b }) => ({ size, a, b })),
    m: p.m,
    n: p.n,
    k: p.k,
    a: p.a,
    b: p.b,
    stores: stores.map((s) => ({ ...s, index: place.index(s.index), value: place.expr(s.value) })),
  };
}
