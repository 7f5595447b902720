import type { FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";

/**
 * Stable sorting of records: 8 bytes each, the key in the high word (unsigned), what goes with it in the low one.
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
    const [records, spare, counts, n] = [0, 1, 2, 3] as const;
    const result = f.local("i32");
    get(f, n);
    f.i32(RADIX_FROM);
    f.op(Op.i32_lt_u);
    f.if(
      () => {
        get(f, records, spare, n);
        f.call(merge);
        f.set(result);
      },
      () => {
        get(f, records, spare, counts, n);
        f.call(radix);
        f.set(result);
      },
    );
    f.get(result);
    r = { sort: f.index };
    routines.set(m, r);
  }
  return r;
}

/** Records from which counting bytes beats merging. */
const RADIX_FROM = 256;

const get = (f: FunctionBuilder, ...locals: readonly number[]): void => locals.forEach((l) => f.get(l));

/** local += n */
function advance(f: FunctionBuilder, local: number, n: number): void {
  f.get(local);
  f.i32(n);
  f.op(Op.i32_add);
  f.set(local);
}

/** Pushes the smaller of what two pushes give, unsigned. */
function least(f: FunctionBuilder, a: () => void, b: () => void): void {
  a();
  b();
  a();
  b();
  f.op(Op.i32_lt_u);
  f.op(Op.select);
}

function swap(f: FunctionBuilder, a: number, b: number): void {
  get(f, a, b);
  f.set(a);
  f.set(b);
}

/** (records, spare, n) → address: merges runs of 1, 2, 4 … records. */
function emitMerge(m: ModuleBuilder): number {
  const f = m.func("merge sort", ["i32", "i32", "i32"], ["i32"]);
  const [from, to, n] = [0, 1, 2] as const;
  const word = (): number => f.local("i32");
  const [width, end, left, leftEnd, rightEnd, right, out, fromEnd, takeLeft] = [
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
  ] as const;
  // bytes from here on
  f.get(n);
  f.i32(3);
  f.op(Op.i32_shl);
  f.set(n);
  f.i32(8);
  f.set(width);
  f.block((done) => {
    f.loop((pass) => {
      get(f, width, n);
      f.op(Op.i32_ge_u);
      f.brIf(done);
      get(f, from, n);
      f.op(Op.i32_add);
      f.set(fromEnd);
      get(f, to);
      f.set(out);
      get(f, from);
      f.set(left);
      f.loop((pair) => {
        const stop = (at: number): void =>
          least(
            f,
            () => {
              get(f, at, width);
              f.op(Op.i32_add);
            },
            () => f.get(fromEnd),
          );
        stop(left);
        f.tee(leftEnd);
        f.set(right);
        stop(right);
        f.set(rightEnd);
        f.block((merged) => {
          f.loop((next) => {
            get(f, left, leftEnd);
            f.op(Op.i32_ge_u);
            f.brIf(merged);
            get(f, right, rightEnd);
            f.op(Op.i32_ge_u);
            f.brIf(merged);
            f.get(left);
            f.load(Op.i32_load, 4);
            f.get(right);
            f.load(Op.i32_load, 4);
            f.op(Op.i32_le_u);
            f.set(takeLeft);
            f.get(out);
            get(f, left, right, takeLeft);
            f.op(Op.select);
            f.load(Op.i64_load);
            f.store(Op.i64_store);
            advance(f, out, 8);
            // left += 8 · takeLeft; right += 8 − 8 · takeLeft
            get(f, left, takeLeft);
            f.i32(3);
            f.op(Op.i32_shl);
            f.tee(end);
            f.op(Op.i32_add);
            f.set(left);
            get(f, right);
            f.i32(8);
            f.op(Op.i32_add);
            f.get(end);
            f.op(Op.i32_sub);
            f.set(right);
            f.br(next);
          });
        });
        for (const [at, stopAt] of [
          [left, leftEnd],
          [right, rightEnd],
        ] as const) {
          f.block((none) => {
            f.loop((next) => {
              get(f, at, stopAt);
              f.op(Op.i32_ge_u);
              f.brIf(none);
              get(f, out, at);
              f.load(Op.i64_load);
              f.store(Op.i64_store);
              advance(f, out, 8);
              advance(f, at, 8);
              f.br(next);
            });
          });
        }
        get(f, rightEnd);
        f.tee(left);
        f.get(fromEnd);
        f.op(Op.i32_lt_u);
        f.brIf(pair);
      });
      swap(f, from, to);
      f.get(width);
      f.i32(1);
      f.op(Op.i32_shl);
      f.set(width);
      f.br(pass);
    });
  });
  f.get(from);
  return f.index;
}

/** (records, spare, counts, n) → address: four passes by bytes of the key, least significant first. */
function emitRadix(m: ModuleBuilder): number {
  const f = m.func("radix sort", ["i32", "i32", "i32", "i32"], ["i32"]);
  const [from, to, counts, n] = [0, 1, 2, 3] as const;
  const word = (): number => f.local("i32");
  const [at, end, key, slot, sum, count, shift, table] = [
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
  ] as const;
  const bytesOf = (): void => {
    f.get(n);
    f.i32(3);
    f.op(Op.i32_shl);
  };
  /** For every record, `at` its address. */
  const records = (body: () => void): void => {
    f.get(from);
    f.tee(at);
    bytesOf();
    f.op(Op.i32_add);
    f.set(end);
    f.loop((next) => {
      body();
      advance(f, at, 8);
      get(f, at, end);
      f.op(Op.i32_lt_u);
      f.brIf(next);
    });
  };
  f.get(counts);
  f.i32(0);
  f.i32(4096);
  f.memoryFill();
  records(() => {
    f.get(at);
    f.load(Op.i32_load, 4);
    f.set(key);
    for (let byte = 0; byte < 4; byte++) {
      f.get(counts);
      f.get(key);
      f.i32(byte * 8);
      f.op(Op.i32_shr_u);
      f.i32(255);
      f.op(Op.i32_and);
      f.i32(2);
      f.op(Op.i32_shl);
      f.op(Op.i32_add);
      f.tee(slot);
      f.get(slot);
      f.load(Op.i32_load, byte * 1024);
      f.i32(1);
      f.op(Op.i32_add);
      f.store(Op.i32_store, byte * 1024);
    }
  });
  f.i32(0);
  f.set(shift);
  f.get(counts);
  f.set(table);
  f.loop((pass) => {
    f.block((skip) => {
      // All keys have this byte in common: nothing moves.
      f.get(table);
      f.get(from);
      f.load(Op.i32_load, 4);
      f.get(shift);
      f.op(Op.i32_shr_u);
      f.i32(255);
      f.op(Op.i32_and);
      f.i32(2);
      f.op(Op.i32_shl);
      f.op(Op.i32_add);
      f.load(Op.i32_load);
      f.get(n);
      f.op(Op.i32_eq);
      f.brIf(skip);
      // counts become the addresses where each byte's records begin
      f.get(to);
      f.set(sum);
      f.get(table);
      f.set(slot);
      f.loop((next) => {
        f.get(slot);
        f.load(Op.i32_load);
        f.i32(3);
        f.op(Op.i32_shl);
        f.set(count);
        get(f, slot, sum);
        f.store(Op.i32_store);
        get(f, sum, count);
        f.op(Op.i32_add);
        f.set(sum);
        advance(f, slot, 4);
        get(f, slot, table);
        f.i32(1024);
        f.op(Op.i32_add);
        f.op(Op.i32_lt_u);
        f.brIf(next);
      });
      records(() => {
        f.get(table);
        f.get(at);
        f.load(Op.i32_load, 4);
        f.get(shift);
        f.op(Op.i32_shr_u);
        f.i32(255);
        f.op(Op.i32_and);
        f.i32(2);
        f.op(Op.i32_shl);
        f.op(Op.i32_add);
        f.tee(slot);
        f.load(Op.i32_load);
        f.tee(sum);
        f.get(at);
        f.load(Op.i64_load);
        f.store(Op.i64_store);
        get(f, slot, sum);
        f.i32(8);
        f.op(Op.i32_add);
        f.store(Op.i32_store);
      });
      swap(f, from, to);
    });
    advance(f, table, 1024);
    advance(f, shift, 8);
    f.get(shift);
    f.i32(32);
    f.op(Op.i32_lt_u);
    f.brIf(pass);
  });
  f.get(from);
  return f.index;
}
