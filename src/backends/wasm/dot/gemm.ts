import type { ModuleBuilder } from "../module-builder.js";
import type { Arithmetic } from "./arithmetic.js";
import { type Code, sharedFunction } from "./code.js";
import { microKernel, type Tile } from "./micro.js";
import { packColumns, packColumnsByTable, packRows, packRowsByTable } from "./pack.js";

/** Panels of columns that are packed at once: what bounds the scratch. */
const PANELS = 128;
/** Rows of a that are swept per panel, so that they stay in the second-level cache: a multiple of every tile's rows. */
const ROW_BLOCK = 120;

/** Flags: columns, rows are packed. */
export const PACK_COLUMNS = 1;
export const PACK_ROWS = 2;

/** The scratch holds a tile of the result, then packed columns, then packed rows; these are their sizes in bytes. */
export const TILE_SCRATCH = 256;
export const packedColumnsBytes = (t: Arithmetic, tile: Tile, n: number, kBlock: number): number =>
  Math.min(PANELS, Math.ceil(n / (tile.vectors * t.lanes))) * tile.vectors * 16 * kBlock;
export const packedRowsBytes = (t: Arithmetic, m: number, kBlock: number): number =>
  Math.ceil((Math.min(ROW_BLOCK, Math.ceil(m / 60) * 60) * t.bytes * kBlock) / 16) * 16 + 16;

/**
 * The product of two matrices in blocks: columns in blocks of panels, k in blocks of `kBlock`, rows in blocks of tiles.
 * m, n, k ≥ 1.
 *
 *   (a, b, out, scratch, m, n, k, aRow, aCol, bRow, bCol, outRow, outCol, kBlock, rowsScratch, flags)
 *
 * Strides in bytes; `rowsScratch`: where packed rows lie in the scratch. If columns are not packed they must be adjacent,
 * and are read where they lie, but for a last panel that lacks a vector or more: reading it would go too far beyond b.
 * An operand that is read by tables has their addresses in the place of its strides, and is packed.
 */
export function gemm(m: ModuleBuilder, t: Arithmetic, tile: Tile, byTable: ByTable = { a: false, b: false }): number {
  const micro = microKernel(m, t, tile);
  const columns = (byTable.b ? packColumnsByTable : packColumns)(m, t, tile);
  const rowPanels = (byTable.a ? packRowsByTable : packRows)(m, t, tile);
  const addTile = storeTile(m, t, tile);
  const name = `gemm${tile.rows}x${tile.vectors * t.lanes}${byTable.a ? "_a" : ""}${byTable.b ? "_b" : ""}`;
  return sharedFunction(m, t, name, 16, (c) => writeGemm(c, tile, { micro, columns, rowPanels, addTile }, byTable));
}

/** Which operands are read by tables. */
export interface ByTable {
  readonly a: boolean;
  readonly b: boolean;
}

interface Callees {
  readonly micro: number;
  readonly columns: number;
  readonly rowPanels: number;
  readonly addTile: number;
}

function writeGemm(c: Code, tile: Tile, fn: Callees, byTable: ByTable): void {
  const { t } = c;
  const width = tile.vectors * t.lanes;
  const [a, b, out, scratch, rows, n, k, aRow, aCol, bRow, bCol, outRow, outCol, kBlock, rowsScratch, flags] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  ] as const;
  const packed = c.word(c.and(flags, c.i32(PACK_COLUMNS)));
  const packedRows = c.word(c.and(flags, c.i32(PACK_ROWS)));
  const columnsAt = c.word(c.add(scratch, c.i32(TILE_SCRATCH)));
  const rowsAt = c.word(c.add(scratch, rowsScratch));
  const tileRow = c.word(c.select(packedRows, c.i32(t.bytes), aRow));
  const tileStep = c.word(c.select(packedRows, c.i32(tile.rows * t.bytes), aCol));

  // One panel of columns times a block of rows.
  const sweepPanel = (
    panel: number,
    panelStep: number,
    aTile: number,
    outTile: number,
    mBlock: number,
    nCount: number,
  ): void => {
    const tileStride = c.word(c.mul(c.select(packedRows, c.mul(kCount, c.i32(t.bytes)), aRow), c.i32(tile.rows)));
    const whole = c.word(c.and(c.eq(outCol, c.i32(t.bytes)), c.eq(nCount, c.i32(width))));
    c.count(mBlock, tile.rows, (i) => {
      const mCount = c.word(c.min(c.i32(tile.rows), c.sub(mBlock, i)));
      const operands = [kCount, tileRow, tileStep, panelStep];
      c.when(
        c.and(whole, c.eq(mCount, c.i32(tile.rows))),
        () => c.call(fn.micro, aTile, panel, outTile, ...operands, outRow, accumulate, mCount),
        () => {
          c.call(fn.micro, aTile, panel, scratch, ...operands, c.i32(width * t.bytes), c.i32(0), mCount);
          c.call(fn.addTile, scratch, outTile, mCount, nCount, outRow, outCol, accumulate);
        },
      );
      c.advance(aTile, tileStride);
      c.advance(outTile, c.mul(outRow, c.i32(tile.rows)));
      c.f.free(mCount);
    });
    for (const local of [tileStride, whole]) c.f.free(local);
  };

  const kRest = c.word();
  const kCount = c.word();
  const accumulate = c.word();
  c.count(n, PANELS * width, (j0) => {
    const nBlock = c.word(c.min(c.i32(PANELS * width), c.sub(n, j0)));
    const aBlock = c.word(a);
    const bBlock = c.word(byTable.b ? b : c.at(b, j0, bCol));
    // tables of columns of a and of b: where they begin for this block
    const [aCols, bRows] = [c.word(aCol), c.word(bRow)];
    const bCols = c.word(byTable.b ? c.at(bCol, j0, c.i32(4)) : bCol);
    const outBlock = c.word(c.at(out, j0, outCol));
    c.set(accumulate, c.i32(0));
    c.set(kRest, k);
    c.whilst(kRest, () => {
      c.set(kCount, c.min(kBlock, kRest));
      c.when(packed, () => c.call(fn.columns, bBlock, columnsAt, kCount, nBlock, bRows, bCols));
      c.count(rows, ROW_BLOCK, (i0) => {
        const mBlock = c.word(c.min(c.i32(ROW_BLOCK), c.sub(rows, i0)));
        const aRows = c.word(byTable.a ? aBlock : c.at(aBlock, i0, aRow));
        c.when(packedRows, () => {
          const rowsFrom = byTable.a ? c.at(aRow, i0, c.i32(4)) : aRow;
          c.call(fn.rowPanels, aRows, rowsAt, mBlock, kCount, rowsFrom, aCols);
          c.set(aRows, rowsAt);
        });
        c.count(nBlock, width, (j) => {
          const nCount = c.word(c.min(c.i32(width), c.sub(nBlock, j)));
          const panel = c.word(c.at(columnsAt, j, c.mul(kCount, c.i32(t.bytes))));
          const panelStep = c.word(c.i32(width * t.bytes));
          c.when(
            packed,
            () => {},
            () => {
              c.set(panel, c.at(bBlock, j, bCol));
              c.when(
                c.less(c.i32(width - t.lanes), nCount),
                () => c.set(panelStep, bRow),
                () => {
                  if (!byTable.b) c.call(fn.columns, panel, columnsAt, kCount, nCount, bRow, bCol);
                  c.set(panel, columnsAt);
                },
              );
            },
          );
          const aTile = c.word(aRows);
          const outTile = c.word(c.at(c.at(outBlock, i0, outRow), j, outCol));
          sweepPanel(panel, panelStep, aTile, outTile, mBlock, nCount);
          for (const local of [nCount, panel, panelStep, aTile, outTile]) c.f.free(local);
        });
        for (const local of [mBlock, aRows]) c.f.free(local);
      });
      if (byTable.a) c.advance(aCols, c.mul(kCount, c.i32(4)));
      else c.advance(aBlock, c.mul(kCount, aCol));
      if (byTable.b) c.advance(bRows, c.mul(kCount, c.i32(4)));
      else c.advance(bBlock, c.mul(kCount, bRow));
      c.set(kRest, c.sub(kRest, kCount));
      c.set(accumulate, c.i32(1));
    });
    for (const local of [nBlock, aBlock, bBlock, outBlock, aCols, bRows, bCols]) c.f.free(local);
  });
}

/** Copies a part of a tile to where it belongs, or adds it: (tile, out, rows, columns, outRow, outCol, accumulate). */
function storeTile(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const width = tile.vectors * t.lanes;
  return sharedFunction(m, t, `storeTile${width}`, 7, (c) => {
    const [from, out, rows, columns, outRow, outCol, accumulate] = [0, 1, 2, 3, 4, 5, 6] as const;
    const source = c.word();
    const target = c.word();
    const left = c.word();
    c.times(rows, () => {
      c.set(source, from);
      c.set(target, out);
      c.set(left, columns);
      c.times(left, () => {
        c.when(
          accumulate,
          () => c.store(target, c.scalarAdd(c.load(target), c.load(source))),
          () => c.store(target, c.load(source)),
        );
        c.advance(source, c.i32(t.bytes));
        c.advance(target, outCol);
      });
      c.advance(from, c.i32(width * t.bytes));
      c.advance(out, outRow);
    });
  });
}
