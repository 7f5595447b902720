import type { ModuleBuilder } from "../module-builder.js";
import type { Value } from "../words.js";
import { RECORD, Records } from "./records.js";

/**
 * Stable sorting of records by their keys.
 *
 * Short runs are merged bottom-up; long ones go through four passes by bytes of the key, which cost the same whatever the
 * keys are. Both end in either of two regions, whose address is the function's result.
 */
export interface SortRoutines {
  /** (records, spare, counts, n) → address of the sorted records. `counts`: 4 KB. */
  readonly sort: number;
}

const routines = new WeakMap<ModuleBuilder, SortRoutines>();

export function sortRoutines(m: ModuleBuilder): SortRoutines {
  let r = routines.get(m);
  if (!r) {
    const merge = emitMerge(m);
    const radix = emitRadix(m);
    const f = m.func("sort", ["i32", "i32", "i32", "i32"], ["i32"]);
    const c = new Records(f);
    const [records, spare, counts, n] = [0, 1, 2, 3] as const;
    const result = c.word();
    c.when(
      c.less(n, c.i32(RADIX_FROM)),
      () => c.set(result, c.called(merge, records, spare, n)),
      () => c.set(result, c.called(radix, records, spare, counts, n)),
    );
    f.get(result);
    r = { sort: f.index };
    routines.set(m, r);
  }
  return r;
}

/** Records from which counting bytes beats merging. */
const RADIX_FROM = 256;

/** (records, spare, n) → address: merges runs of 1, 2, 4 … records. */
function emitMerge(m: ModuleBuilder): number {
  const f = m.func("merge sort", ["i32", "i32", "i32"], ["i32"]);
  const c = new Records(f);
  const [from, to, n] = [0, 1, 2] as const;
  const bytes = c.word(c.bytes(n));
  const run = c.word(c.i32(RECORD));
  const end = c.word();
  const left = c.word();
  const right = c.word();
  const leftEnd = c.word();
  const rightEnd = c.word();
  const out = c.word();
  const step = c.word();
  c.whilst(c.less(run, bytes), () => {
    c.set(end, c.add(from, bytes));
    c.set(out, to);
    c.set(left, from);
    c.repeat(
      () => {
        c.set(leftEnd, c.min(c.add(left, run), end));
        c.set(right, leftEnd);
        c.set(rightEnd, c.min(c.add(right, run), end));
        f.block((merged) => {
          f.loop((next) => {
            c.brIf(merged, c.atMost(leftEnd, left));
            c.brIf(merged, c.atMost(rightEnd, right));
            // what is left goes first among equals; one of the two advances
            c.set(step, c.atMost(c.key(left), c.key(right)));
            c.copy(out, c.select(step, left, right));
            c.advance(out, c.i32(RECORD));
            c.set(step, c.bytes(step));
            c.advance(left, step);
            c.set(right, c.sub(c.add(right, c.i32(RECORD)), step));
            f.br(next);
          });
        });
        for (const [at, stop] of [
          [left, leftEnd],
          [right, rightEnd],
        ] as const) {
          c.whilst(c.less(at, stop), () => {
            c.copy(out, at);
            c.advance(out, c.i32(RECORD));
            c.advance(at, c.i32(RECORD));
          });
        }
        c.set(left, rightEnd);
      },
      c.less(left, end),
    );
    c.swap(from, to);
    c.set(run, c.shl(run, 1));
  });
  f.get(from);
  return f.index;
}

/** Bytes of the counts of one byte's values. */
const TABLE = 1024;

/** (records, spare, counts, n) → address: four passes by bytes of the key, least significant first. */
function emitRadix(m: ModuleBuilder): number {
  const f = m.func("radix sort", ["i32", "i32", "i32", "i32"], ["i32"]);
  const c = new Records(f);
  const [from, to, counts, n] = [0, 1, 2, 3] as const;
  /** Where a table counts the byte of a key that begins at bit `shift`. */
  const counterOf = (table: Value, key: Value, shift: Value): Value =>
    c.add(table, c.shl(c.and(c.shr(key, shift), c.i32(255)), 2));
  const counter = c.word();

  c.push(counts);
  f.i32(0);
  f.i32(4 * TABLE);
  f.memoryFill();
  const key = c.word();
  c.each(from, n, (record) => {
    c.set(key, c.key(record));
    for (let byte = 0; byte < 4; byte++) {
      const table = byte * TABLE;
      c.set(counter, counterOf(counts, key, c.i32(8 * byte)));
      c.storeWord(counter, c.add(c.loadWord(counter, table), c.i32(1)), table);
    }
  });

  const table = c.word(counts);
  const shift = c.word(c.i32(0));
  const place = c.word();
  c.repeat(
    () => {
      // where all keys have this byte in common, nothing moves
      c.when(c.ne(c.loadWord(counterOf(table, c.key(from), shift)), n), () => {
        startsOf(c, table, to);
        c.each(from, n, (record) => {
          c.set(counter, counterOf(table, c.key(record), shift));
          c.set(place, c.loadWord(counter));
          c.copy(place, record);
          c.storeWord(counter, c.add(place, c.i32(RECORD)));
        });
        c.swap(from, to);
      });
      c.advance(table, c.i32(TABLE));
      c.advance(shift, c.i32(8));
    },
    c.less(shift, c.i32(32)),
  );
  f.get(from);
  return f.index;
}

/** Makes counts the addresses where the records that they count begin, the first of them at `first`. */
function startsOf(c: Records, table: number, first: number): void {
  const start = c.word(first);
  const counter = c.word(table);
  const size = c.word();
  c.repeat(
    () => {
      c.set(size, c.bytes(c.loadWord(counter)));
      c.storeWord(counter, start);
      c.advance(start, size);
      c.advance(counter, c.i32(4));
    },
    c.less(counter, c.add(table, c.i32(TABLE))),
  );
  for (const local of [start, counter, size]) c.f.free(local);
}
