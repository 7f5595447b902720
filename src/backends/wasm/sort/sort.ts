import type { SortKernel } from "../../../kernel-ir/kernel.js";
import type { FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { sortRoutines } from "./routines.js";

/**
 * The sort kernels of the Wasm backend.
 *
 * A line (n elements, `inner` apart) becomes records of a 32-bit key and the element's position, which are sorted stably,
 * once for every key, the last key first; a float64 counts as two keys. The positions then say where each operand's elements
 * go. Keys are mapped to unsigned words of the same order, −0 like 0 and NaNs last.
 */

/** Lines: the domain of a launch is [0, lines). */
export const sortLines = (k: SortKernel): number => (k.n === 0 ? 0 : k.outer * k.inner);

/** Bytes of scratch, aligned to 16, that a call needs: two regions of records, and counts. */
export const sortScratchBytes = (k: SortKernel): number => 2 * k.n * 8 + COUNTS;
const COUNTS = 4096;

/** Sorts of equal structure share one function: sizes are parameters. */
export const sortStructure = (k: SortKernel): string =>
  `sort:${k.numKeys}:${k.buffers.map((b) => b.type).join()}:${k.operands}`;
export const sortParameters = (k: SortKernel): readonly number[] => [k.n, k.inner];

/**
 * Emits a sort and gives its function's index: (lo, hi, buffers…, scratch), and where generic one more, the address of the
 * block of `sortParameters`.
 */
export function emitSort(m: ModuleBuilder, kernel: SortKernel, generic: boolean): number {
  const { sort } = sortRoutines(m);
  const { operands } = kernel;
  const f = m.func(kernel.name, Array<"i32">(2 + 2 * operands + (generic ? 2 : 1)).fill("i32"));
  const [line, hi] = [0, 1] as const;
  const scratch = 2 + 2 * operands;
  const word = (): number => f.local("i32");
  const [n, inner, base, records, at, stop, element] = [
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
    word(),
  ] as const;
  [n, inner].forEach((local, k) => {
    if (generic) {
      f.get(scratch + 1);
      f.load(Op.i32_load, 4 * k);
    } else f.i32(sortParameters(kernel)[k]!);
    f.set(local);
  });

  /** For every record in order, `at` its address. */
  const eachRecord = (body: () => void): void => {
    f.get(records);
    f.set(at);
    f.get(records);
    f.get(n);
    f.i32(3);
    f.op(Op.i32_shl);
    f.op(Op.i32_add);
    f.set(stop);
    f.loop((next) => {
      body();
      f.get(at);
      f.i32(8);
      f.op(Op.i32_add);
      f.tee(at);
      f.get(stop);
      f.op(Op.i32_lt_u);
      f.brIf(next);
    });
  };
  /** Pushes the address of an element of the line whose position `push` pushes. */
  const addressOf = (buffer: number, push: () => void): void => {
    const wide = kernel.buffers[buffer]!.type === "f64";
    f.get(2 + buffer);
    f.get(base);
    push();
    f.get(inner);
    f.op(Op.i32_mul);
    f.op(Op.i32_add);
    f.i32(wide ? 3 : 2);
    f.op(Op.i32_shl);
    f.op(Op.i32_add);
  };

  f.loop((nextLine) => {
    // base = line / inner · n · inner + line mod inner
    f.get(line);
    f.get(inner);
    f.op(Op.i32_div_u);
    f.get(n);
    f.op(Op.i32_mul);
    f.get(inner);
    f.op(Op.i32_mul);
    f.get(line);
    f.get(inner);
    f.op(Op.i32_rem_u);
    f.op(Op.i32_add);
    f.set(base);
    f.get(scratch);
    f.i32(COUNTS);
    f.op(Op.i32_add);
    f.set(records);
    f.i32(0);
    f.set(element);
    eachRecord(() => {
      f.get(at);
      f.get(element);
      f.store(Op.i32_store);
      f.get(element);
      f.i32(1);
      f.op(Op.i32_add);
      f.set(element);
    });
    for (let key = kernel.numKeys - 1; key >= 0; key--) {
      const { type } = kernel.buffers[key]!;
      for (const half of type === "f64" ? (["low", "high"] as const) : (["whole"] as const)) {
        eachRecord(() => {
          f.get(at);
          addressOf(key, () => {
            f.get(at);
            f.load(Op.i32_load);
          });
          pushKey(f, type, half);
          f.store(Op.i32_store, 4);
        });
        // the spare region is the other of the two
        f.get(records);
        f.get(scratch);
        f.i32(2 * COUNTS);
        f.op(Op.i32_add);
        f.get(scratch);
        f.op(Op.i32_add);
        f.get(n);
        f.i32(3);
        f.op(Op.i32_shl);
        f.op(Op.i32_add);
        f.get(records);
        f.op(Op.i32_sub);
        f.get(scratch);
        f.get(n);
        f.call(sort);
        f.set(records);
      }
    }
    for (let operand = 0; operand < operands; operand++) {
      const wide = kernel.buffers[operand]!.type === "f64";
      f.i32(0);
      f.set(element);
      eachRecord(() => {
        addressOf(operands + operand, () => f.get(element));
        addressOf(operand, () => {
          f.get(at);
          f.load(Op.i32_load);
        });
        f.load(wide ? Op.i64_load : Op.i32_load);
        f.store(wide ? Op.i64_store : Op.i32_store);
        f.get(element);
        f.i32(1);
        f.op(Op.i32_add);
        f.set(element);
      });
    }
    f.get(line);
    f.i32(1);
    f.op(Op.i32_add);
    f.tee(line);
    f.get(hi);
    f.op(Op.i32_lt_u);
    f.brIf(nextLine);
  });
  return f.index;
}

/** Stack: address → an unsigned word in the order of the key. */
function pushKey(
  f: FunctionBuilder,
  type: SortKernel["buffers"][number]["type"],
  half: "whole" | "low" | "high",
): void {
  switch (type) {
    case "u32":
    case "bool":
      f.load(Op.i32_load);
      return;
    case "i32":
      f.load(Op.i32_load);
      f.i32(-0x80000000);
      f.op(Op.i32_xor);
      return;
    case "f32": {
      const x = f.local("f32");
      const bits = f.local("i32");
      f.load(Op.f32_load);
      // −0 + 0 is 0
      f.f32(0);
      f.op(Op.f32_add);
      f.tee(x);
      f.op(Op.i32_reinterpret_f32);
      f.tee(bits);
      f.get(bits);
      f.i32(31);
      f.op(Op.i32_shr_s);
      f.i32(-0x80000000);
      f.op(Op.i32_or);
      f.op(Op.i32_xor);
      f.i32(-1);
      f.get(x);
      f.get(x);
      f.op(Op.f32_eq);
      f.op(Op.select);
      f.free(x);
      f.free(bits);
      return;
    }
    case "f64": {
      const x = f.local("f64");
      const bits = f.local("i64");
      f.load(Op.f64_load);
      f.f64(0);
      f.op(Op.f64_add);
      f.tee(x);
      f.op(Op.i64_reinterpret_f64);
      f.tee(bits);
      f.get(bits);
      f.i64(63n);
      f.op(Op.i64_shr_s);
      f.i64(-(2n ** 63n));
      f.op(Op.i64_or);
      f.op(Op.i64_xor);
      f.i64(-1n);
      f.get(x);
      f.get(x);
      f.op(Op.f64_eq);
      f.op(Op.select);
      if (half === "high") {
        f.i64(32n);
        f.op(Op.i64_shr_u);
      }
      f.op(Op.i32_wrap_i64);
      f.free(x);
      f.free(bits);
    }
  }
}
