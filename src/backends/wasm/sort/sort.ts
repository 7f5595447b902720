import type { SortKernel } from "../../../kernel-ir/kernel.js";
import type { ModuleBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Value } from "../words.js";
import { keyOf, partsOf } from "./keys.js";
import { Records } from "./records.js";
import { sortRoutines } from "./routines.js";
import { candidates, selectFirst } from "./selection.js";

/**
 * The sort kernels of the Wasm backend.
 *
 * A line (n elements, `inner` apart) becomes records of a 32-bit key and the element's position, which are sorted stably,
 * once for every key, the last key first; a float64 counts as two keys. The positions then say where each operand's elements
 * go. Where few elements of a line are wanted, only candidates for them are sorted (`selection.ts`).
 */

/** Lines: the domain of a launch is [0, lines). */
export const sortLines = (k: SortKernel): number => (k.count === 0 ? 0 : k.outer * k.inner);

/** Bytes of scratch, aligned to 16, that a call needs: two regions of records, and counts. */
export const sortScratchBytes = (k: SortKernel): number => 2 * k.n * 8 + COUNTS;
const COUNTS = 4096;

/** Sorts of equal structure share one function: sizes are parameters. */
export const sortStructure = (k: SortKernel): string =>
  `sort:${k.numKeys}:${k.buffers.map((b) => b.type).join()}:${k.operands}:${k.descending}:${candidates(k) > 0}`;
export const sortParameters = (k: SortKernel): readonly number[] => [k.n, k.inner, k.count, candidates(k)];

/**
 * Emits a sort and gives its function's index: (lo, hi, buffers…, scratch), and where generic one more, the address of the
 * block of `sortParameters`.
 */
export function emitSort(m: ModuleBuilder, kernel: SortKernel, generic: boolean): number {
  const { sort } = sortRoutines(m);
  const { buffers, operands, descending } = kernel;
  const f = m.func(kernel.name, Array<"i32">(2 + 2 * operands + (generic ? 2 : 1)).fill("i32"));
  const c = new Records(f);
  const [line, hi] = [0, 1] as const;
  const scratch = 2 + 2 * operands;
  const [n, inner, count, room] = sortParameters(kernel).map((value, k) =>
    c.word(generic ? c.loadWord(scratch + 1, 4 * k) : c.i32(value)),
  ) as [number, number, number, number];
  const base = c.word();
  const records = c.word();
  const position = c.word();

  /** Bytes of an element, as a power of two. */
  const widthOf = (buffer: number): number => (buffers[buffer]!.type === "f64" ? 3 : 2);
  /** Where the line begins in arrays whose lines have so many elements. */
  const lineBase = (length: Value): Value => c.add(c.mul(c.mul(c.div(line, inner), length), inner), c.rem(line, inner));
  /** The address of an element of the line. */
  const addressOf = (buffer: number, position: Value): Value =>
    c.add(2 + buffer, c.shl(c.add(base, c.mul(position, inner)), widthOf(buffer)));
  /** For so many records in order, with their positions among the records. */
  const eachInPlace = (many: number, body: (record: number) => void): void => {
    c.set(position, c.i32(0));
    c.each(records, many, (record) => {
      body(record);
      c.advance(position, c.i32(1));
    });
  };

  c.repeat(
    () => {
      c.set(base, lineBase(n));
      const first = c.add(scratch, c.i32(COUNTS));
      if (candidates(kernel) > 0) {
        const { type } = buffers[0]!;
        const address = (at: Value): Value => addressOf(0, at);
        c.set(records, first);
        selectFirst(c, sort, { type, descending, address, records, counts: scratch, n, inner, count, room });
      } else {
        c.set(records, first);
        eachInPlace(n, (record) => c.storeWord(record, position));
        for (let key = kernel.numKeys - 1; key >= 0; key--) {
          const { type } = buffers[key]!;
          for (const part of partsOf(type)) {
            c.each(records, n, (record) =>
              c.setKey(record, keyOf(c, type, part, addressOf(key, c.loadWord(record)), descending)),
            );
            // the spare region is the other of the two
            const spare = c.sub(c.add(first, c.add(first, c.bytes(n))), records);
            c.set(records, c.called(sort, records, spare, scratch, n));
          }
        }
      }
      const outBase = c.word(lineBase(count));
      for (let operand = 0; operand < operands; operand++) {
        const wide = widthOf(operand) === 3;
        eachInPlace(count, (record) => {
          c.push(c.add(2 + operands + operand, c.shl(c.add(outBase, c.mul(position, inner)), widthOf(operand))));
          c.push(addressOf(operand, c.loadWord(record)));
          f.load(wide ? Op.i64_load : Op.i32_load);
          f.store(wide ? Op.i64_store : Op.i32_store);
        });
      }
      c.advance(line, c.i32(1));
    },
    c.less(line, hi),
  );
  return f.index;
}
