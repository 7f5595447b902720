import type { ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Arithmetic } from "./arithmetic.js";
import type { Value } from "../words.js";
import { sharedFunction } from "./code.js";

/** Rows that one pass of a matrix-vector product handles at once. */
const DOT_ROWS = 4;
/** Rows of b that one pass of a vector-matrix product adds at once. */
const AXPY_ROWS = 4;

/**
 * Matrix times vector, rows and vector with adjacent elements: out[i] = Σ_k a[i, k] · x[k].
 *
 *   (a, x, out, rows, k, aRow, outRow)
 */
export function matrixVector(m: ModuleBuilder, t: Arithmetic): number {
  const block = dotRows(m, t);
  return sharedFunction(m, t, "matrixVector", 7, (c) => {
    const [a, x, out, rows, k, aRow, outRow] = [0, 1, 2, 3, 4, 5, 6] as const;
    c.count(rows, DOT_ROWS, (i) => {
      c.call(block, a, x, out, k, aRow, outRow, c.sub(rows, i));
      c.advance(a, c.mul(aRow, c.i32(DOT_ROWS)));
      c.advance(out, c.mul(outRow, c.i32(DOT_ROWS)));
    });
  });
}

/** Up to DOT_ROWS rows: (a, x, out, k, aRow, outRow, rows). */
function dotRows(m: ModuleBuilder, t: Arithmetic): number {
  return sharedFunction(m, t, "dotRows", 7, (c) => {
    const [a, x, out, k, aRow, outRow, rows] = [0, 1, 2, 3, 4, 5, 6] as const;
    const from: number[] = [a];
    for (let i = 1; i < DOT_ROWS; i++)
      from.push(c.word(c.select(c.less(c.i32(i), rows), c.add(from[i - 1]!, aRow), from[i - 1]!)));
    const sums = from.map(() => c.vector());
    for (const sum of sums) c.set(sum, c.zeros());
    const xv = c.vector();
    const vectors = c.word(c.div(k, c.i32(t.lanes)));
    c.when(vectors, () =>
      c.times(vectors, () => {
        c.set(xv, c.loadVector(x));
        from.forEach((p, i) => c.set(sums[i]!, c.multiplyAdd(c.loadVector(p), xv, sums[i]!)));
        for (const p of [...from, x]) c.advance(p, c.i32(16));
      }),
    );
    const totals = sums.map((sum) => {
      const total = c.f.local(t.type);
      c.set(total, c.lanesSum(sum));
      return total;
    });
    const rest = c.word(c.rem(k, c.i32(t.lanes)));
    c.when(rest, () =>
      c.times(rest, () => {
        from.forEach((p, i) => c.set(totals[i]!, c.scalarAdd(totals[i]!, c.scalarMul(c.load(p), c.load(x)))));
        for (const p of [...from, x]) c.advance(p, c.i32(t.bytes));
      }),
    );
    c.f.block((done) => {
      totals.forEach((total, i) => {
        if (i > 0) {
          c.push(c.less(c.i32(i), rows));
          c.f.op(Op.i32_eqz);
          c.f.brIf(done);
          c.advance(out, outRow);
        }
        c.store(out, total);
      });
    });
  });
}

/**
 * Vector times matrix, rows of b and the result with adjacent elements: out[j] = Σ_k x[k] · b[k, j]. k ≥ 1.
 *
 *   (x, b, out, n, k, xStep, bRow)
 */
export function vectorMatrix(m: ModuleBuilder, t: Arithmetic): number {
  const four = axpy(m, t, AXPY_ROWS);
  const one = axpy(m, t, 1);
  return sharedFunction(m, t, "vectorMatrix", 7, (c) => {
    const [x, b, out, n, k, xStep, bRow] = [0, 1, 2, 3, 4, 5, 6] as const;
    const accumulate = c.word(c.i32(0));
    const pass = (fn: number, rows: number): void => {
      c.call(fn, x, b, out, n, xStep, bRow, accumulate);
      c.set(accumulate, c.i32(1));
      c.advance(x, c.mul(xStep, c.i32(rows)));
      c.advance(b, c.mul(bRow, c.i32(rows)));
      c.set(k, c.sub(k, c.i32(rows)));
    };
    c.whilst(c.less(c.i32(AXPY_ROWS - 1), k), () => pass(four, AXPY_ROWS));
    c.whilst(k, () => pass(one, 1));
  });
}

/** out (+)= Σ over `rows` rows of x[r] · b[r, ·]: (x, b, out, n, xStep, bRow, accumulate). */
function axpy(m: ModuleBuilder, t: Arithmetic, rows: number): number {
  return sharedFunction(m, t, `axpy${rows}`, 7, (c) => {
    const [x, b, out, n, xStep, bRow, accumulate] = [0, 1, 2, 3, 4, 5, 6] as const;
    const from: number[] = [b];
    for (let r = 1; r < rows; r++) from.push(c.word(c.add(from[r - 1]!, bRow)));
    const scale = from.map(() => c.vector());
    scale.forEach((v, r) => {
      if (r > 0) c.advance(x, xStep);
      c.set(v, c.loadSplat(x));
    });
    const sum = c.vector();
    const vectors = c.word();
    const loop = (initial: Value): void => {
      c.set(vectors, c.div(n, c.i32(t.lanes)));
      c.when(vectors, () =>
        c.times(vectors, () => {
          c.set(sum, initial);
          from.forEach((p, r) => c.set(sum, c.multiplyAdd(c.loadVector(p), scale[r]!, sum)));
          c.storeVector(out, sum);
          for (const p of [...from, out]) c.advance(p, c.i32(16));
        }),
      );
    };
    c.when(
      accumulate,
      () => loop(c.loadVector(out)),
      () => loop(c.zeros()),
    );
    const rest = c.word(c.rem(n, c.i32(t.lanes)));
    const total = c.f.local(t.type);
    c.when(rest, () =>
      c.times(rest, () => {
        c.when(
          accumulate,
          () => c.set(total, c.load(out)),
          () => c.set(total, () => (t.type === "f32" ? c.f.f32(0) : c.f.f64(0))),
        );
        from.forEach((p, r) =>
          c.set(
            total,
            c.scalarAdd(
              total,
              c.scalarMul(c.load(p), () => {
                c.f.get(scale[r]!);
                c.f.lane(t.extractLane, 0);
              }),
            ),
          ),
        );
        c.store(out, total);
        for (const p of [...from, out]) c.advance(p, c.i32(t.bytes));
      }),
    );
  });
}
