import type { ModuleBuilder } from "../module-builder.js";
import type { Arithmetic } from "./arithmetic.js";
import { sharedFunction } from "./code.js";
import { microKernel, type Tile } from "./micro.js";
import { packColumns, packRows } from "./pack.js";

/** Panels of packed columns that are held at once: what bounds the scratch. */
export const PANELS = 128;
/** Rows of a that are swept per panel, in tiles: they stay in the second-level cache. */
export const ROW_TILES = 24;

export const PACK_COLUMNS = 1;
export const PACK_ROWS = 2;

/** Where the parts of the scratch lie: a tile of the result, packed columns, packed rows. */
export const TILE_SCRATCH = 256;

/** Bytes that packed columns take, rounded up to 16. */
export const packedColumnsBytes = (t: Arithmetic, tile: Tile, n: number, kBlock: number): number =>
  Math.min(PANELS, Math.ceil(n / (tile.vectors * t.lanes))) * tile.vectors * 16 * kBlock;

export const packedRowsBytes = (t: Arithmetic, tile: Tile, m: number, kBlock: number): number =>
  Math.ceil((Math.min(ROW_TILES, Math.ceil(m / tile.rows)) * tile.rows * t.bytes * kBlock) / 16) * 16;

/**
 * The product of two matrices in blocks: k in blocks of `kBlock`, columns in blocks of packed panels, rows in blocks of
 * tiles. k ≥ 1.
 *
 *   (a, b, out, scratch, m, n, k, aRow, aCol, bRow, bCol, outRow, outCol, kBlock, rowsScratch, flags)
 *
 * Strides in bytes; `rowsScratch`: where the packed rows lie in the scratch; flags: what is packed. Columns that are not
 * packed must be adjacent, and their number not less than the tile's width by a vector or more: what lies behind is read.
 */
export function gemm(m: ModuleBuilder, t: Arithmetic, tile: Tile): number {
  const width = tile.vectors * t.lanes;
  const name = `${tile.rows}x${width}`;
  const micro = microKernel(m, t, tile);
  const columns = packColumns(m, t, tile);
  const rowPanels = packRows(m, t, tile);
  const addTile = storeTile(m, t, tile);

  return sharedFunction(m, t, `gemm${name}`, 16, (c) => {
    const [a, b, out, scratch, rows, n, k, aRow, aCol, bRow, bCol, outRow, outCol, kBlock, rowsScratch, flags] = [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ] as const;
    const packedColumns = c.word(c.and(flags, c.i32(PACK_COLUMNS)));
    const packedRows = c.word(c.and(flags, c.i32(PACK_ROWS)));
    const columnsAt = c.word(c.add(scratch, c.i32(TILE_SCRATCH)));
    const rowsAt = c.word(c.add(scratch, rowsScratch));
    const tileRow = c.word(c.select(packedRows, c.i32(t.bytes), aRow));
    const tileStep = c.word(c.select(packedRows, c.i32(tile.rows * t.bytes), aCol));
    const panelStep = c.word(c.select(packedColumns, c.i32(width * t.bytes), bRow));

    c.count(n, PANELS * width, (j0) => {
      const nBlock = c.word(c.min(c.i32(PANELS * width), c.sub(n, j0)));
      const kRest = c.word(k);
      const aBlock = c.word(a);
      const bBlock = c.word(c.at(b, j0, bCol));
      const accumulate = c.word(c.i32(0));
      c.whilst(kRest, () => {
        const kCount = c.word(c.min(kBlock, kRest));
        c.when(packedColumns, () => c.call(columns, bBlock, columnsAt, kCount, nBlock, bRow, bCol));
        const panelStride = c.word(
          c.select(packedColumns, c.mul(kCount, c.i32(width * t.bytes)), c.mul(bCol, c.i32(width))),
        );
        const tileStride = c.word(
          c.select(packedRows, c.mul(kCount, c.i32(tile.rows * t.bytes)), c.mul(aRow, c.i32(tile.rows))),
        );

        c.count(rows, ROW_TILES * tile.rows, (i0) => {
          const mBlock = c.word(c.min(c.i32(ROW_TILES * tile.rows), c.sub(rows, i0)));
          const aRows = c.word(c.at(aBlock, i0, aRow));
          c.when(packedRows, () => {
            c.call(rowPanels, aRows, rowsAt, mBlock, kCount, aRow, aCol);
            c.set(aRows, rowsAt);
          });
          const panel = c.word(c.select(packedColumns, columnsAt, bBlock));
          c.count(nBlock, width, (j) => {
            const nCount = c.word(c.min(c.i32(width), c.sub(nBlock, j)));
            const aTile = c.word(aRows);
            const outTile = c.word(c.at(c.at(out, i0, outRow), c.add(j0, j), outCol));
            c.count(mBlock, tile.rows, (i) => {
              const mCount = c.word(c.min(c.i32(tile.rows), c.sub(mBlock, i)));
              c.when(
                c.and(c.eq(outCol, c.i32(t.bytes)), c.and(c.eq(mCount, c.i32(tile.rows)), c.eq(nCount, c.i32(width)))),
                () =>
                  c.call(
                    micro,
                    aTile,
                    panel,
                    outTile,
                    kCount,
                    tileRow,
                    tileStep,
                    panelStep,
                    outRow,
                    accumulate,
                    mCount,
                  ),
                () => {
                  const edge = [tileRow, tileStep, panelStep, c.i32(width * t.bytes), c.i32(0), mCount];
                  c.call(micro, aTile, panel, scratch, kCount, ...edge);
                  c.call(addTile, scratch, outTile, mCount, nCount, outRow, outCol, accumulate);
                },
              );
              c.advance(aTile, tileStride);
              c.advance(outTile, c.mul(outRow, c.i32(tile.rows)));
              c.f.free(mCount);
            });
            c.advance(panel, panelStride);
            for (const local of [nCount, aTile, outTile]) c.f.free(local);
          });
          for (const local of [mBlock, aRows, panel]) c.f.free(local);
        });
        c.advance(aBlock, c.mul(kCount, aCol));
        c.advance(bBlock, c.mul(kCount, bRow));
        c.set(kRest, c.sub(kRest, kCount));
        c.set(accumulate, c.i32(1));
      });
    });
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
