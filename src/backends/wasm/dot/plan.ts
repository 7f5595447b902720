import type { Digit, DotKernel, MatrixDigits, MatrixLayout } from "../../../kernel-ir/kernel.js";
import { arithmetic, type Arithmetic } from "./arithmetic.js";
import { PACK_COLUMNS, PACK_ROWS, packedColumnsBytes, packedRowsBytes, TILE_SCRATCH } from "./gemm.js";
import type { Tile } from "./micro.js";

/**
 * How a dot is computed: which routine, on which operands (perhaps of the transposed product), cut into how many units.
 * Strides and offsets are in bytes.
 */
export interface DotPlan {
  readonly type: "f32" | "f64";
  readonly routine: DotRoutine;
  readonly problem: Problem;
  /** The product is computed as outᵀ = rhsᵀ · lhsᵀ: buffers 0 and 1 change places. */
  readonly swapped: boolean;
  /** Rows or columns that one unit covers (the last one perhaps fewer); the other way a unit covers all. */
  readonly split: { readonly axis: "rows" | "columns"; readonly step: number };
  /** Units of one batch element. */
  readonly splits: number;
  /** Inner dimension per pass, and what is packed; for the blocked routines only. */
  readonly kBlock: number;
  readonly rowsScratch: number;
  readonly flags: number;
  readonly scratchBytes: number;
  /** Where the tables of operands that are read by digits lie in the scratch. */
  readonly tables: readonly number[];
}

export type DotRoutine = BlockedRoutine | "matrixVector" | "vectorMatrix" | "small";

/** out[b, i, j] = Σ_k a[b, i, k] · b[b, k, j] without anything that is not needed. */
export interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly out: Matrix;
  readonly batch: readonly BatchAxis[];
}
export interface Matrix {
  readonly offset: number;
  readonly row: number;
  readonly col: number;
  /** Instead of strides: such an operand is always packed, by tables of what rows and columns add. */
  readonly digits?: MatrixDigits;
}
interface BatchAxis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

/** The tiles by what they are for; unfused products need a register more. */
export const tiles: Readonly<Record<BlockedRoutine, (t: Arithmetic) => Tile>> = {
  low: () => ({ rows: 4, vectors: 2 }),
  wide: (t) => ({ rows: t.fused ? 6 : 4, vectors: 2 }),
  skinny: () => ({ rows: 3, vectors: 3 }),
  narrow: () => ({ rows: 6, vectors: 1 }),
};
export type BlockedRoutine = "wide" | "low" | "skinny" | "narrow";

/** Multiply-adds below which the blocked routines' preparations cost more than they gain. */
const SMALL = 64;
/** Inner dimension of a block, about: what is packed of it must stay in the first-level cache. */
const K_BLOCK = 256;
/** The same where nothing is packed and neighbours in k compete for the same cache lines. */
const K_BLOCK_ALIASED = 128;
/** Columns from which on the rows are worth packing, too; earlier, where neighbours in k compete for the same cache lines. */
const PACK_ROWS_FROM = 256;
const PACK_ROWS_FROM_ALIASED = 16;
/** Rows up to which columns that are adjacent are read where they lie; fewer, where rows of b compete for the same cache lines. */
const DIRECT_ROWS = 64;
const DIRECT_ROWS_ALIASED = 16;
/** Lines at distances that are multiples of this compete for few places in a cache. */
const ALIASED_STRIDE = 1024;

const plans = new WeakMap<DotKernel, DotPlan>();

export function planDot(kernel: DotKernel): DotPlan {
  let plan = plans.get(kernel);
  if (!plan) plans.set(kernel, (plan = makePlan(kernel)));
  return plan;
}

function makePlan(kernel: DotKernel): DotPlan {
  const t = arithmetic(kernel.type, true);
  const folded = foldBatch(problemOf(kernel, t.bytes));
  const swapped = prefersTransposed(folded, t);
  const problem = swapped ? transposed(folded) : folded;
  return { type: kernel.type, problem, swapped, ...chooseRoutine(problem, t) };
}

function problemOf(kernel: DotKernel, bytes: number): Problem {
  const inBytes = (digits: readonly Digit[]): Digit[] =>
    digits.map(({ size, stride }) => ({ size, stride: stride * bytes }));
  const matrix = (l: MatrixLayout, rows: number, cols: number): Matrix => ({
    offset: l.offset * bytes,
    row: rows === 1 ? 0 : l.row * bytes,
    col: cols === 1 ? 0 : l.col * bytes,
    ...(l.digits && { digits: { rows: inBytes(l.digits.rows), cols: inBytes(l.digits.cols) } }),
  });
  const { m, n, k, lhs, rhs, out } = kernel;
  return {
    m,
    n,
    k,
    a: matrix(lhs, m, k),
    b: matrix(rhs, k, n),
    out: matrix(out, m, n),
    batch: kernel.batch.flatMap((size, i) =>
      size === 1 ? [] : [{ size, a: lhs.batch[i]! * bytes, b: rhs.batch[i]! * bytes, out: out.batch[i]! * bytes }],
    ),
  };
}

const transposeMatrix = ({ offset, row, col, digits }: Matrix): Matrix => ({
  offset,
  row: col,
  col: row,
  ...(digits && { digits: { rows: digits.cols, cols: digits.rows } }),
});

const transposed = (p: Problem): Problem => ({
  m: p.n,
  n: p.m,
  k: p.k,
  a: transposeMatrix(p.b),
  b: transposeMatrix(p.a),
  out: transposeMatrix(p.out),
  batch: p.batch.map(({ size, a, b, out }) => ({ size, a: b, b: a, out })),
});

/**
 * Batch axes along which b stays where it is are rows, if the strides allow it; likewise columns. vmap of a matrix-vector
 * product becomes one matrix product. Batch axes that follow one another become one.
 */
function foldBatch(problem: Problem): Problem {
  let p = problem;
  for (let changed = true; changed;) {
    changed = false;
    for (let i = p.batch.length - 1; i >= 0 && !changed; i--) {
      const folded = foldIntoRows(p, i) ?? foldTransposed(p, i) ?? mergeWithNext(p, i);
      if (!folded) continue;
      p = folded;
      changed = true;
    }
  }
  return p;
}

function foldIntoRows(p: Problem, i: number): Problem | undefined {
  const axis = p.batch[i]!;
  if (axis.b !== 0 || p.m === 0 || p.a.digits) return undefined;
  const outer = axis.a === p.m * p.a.row && axis.out === p.m * p.out.row;
  const inner = p.a.row === axis.size * axis.a && p.out.row === axis.size * axis.out;
  if (p.m > 1 && !outer && !inner) return undefined;
  const step = p.m === 1 || !outer ? { a: axis.a, out: axis.out } : { a: p.a.row, out: p.out.row };
  return {
    ...p,
    m: p.m * axis.size,
    a: { ...p.a, row: step.a },
    out: { ...p.out, row: step.out },
    batch: p.batch.filter((_, j) => j !== i),
  };
}

function foldTransposed(p: Problem, i: number): Problem | undefined {
  const folded = foldIntoRows(transposed(p), i);
  return folded && transposed(folded);
}

function mergeWithNext(p: Problem, i: number): Problem | undefined {
  const [outer, inner] = [p.batch[i]!, p.batch[i + 1]];
  if (!inner) return undefined;
  const merges = (["a", "b", "out"] as const).every((x) => outer[x] === inner.size * inner[x]);
  if (!merges) return undefined;
  return {
    ...p,
    batch: p.batch.flatMap((axis, j) =>
      j === i ? [{ ...inner, size: outer.size * inner.size }] : j === i + 1 ? [] : [axis],
    ),
  };
}

const adjacent = (stride: number, size: number, t: Arithmetic): boolean => size === 1 || stride === t.bytes;

/** Results are written along rows of out, and a lone column is better a lone row if that makes b's rows adjacent. */
function prefersTransposed(p: Problem, t: Arithmetic): boolean {
  if (p.a.digits ?? p.b.digits) return !adjacent(p.out.col, p.n, t) && adjacent(p.out.row, p.m, t);
  if (p.n === 1) return !adjacent(p.a.col, p.k, t) && adjacent(p.a.row, p.m, t) && adjacent(p.out.row, p.m, t);
  if (p.m === 1) return !(adjacent(p.b.col, p.n, t) && adjacent(p.out.col, p.n, t)) && adjacent(p.b.row, p.k, t);
  return !adjacent(p.out.col, p.n, t) && adjacent(p.out.row, p.m, t);
}

const aliased = (stride: number): boolean => stride % ALIASED_STRIDE === 0;

type Choice = Pick<
  DotPlan,
  "routine" | "split" | "splits" | "kBlock" | "rowsScratch" | "flags" | "scratchBytes" | "tables"
>;

function chooseRoutine(p: Problem, t: Arithmetic): Choice {
  const { m, n, k } = p;
  const choice = (routine: DotRoutine, axis: "rows" | "columns", step: number, more?: Partial<Choice>): Choice => ({
    routine,
    split: { axis, step },
    splits: m === 0 || n === 0 ? 0 : Math.ceil((axis === "rows" ? m : n) / step),
    kBlock: 0,
    rowsScratch: 0,
    flags: 0,
    scratchBytes: 0,
    tables: [0, 0, 0, 0],
    ...more,
  });
  if (p.a.digits ?? p.b.digits) return chooseBlocked(p, t, choice);
  if (n === 1 && k >= 2 * t.lanes && adjacent(p.a.col, k, t) && adjacent(p.b.row, k, t))
    return choice("matrixVector", "rows", 16);
  if (n === 1 || m * n * k <= SMALL) return choice("small", "rows", n === 1 ? 64 : Math.max(1, m));
  if (m === 1 && n >= 16 && adjacent(p.b.col, n, t) && adjacent(p.out.col, n, t))
    return choice("vectorMatrix", "columns", 64);
  return chooseBlocked(p, t, choice);
}

function chooseBlocked(
  p: Problem,
  t: Arithmetic,
  choice: (routine: DotRoutine, axis: "rows" | "columns", step: number, more: Partial<Choice>) => Choice,
): Choice {
  const { m, n, k } = p;
  const vectors = Math.ceil(n / t.lanes);
  const fewRows = m <= 4 || m === 7 || m === 8;
  const routine = vectors === 1 ? "narrow" : vectors === 3 ? "skinny" : fewRows ? "low" : "wide";
  const tile = tiles[routine](t);
  const width = tile.vectors * t.lanes;
  const directRows = aliased(p.b.row) ? DIRECT_ROWS_ALIASED : DIRECT_ROWS;
  const packColumns = p.b.digits !== undefined || !adjacent(p.b.col, n, t) || (n > width && m > directRows);
  const packRows =
    p.a.digits !== undefined || n >= (k > 64 && aliased(p.a.col) ? PACK_ROWS_FROM_ALIASED : PACK_ROWS_FROM);
  const kBlock =
    packColumns || n > width
      ? Math.ceil(k / Math.max(1, Math.round(k / K_BLOCK)))
      : Math.min(k, !packRows && aliased(p.a.col) ? K_BLOCK_ALIASED : k);
  const rowsScratch = TILE_SCRATCH + packedColumnsBytes(t, tile, packColumns ? n : 1, kBlock);
  const byColumns = n >= 8 * width;
  return choice(routine, byColumns ? "columns" : "rows", byColumns ? width : routine === "wide" ? 30 : 24, {
    kBlock,
    rowsScratch,
    flags: (packColumns ? PACK_COLUMNS : 0) | (packRows ? PACK_ROWS : 0),
    ...tablesOf(p, rowsScratch + (packRows ? packedRowsBytes(t, m, kBlock) : 0)),
  });
}

/** Digits of an operand's rows and columns; those that have strides have none. */
const NO_DIGITS: MatrixDigits = { rows: [], cols: [] };
/** The four lists of digits of a problem, in the order of their tables, and the lengths of those. */
export const tableDigits = ({ a, b, m, n, k }: Problem): readonly (readonly [readonly Digit[], number])[] => [
  [(a.digits ?? NO_DIGITS).rows, a.digits ? m : 0],
  [(a.digits ?? NO_DIGITS).cols, a.digits ? k : 0],
  [(b.digits ?? NO_DIGITS).rows, b.digits ? k : 0],
  [(b.digits ?? NO_DIGITS).cols, b.digits ? n : 0],
];

/** Tables lie behind the rest of the scratch, one word an entry. */
function tablesOf(p: Problem, end: number): Pick<DotPlan, "tables" | "scratchBytes"> {
  const tables: number[] = [];
  for (const [, length] of tableDigits(p)) {
    tables.push(end);
    end += Math.ceil(length / 4) * 16;
  }
  return { tables, scratchBytes: end };
}
