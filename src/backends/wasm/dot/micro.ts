import type { ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Arithmetic } from "./arithmetic.js";
import { type Code, sharedFunction } from "./code.js";

/** A block of the result that is held in registers: rows × (vectors of lanes). */
export interface Tile {
  readonly rows: number;
  readonly vectors: number;
}

/** x86-64 has sixteen vector registers, of which V8 keeps one. */
const REGISTERS = 15;

/**
 * The innermost kernel: tile = Σ_k a[·, k] ⊗ b[k, ·], for `k` ≥ 1.
 *
 *   (a, b, out, k, aRow, aStep, bStep, outRow, accumulate, rows)
 *
 * Steps and row strides are in bytes; columns of b and out are adjacent. Of a, only `rows` ≤ tile.rows rows are read (the
 * last one stands in for those that are missing); the whole tile is written, added to what is there if `accumulate`.
 *
 * V8's compiler of Node 20 moves every load of a basic block to its top, so the tile and all values that a block loads must
 * fit in the registers: where they do not, a branch that is never taken ends the block.
 */
export function microKernel(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  return sharedFunction(m, t, `tile${tile.rows}x${tile.vectors * t.lanes}`, 10, (c) => writeMicroKernel(c, tile));
}

function writeMicroKernel(c: Code, { rows, vectors }: Tile): void {
  const { f, t } = c;
  const [a, b, out, k, aRow, aStep, bStep, outRow, accumulate, validRows] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const rowsPerBlock = REGISTERS - rows * vectors - vectors - (t.fused ? 0 : 1);

  const aRows: number[] = [a];
  for (let i = 1; i < rows; i++)
    aRows.push(c.word(c.select(c.less(c.i32(i), validRows), c.add(aRows[i - 1]!, aRow), aRows[i - 1]!)));
  // Zero, but the compiler cannot know.
  const never = c.word(c.less(c.i32(rows), validRows));

  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => c.vector()));
  for (const row of sums) for (const sum of row) c.set(sum, c.zeros());
  const av = c.vector();
  const bv = Array.from({ length: vectors }, () => c.vector());
  f.block((done) => {
    c.times(k, () => {
      bv.forEach((v, j) => c.set(v, c.loadVector(b, j * 16)));
      sums.forEach((row, i) => {
        if (i > 0 && i % rowsPerBlock === 0) {
          f.get(never);
          f.brIf(done);
        }
        c.set(av, c.loadSplat(aRows[i]!));
        row.forEach((sum, j) => c.set(sum, c.multiplyAdd(av, bv[j]!, sum)));
      });
      for (const p of aRows) c.advance(p, aStep);
      c.advance(b, bStep);
    });
  });

  const store = (value: (sum: number, offset: number) => () => void): void =>
    sums.forEach((row, i) => {
      if (i > 0) c.advance(out, outRow);
      row.forEach((sum, j) => c.storeVector(out, value(sum, j * 16), j * 16));
    });
  c.when(
    accumulate,
    () =>
      store((sum, offset) => () => {
        f.get(out);
        f.load(Op.v128_load, offset);
        f.get(sum);
        f.op(t.vectorAdd);
      }),
    () => store((sum) => () => f.get(sum)),
  );
}
