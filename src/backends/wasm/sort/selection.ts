import type { SortKernel } from "../../../kernel-ir/kernel.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";
import { Op } from "../opcodes.js";
import type { Value } from "../words.js";
import { keyOf } from "./keys.js";
import type { Records } from "./records.js";

/**
 * Finding the first elements of a line without sorting it.
 *
 * Candidates are gathered until there is no room for more; they are sorted, and all but those that are wanted are forgotten.
 * From then on only what comes before the last of these is a candidate. What is equal to it comes after it, for elements
 * are looked at in their order.
 */

/** How many candidates there is room for; 0 where all elements are sorted: there are few, or many keys, or most are wanted. */
export function candidates({ n, count, numKeys, buffers }: SortKernel): number {
  const room = Math.max(LEAST, 3 * count);
  return numKeys === 1 && buffers[0]!.type !== "f64" && 2 * room <= n ? room : 0;
}
const LEAST = 16;

interface Selection {
  readonly type: ScalarType;
  readonly descending: boolean;
  /** Of the element at a position of the line. */
  readonly address: (position: Value) => Value;
  /** The local that holds the address of the region for records, behind which a spare one lies; then that of the result. */
  readonly records: number;
  readonly counts: number;
  readonly n: number;
  readonly inner: number;
  readonly count: number;
  readonly room: number;
}

/** Makes records of the first `count` elements of a line, in order. */
export function selectFirst(c: Records, sort: number, s: Selection): void {
  const { f } = c;
  const { type, descending, address, records, n, count, room } = s;
  const first = c.word(records);
  const spare = c.word(c.add(first, c.bytes(n)));
  const position = c.word(c.i32(0));
  const end = c.word(first);
  const full = c.word(c.add(first, c.bytes(room)));
  const key = c.word();
  const last = c.word();
  const stop = c.word(room);
  const limit = f.local("v128");
  /** A record of the element at `position`, behind the others. */
  const put = (): void => {
    c.storeWord(end, position);
    c.set(key, keyOf(c, type, "whole", address(position), descending));
    c.setKey(end, key);
  };
  const step = (): void => c.advance(position, c.i32(1));

  c.repeat(
    () => {
      put();
      c.advance(end, c.bytes(c.i32(1)));
      step();
    },
    c.less(position, room),
  );
  f.block((found) => {
    f.loop((again) => {
      c.set(records, c.called(sort, first, spare, s.counts, c.shr(c.sub(end, first), c.i32(3))));
      c.brIf(found, c.atMost(n, position));
      c.when(c.ne(records, first), () => {
        for (const x of [first, records, c.bytes(count)]) c.push(x);
        f.memoryCopy();
      });
      c.set(end, c.add(first, c.bytes(count)));
      c.set(last, c.sub(end, c.bytes(c.i32(1))));
      c.push(address(c.loadWord(last)));
      f.load(Op.v128_load32_splat);
      f.set(limit);
      c.set(last, c.key(last));
      c.repeat(
        () => {
          // four at a time for as long as none comes before the last one, by a comparison that is false for NaN
          f.block((some) => {
            c.brIf(some, c.ne(s.inner, c.i32(1)));
            f.loop((next) => {
              c.brIf(some, c.less(n, c.add(position, c.i32(4))));
              c.push(address(position));
              f.load(Op.v128_load);
              f.get(limit);
              f.op(after(type, descending));
              f.op(Op.i32x4_all_true);
              f.if(() => {
                c.advance(position, c.i32(4));
                f.br(next);
              });
            });
          });
          c.set(stop, c.min(c.add(position, c.i32(4)), n));
          c.whilst(c.less(position, stop), () => {
            put();
            c.advance(end, c.bytes(c.less(key, last)));
            step();
          });
        },
        c.and(c.less(position, n), c.atMost(c.add(end, c.bytes(c.i32(4))), full)),
      );
      f.br(again);
    });
  });
  for (const local of [first, spare, position, end, full, key, last, stop, limit]) f.free(local);
}

/** Lanes that do not come before those of the second operand; for floats, where neither is NaN. */
function after(type: ScalarType, descending: boolean): number {
  if (type === "f32") return descending ? Op.f32x4_le : Op.f32x4_ge;
  if (type === "i32") return descending ? Op.i32x4_le_s : Op.i32x4_ge_s;
  return descending ? Op.i32x4_le_u : Op.i32x4_ge_u;
}
