import type { ModuleBuilder } from "../module-builder.js";
import type { Arithmetic } from "./arithmetic.js";
import { type Code, sharedFunction } from "./code.js";
import type { Tile } from "./micro.js";

/**
 * Packing: copies a block of an operand into the order in which the micro-kernel reads it, so that it streams through few
 * cache lines and pages whatever its strides are. Where a panel reaches beyond the block, the last column or row stands in
 * for those that are missing; what is computed from them is thrown away.
 */

/**
 * Packs k × n elements of b into panels of the tile's width: panel after panel, row after row. k, n ≥ 1.
 *
 *   (b, to, k, n, bRow, bCol)
 */
export function packColumns(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const width = tile.vectors * t.lanes;
  const copy = copyPanel(m, t, tile);
  const gather = gatherStrip(m, t, tile);
  return sharedFunction(m, t, `packColumns${width}`, 6, (c) => {
    const [b, to, k, n, bRow, bCol] = [0, 1, 2, 3, 4, 5] as const;
    c.count(n, width, (j) => {
      const left = c.word(c.sub(n, j));
      c.when(
        c.and(c.less(c.i32(width - 1), left), c.eq(bCol, c.i32(t.bytes))),
        () => c.call(copy, b, to, k, bRow),
        () => {
          for (let v = 0; v < tile.vectors; v++) {
            const first = c.word(c.min(c.i32(v * t.lanes), c.sub(left, c.i32(1))));
            c.call(gather, c.at(b, first, bCol), c.add(to, c.i32(v * 16)), k, c.sub(left, first), bRow, bCol);
            c.f.free(first);
          }
        },
      );
      c.advance(b, c.mul(bCol, c.i32(width)));
      c.advance(to, c.mul(k, c.i32(width * t.bytes)));
      c.f.free(left);
    });
  });
}

/** One full panel of adjacent columns: (b, to, k, bRow). */
function copyPanel(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  return sharedFunction(m, t, `copyPanel${tile.vectors}`, 4, (c) => {
    const [b, to, k, bRow] = [0, 1, 2, 3] as const;
    c.times(k, () => {
      for (let v = 0; v < tile.vectors; v++) c.storeVector(to, c.loadVector(b, v * 16), v * 16);
      c.advance(b, bRow);
      c.advance(to, c.i32(tile.vectors * 16));
    });
  });
}

/** One vector's width of columns, `columns` ≥ 1 of them there, with any strides: (b, to, k, columns, bRow, bCol). */
function gatherStrip(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  return sharedFunction(m, t, `gatherStrip${tile.vectors}`, 6, (c) => {
    const [b, to, k, columns, bRow, bCol] = [0, 1, 2, 3, 4, 5] as const;
    const from: number[] = [b];
    for (let i = 1; i < t.lanes; i++)
      from.push(c.word(c.select(c.less(c.i32(i), columns), c.add(from[i - 1]!, bCol), from[i - 1]!)));
    c.times(k, () => {
      c.storeVector(to, () => {
        for (const p of from.slice(1).reverse()) c.push(p);
        c.push(c.loadSplat(b));
        for (let i = 1; i < t.lanes; i++) c.f.laneLoad(t.loadLane, i);
      });
      for (const p of from) c.advance(p, bRow);
      c.advance(to, c.i32(tile.vectors * 16));
    });
  });
}

/**
 * Packs m × k elements of a into panels of the tile's rows: panel after panel, column after column. m, k ≥ 1. Up to 16 bytes
 * behind the panels are overwritten.
 *
 *   (a, to, m, k, aRow, aCol)
 */
export function packRows(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const { rows } = tile;
  const copy = copyRows(m, t, tile);
  const gather = gatherRows(m, t, tile);
  return sharedFunction(m, t, `packRows${rows}`, 6, (c) => {
    const [a, to, count, k, aRow, aCol] = [0, 1, 2, 3, 4, 5] as const;
    c.count(count, rows, (i) => {
      const left = c.word(c.sub(count, i));
      c.when(
        c.and(c.less(c.i32(rows - 1), left), c.eq(aRow, c.i32(t.bytes))),
        () => c.call(copy, a, to, k, aCol),
        () => c.call(gather, a, to, left, k, aRow, aCol),
      );
      c.advance(a, c.mul(aRow, c.i32(rows)));
      c.advance(to, c.mul(k, c.i32(rows * t.bytes)));
      c.f.free(left);
    });
  });
}

/** One full panel of adjacent rows, by whole vectors, of which the next column overwrites the excess: (a, to, k, aCol). */
function copyRows(m: ModuleBuilder, t: Arithmetic, { rows }: Tile): number {
  return sharedFunction(m, t, `copyRows${rows}`, 4, (c) => {
    const [a, to, k, aCol] = [0, 1, 2, 3] as const;
    c.times(k, () => {
      for (let i = 0; i < rows; i += t.lanes) c.storeVector(to, c.loadVector(a, i * t.bytes), i * t.bytes);
      c.advance(a, aCol);
      c.advance(to, c.i32(rows * t.bytes));
    });
  });
}

/** One panel with any strides, `valid` of its rows there: (a, to, valid, k, aRow, aCol). */
function gatherRows(m: ModuleBuilder, t: Arithmetic, { rows }: Tile): number {
  return sharedFunction(m, t, `gatherRows${rows}`, 6, (c) => {
    const [a, to, valid, k, aRow, aCol] = [0, 1, 2, 3, 4, 5] as const;
    const from: number[] = [a];
    for (let i = 1; i < rows; i++)
      from.push(c.word(c.select(c.less(c.i32(i), valid), c.add(from[i - 1]!, aRow), from[i - 1]!)));
    c.times(k, () => {
      from.forEach((p, i) => c.store(to, c.load(p), i * t.bytes));
      for (const p of from) c.advance(p, aCol);
      c.advance(to, c.i32(rows * t.bytes));
    });
  });
}

/**
 * As packColumns, of an operand whose rows and columns are where tables say: element (k, j) at b + rows[k] + cols[j], in bytes.
 *
 *   (b, to, k, n, rows, cols)
 */
export function packColumnsByTable(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const width = tile.vectors * t.lanes;
  const gather = gatherStripByTable(m, t, tile);
  return sharedFunction(m, t, `packColumnsByTable${width}`, 6, (c) => {
    const [b, to, k, n, rows, cols] = [0, 1, 2, 3, 4, 5] as const;
    c.count(n, width, (j) => {
      const left = c.word(c.sub(n, j));
      for (let v = 0; v < tile.vectors; v++) {
        const first = c.word(c.min(c.i32(v * t.lanes), c.sub(left, c.i32(1))));
        c.call(gather, b, c.add(to, c.i32(v * 16)), k, c.sub(left, first), rows, c.at(cols, first, c.i32(4)));
        c.f.free(first);
      }
      c.advance(cols, c.i32(4 * width));
      c.advance(to, c.mul(k, c.i32(width * t.bytes)));
      c.f.free(left);
    });
  });
}

/** One vector's width of columns, `columns` ≥ 1 of them there: (b, to, k, columns, rows, cols). */
function gatherStripByTable(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  return sharedFunction(m, t, `gatherStripByTable${tile.vectors}`, 6, (c) => {
    const [b, to, k, columns, rows, cols] = [0, 1, 2, 3, 4, 5] as const;
    const from = pointers(c, t.lanes, b, cols, columns);
    const adjacent = from
      .slice(1)
      .map((p, i) => c.eq(p, c.add(from[0]!, c.i32((i + 1) * t.bytes))))
      .reduce((x, y) => c.and(x, y));
    const offset = c.word();
    const sweep = (read: () => void): void =>
      c.times(k, () => {
        c.set(offset, c.loadWord(rows, 0));
        c.storeVector(to, read);
        c.advance(rows, c.i32(4));
        c.advance(to, c.i32(tile.vectors * 16));
      });
    c.when(
      adjacent,
      () => sweep(() => c.push(c.loadVector(c.add(from[0]!, offset)))),
      () =>
        sweep(() => {
          for (const p of from.slice(1).reverse()) c.push(c.add(p, offset));
          c.push(c.loadSplat(c.add(from[0]!, offset)));
          for (let i = 1; i < t.lanes; i++) c.f.laneLoad(t.loadLane, i);
        }),
    );
  });
}

/** Addresses of `n` neighbours, of which `valid` ≥ 1 are there: the last one stands in for those that are missing. */
function pointers(c: Code, n: number, base: number, table: number, valid: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const entry = i === 0 ? table : c.at(table, c.min(c.i32(i), c.sub(valid, c.i32(1))), c.i32(4));
    return c.word(c.add(base, c.loadWord(entry, 0)));
  });
}

/**
 * As packRows, of an operand whose rows and columns are where tables say.
 *
 *   (a, to, m, k, rows, cols)
 */
export function packRowsByTable(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const gather = gatherRowsByTable(m, t, tile);
  return sharedFunction(m, t, `packRowsByTable${tile.rows}`, 6, (c) => {
    const [a, to, count, k, rows, cols] = [0, 1, 2, 3, 4, 5] as const;
    c.count(count, tile.rows, (i) => {
      c.call(gather, a, to, c.sub(count, i), k, rows, cols);
      c.advance(rows, c.i32(4 * tile.rows));
      c.advance(to, c.mul(k, c.i32(tile.rows * t.bytes)));
    });
  });
}

/** One panel, `valid` of its rows there: (a, to, valid, k, rows, cols). */
function gatherRowsByTable(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  return sharedFunction(m, t, `gatherRowsByTable${tile.rows}`, 6, (c) => {
    const [a, to, valid, k, rows, cols] = [0, 1, 2, 3, 4, 5] as const;
    const from = pointers(c, tile.rows, a, rows, valid);
    const offset = c.word();
    c.times(k, () => {
      c.set(offset, c.loadWord(cols, 0));
      from.forEach((p, i) => c.store(to, c.load(c.add(p, offset)), i * t.bytes));
      c.advance(cols, c.i32(4));
      c.advance(to, c.i32(tile.rows * t.bytes));
    });
  });
}
