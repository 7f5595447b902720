import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder, ValType } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Value, Words } from "../words.js";

/** Which word of a key: a float64 has two. */
export type Part = "whole" | "low" | "high";

/** The words that an element's key consists of, the one that decides first last. */
export const partsOf = (type: ScalarType): readonly Part[] => (type === "f64" ? ["low", "high"] : ["whole"]);

/** The element at an address as an unsigned word of the same order, or the contrary one: −0 like 0, NaNs last. */
export function keyOf(c: Words, type: ScalarType, part: Part, address: Value, descending: boolean): Value {
  const key = ascendingKey(c, type, part, address);
  return descending ? c.xor(key, c.i32(-1)) : key;
}

function ascendingKey(c: Words, type: ScalarType, part: Part, address: Value): Value {
  if (type === "f32" || type === "f64") {
    return () => {
      c.push(address);
      floatKey(c.f, floats[type]);
      if (type === "f32") return;
      if (part === "high") {
        c.f.i64(32n);
        c.f.op(Op.i64_shr_u);
      }
      c.f.op(Op.i32_wrap_i64);
    };
  }
  const bits = c.loadWord(address);
  return type === "i32" ? c.xor(bits, c.i32(-0x80000000)) : bits;
}

/** A type of floats, and the words of its size. */
interface Float {
  readonly float: ValType;
  readonly word: ValType;
  readonly bits: bigint;
  readonly load: number;
  readonly add: number;
  readonly eq: number;
  readonly reinterpret: number;
  readonly shiftRight: number;
  readonly or: number;
  readonly xor: number;
  zero(f: FunctionBuilder): void;
  constant(f: FunctionBuilder, n: bigint): void;
}

// prettier-ignore
const floats: Record<"f32" | "f64", Float> = {
  f32: {
    float: "f32", word: "i32", bits: 32n,
    load: Op.f32_load, add: Op.f32_add, eq: Op.f32_eq, reinterpret: Op.i32_reinterpret_f32,
    shiftRight: Op.i32_shr_s, or: Op.i32_or, xor: Op.i32_xor,
    zero: (f) => f.f32(0), constant: (f, n) => f.i32(Number(n)),
  },
  f64: {
    float: "f64", word: "i64", bits: 64n,
    load: Op.f64_load, add: Op.f64_add, eq: Op.f64_eq, reinterpret: Op.i64_reinterpret_f64,
    shiftRight: Op.i64_shr_s, or: Op.i64_or, xor: Op.i64_xor,
    zero: (f) => f.f64(0), constant: (f, n) => f.i64(n),
  },
};

/** Stack: address → an unsigned word as wide as the float. */
function floatKey(f: FunctionBuilder, t: Float): void {
  const x = f.local(t.float);
  const bits = f.local(t.word);
  f.load(t.load);
  // −0 + 0 is 0
  t.zero(f);
  f.op(t.add);
  f.tee(x);
  f.op(t.reinterpret);
  f.tee(bits);
  // the sign turns, and with it all other bits of what is negative
  f.get(bits);
  t.constant(f, t.bits - 1n);
  f.op(t.shiftRight);
  t.constant(f, -(2n ** (t.bits - 1n)));
  f.op(t.or);
  f.op(t.xor);
  t.constant(f, -1n);
  f.get(x);
  f.get(x);
  f.op(t.eq);
  f.op(Op.select);
  f.free(x);
  f.free(bits);
}
