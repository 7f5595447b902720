import type { Expr } from "../scalar.js";
import { add, bitcast, c, convert, or, shlBy, shrLBy, sub, xor } from "./build.js";

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const rotateLeft = (x: Expr, n: number): Expr => or(shlBy(x, n), shrLBy(x, 32 - n));

/** Threefry-2x32 with 20 rounds: the counter (x0, x1) encrypted under the key (k0, k1). All u32. */
export function threefry2x32(k0: Expr, k1: Expr, x0: Expr, x1: Expr): readonly [Expr, Expr] {
  const keys = [k0, k1, xor(xor(k0, k1), c("u32", 0x1bd11bda))];
  let a = add(x0, k0);
  let b = add(x1, k1);
  for (let group = 0; group < 5; group++) {
    for (const rotation of ROTATIONS[group % 2]!) {
      a = add(a, b);
      b = xor(rotateLeft(b, rotation), a);
    }
    a = add(a, keys[(group + 1) % 3]!);
    b = add(add(b, keys[(group + 2) % 3]!), c("u32", group + 1));
  }
  return [a, b];
}

/** A float32 uniform on [0, 1) from 32 random bits: 23 of them as the significand of a number in [1, 2). */
export function uniformFromBits32(bits: Expr): Expr {
  return sub(bitcast(or(shrLBy(bits, 9), c("u32", 0x3f800000)), "f32"), c("f32", 1));
}

/** A float64 uniform on [0, 1) from the upper and lower word of 64 random bits. */
export function uniformFromBits64(high: Expr, low: Expr): Expr {
  const bits = or(shlBy(convert(high, "i64"), 32), convert(low, "i64"));
  return sub(bitcast(or(shrLBy(bits, 12), c("i64", 0x3ff0000000000000n)), "f64"), c("f64", 1));
}
