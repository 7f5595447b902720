import type { ModuleBuilder } from "../module-builder.js";
import type { Arithmetic } from "./arithmetic.js";
import { sharedFunction } from "./code.js";

/**
 * The product of two matrices one element at a time, for those that are too small or too scattered for anything better.
 * m, n ≥ 1; k may be 0.
 *
 *   (a, b, out, m, n, k, aRow, aCol, bRow, bCol, outRow, outCol)
 */
export function smallProduct(m: ModuleBuilder, t: Arithmetic): number {
  return sharedFunction(m, t, "small", 12, (c) => {
    const [a, b, out, rows, n, k, aRow, aCol, bRow, bCol, outRow, outCol] = [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ] as const;
    const j = c.word();
    const p = c.word();
    const aAt = c.word();
    const bAt = c.word();
    const bColumn = c.word();
    const outAt = c.word();
    const total = c.f.local(t.type);
    c.times(rows, () => {
      c.set(j, n);
      c.set(bColumn, b);
      c.set(outAt, out);
      c.times(j, () => {
        c.set(total, () => (t.type === "f32" ? c.f.f32(0) : c.f.f64(0)));
        c.set(aAt, a);
        c.set(bAt, bColumn);
        c.set(p, k);
        c.when(p, () =>
          c.times(p, () => {
            c.set(total, c.scalarAdd(total, c.scalarMul(c.load(aAt), c.load(bAt))));
            c.advance(aAt, aCol);
            c.advance(bAt, bRow);
          }),
        );
        c.store(outAt, total);
        c.advance(bColumn, bCol);
        c.advance(outAt, outCol);
      });
      c.advance(a, aRow);
      c.advance(out, outRow);
    });
  });
}
