import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import { asFunction } from "./evaluate.js";

const MIN = -0x80000000;
const MAX = 0x7fffffff;
const ints = [0, 1, -1, 2, -2, 3, 7, -7, 10, 100, -100, MIN, MIN + 1, MAX];
const words = [0, 1, 2, 3, 7, 100, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

describe("integer division as XLA has it", () => {
  const [div, rem] = [asFunction(math.div, ["i32", "i32"]), asFunction(math.rem, ["i32", "i32"])];
  const [floorDivide, floorRemainder] = [
    asFunction(math.floorDivide, ["i32", "i32"]),
    asFunction(math.floorRemainder, ["i32", "i32"]),
  ];

  test("by zero: −1, and the dividend remains", () => {
    for (const x of ints) expect([div(x, 0), rem(x, 0)]).toEqual([-1, x]);
  });
  test("INT_MIN by −1 wraps", () => {
    expect([div(MIN, -1), rem(MIN, -1)]).toEqual([MIN, 0]);
  });
  test("else truncating, the remainder with the dividend's sign", () => {
    for (const x of ints) {
      for (const y of ints.filter((v) => v !== 0 && !(x === MIN && v === -1))) {
        expect([div(x, y), rem(x, y)]).toEqual([Math.trunc(x / y) + 0, (x % y) + 0]);
        expect(floorDivide(x, y)).toBe(Math.floor(x / y) + 0);
        expect(floorRemainder(x, y)).toBe(x - y * Math.floor(x / y) + 0);
      }
    }
  });
  test("unsigned: all ones by zero", () => {
    const [udiv, urem] = [asFunction(math.div, ["u32", "u32"]), asFunction(math.rem, ["u32", "u32"])];
    for (const x of words) {
      for (const y of words) {
        expect([udiv(x, y), urem(x, y)]).toEqual(y === 0 ? [0xffffffff, x] : [Math.floor(x / y), x % y]);
      }
    }
  });
  test("floats divide by IEEE", () => {
    const fdiv = asFunction(math.div, ["f32", "f32"]);
    expect([fdiv(1, 0), fdiv(-1, 0), fdiv(0, 0), fdiv(1, 3)]).toEqual([Infinity, -Infinity, NaN, Math.fround(1 / 3)]);
    expect(asFunction(math.rem, ["f32", "f32"])(-5.5, 2)).toBe(-1.5);
  });
});

describe("shifts by any amount", () => {
  const amounts = [0, 1, 5, 31, 32, 33, 64, MAX, -1, MIN];
  test("i32", () => {
    const left = asFunction(math.shiftLeft, ["i32", "i32"]);
    const logical = asFunction(math.shiftRightLogical, ["i32", "i32"]);
    const arithmetic = asFunction(math.shiftRightArithmetic, ["i32", "i32"]);
    for (const x of ints) {
      for (const n of amounts) {
        const inside = n >= 0 && n < 32;
        expect(left(x, n)).toBe(inside ? x << n : 0);
        expect(logical(x, n)).toBe(inside ? (x >>> n) | 0 : 0);
        expect(arithmetic(x, n)).toBe(inside ? x >> n : x < 0 ? -1 : 0);
      }
    }
  });
  test("u32", () => {
    const left = asFunction(math.shiftLeft, ["u32", "u32"]);
    const logical = asFunction(math.shiftRightLogical, ["u32", "u32"]);
    for (const x of words) {
      for (const n of [0, 1, 31, 32, 0xffffffff]) {
        expect(left(x, n)).toBe(n < 32 ? (x << n) >>> 0 : 0);
        expect(logical(x, n)).toBe(n < 32 ? x >>> n : 0);
      }
    }
  });
});
