import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ScalarOp, ScalarType } from "../../src/kernel-ir/scalar.js";
import { type FmaRounding, scalarFunction, type ScalarValue, toScalar } from "../../src/kernel-ir/scalar-eval.js";

function apply(
  name: ScalarOp,
  type: ScalarType,
  args: readonly ScalarValue[],
  result: ScalarType = type,
  rounding?: FmaRounding,
): ScalarValue {
  const f = scalarFunction(name, type, result, rounding);
  if (f === undefined) throw new Error(`no ${name} of ${type}`);
  return f(...args);
}
const MIN = -0x80000000;

describe("floats", () => {
  test("f32 rounds every operation", () => {
    expect(apply("add", "f32", [1, 2 ** -24])).toBe(1);
    expect(apply("mul", "f32", [Math.fround(1.1), Math.fround(1.1)])).toBe(Math.fround(Math.fround(1.1) ** 2));
    expect(apply("div", "f32", [1, 3])).toBe(Math.fround(1 / 3));
  });
  test("minimum and maximum: NaN wins, −0 below 0", () => {
    expect([apply("min", "f32", [NaN, 1]), apply("max", "f64", [1, NaN])]).toEqual([NaN, NaN]);
    expect([apply("min", "f32", [0, -0]), apply("max", "f32", [-0, 0])]).toEqual([-0, 0]);
  });
  test("nearest: ties to even, −0 kept", () => {
    const xs = [0.5, 1.5, 2.5, -0.5, -1.5, 0.3, -0.3, 4503599627370497, Infinity];
    expect(xs.map((x) => apply("nearest", "f64", [x]))).toEqual([0, 2, 2, -0, -2, 0, -0, 4503599627370497, Infinity]);
  });
  test("fma: rounded once or twice", () => {
    const x = 1 + 2 ** -12;
    expect(apply("fma", "f32", [x, x, -1], "f32", "twice")).toBe(2 ** -11);
    expect(apply("fma", "f32", [x, x, -1], "f32", "once")).toBe(2 ** -11 + 2 ** -24);
    const y = 1 + 2 ** -27;
    expect(apply("fma", "f64", [y, y, -1], "f64", "once")).toBe(2 ** -26 + 2 ** -54);
    expect(apply("fma", "f64", [1e308, 10, -Infinity], "f64", "once")).toBe(-Infinity);
    expect(apply("fma", "f64", [2 ** 1023, 2, -1.5 * 2 ** 1023], "f64", "once")).toBe(2 ** 1022);
    expect(apply("fma", "f64", [2 ** -600, 2 ** -600, 0], "f64", "once")).toBe(0);
  });
  test("a fused product and sum lies within half a unit of the exact value", () => {
    const exact = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(Math.fround);
    fc.assert(
      fc.property(exact, exact, exact, (a, b, d) => {
        // The product of two float32 is exact in double; the sum of it and the third is exact in 2·53 bits.
        const product = a * b;
        const sum = product + d;
        const rest = product - (sum - d) + (d - (sum - (sum - d)));
        const got = apply("fma", "f32", [a, b, d], "f32", "once") as number;
        const neighbours = [Math.fround(sum), Math.fround(sum * (1 + 1e-7)), Math.fround(sum * (1 - 1e-7))];
        const best = Math.min(...neighbours.map((n) => Math.abs(sum - n + rest)));
        expect(Math.abs(sum - got + rest)).toBe(best);
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe("integers", () => {
  test("wrap", () => {
    expect([apply("add", "i32", [0x7fffffff, 1]), apply("neg", "i32", [MIN]), apply("abs", "i32", [MIN])]).toEqual([
      MIN,
      MIN,
      MIN,
    ]);
    expect([apply("sub", "u32", [0, 1]), apply("mul", "u32", [0xffffffff, 0xffffffff])]).toEqual([0xffffffff, 1]);
    expect(apply("mul", "i64", [2n ** 62n, 4n])).toBe(0n);
    expect(apply("mulhi", "u32", [0xffffffff, 0xffffffff])).toBe(0xfffffffe);
  });
  test("count bits", () => {
    expect([apply("clz", "u32", [0]), apply("clz", "u32", [1]), apply("popcnt", "i32", [-1])]).toEqual([32, 31, 32]);
  });
  test("preconditions are checked", () => {
    expect(() => apply("div", "i32", [1, 0])).toThrow(/by zero/);
    expect(() => apply("rem", "u32", [1, 0])).toThrow(/by zero/);
    expect(() => apply("div", "i32", [MIN, -1])).toThrow(/INT_MIN/);
    expect(() => apply("shl", "u32", [1, 32])).toThrow(/shift by 32/);
    expect(() => apply("shrA", "i64", [1n, 64n])).toThrow(/shift by 64/);
    expect(() => apply("shrL", "i32", [1, -1])).toThrow(/shift by -1/);
  });
  test("i64 shifts", () => {
    expect([
      apply("shrL", "i64", [-1n, 60n]),
      apply("shrA", "i64", [-16n, 2n]),
      apply("shl", "i64", [1n, 63n]),
    ]).toEqual([15n, -4n, -(2n ** 63n)]);
  });
});

describe("conversions", () => {
  test("floats to integers truncate and saturate, NaN is 0", () => {
    const xs = [1.9, -1.9, 3e9, -3e9, NaN, Infinity];
    expect(xs.map((x) => apply("convert", "f32", [x], "i32"))).toEqual([1, -1, 0x7fffffff, MIN, 0, 0x7fffffff]);
    expect(xs.map((x) => apply("convert", "f64", [x], "u32"))).toEqual([1, 0, 3e9, 0, 0, 0xffffffff]);
    expect([1e19, -1e19, NaN, -2.5].map((x) => apply("convert", "f64", [x], "i64"))).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      0n,
      -2n,
    ]);
  });
  test("to bool: nonzero and NaN are true", () => {
    expect([0, -0, 0.1, NaN].map((x) => apply("convert", "f32", [x], "bool"))).toEqual([0, 0, 1, 1]);
    expect(apply("convert", "bool", [1], "f32")).toBe(1);
  });
  test("between integers", () => {
    expect([apply("convert", "i32", [-1], "u32"), apply("convert", "u32", [0xffffffff], "i32")]).toEqual([
      0xffffffff, -1,
    ]);
    expect([apply("convert", "i32", [-1], "i64"), apply("convert", "u32", [0xffffffff], "i64")]).toEqual([
      -1n,
      0xffffffffn,
    ]);
    expect(apply("convert", "i64", [-1n], "i32")).toBe(-1);
  });
  test("bits", () => {
    expect([apply("bitcast", "f32", [1], "i32"), apply("bitcast", "f32", [-0], "u32")]).toEqual([
      0x3f800000, 0x80000000,
    ]);
    expect([apply("bitcast", "u32", [0x7f800000], "f32"), apply("bitcast", "f64", [1], "i64")]).toEqual([
      Infinity,
      0x3ff0000000000000n,
    ]);
    expect(apply("bitcast", "i64", [-(2n ** 63n)], "f64")).toBe(-0);
  });
  test("what has no meaning has no function", () => {
    expect(scalarFunction("rem", "f32", "f32")).toBeUndefined();
    expect(scalarFunction("sqrt", "i32", "i32")).toBeUndefined();
    expect(scalarFunction("lt", "bool", "bool")).toBeUndefined();
    expect(scalarFunction("bitcast", "f64", "i32")).toBeUndefined();
    expect(scalarFunction("convert", "i64", "f32")).toBeUndefined();
  });
  test("constants are rounded to their type", () => {
    expect([
      toScalar("f32", 0.1),
      toScalar("i32", 2 ** 31),
      toScalar("u32", -1),
      toScalar("bool", 7),
      toScalar("i64", 2n ** 63n),
    ]).toEqual([Math.fround(0.1), MIN, 0xffffffff, 1, -(2n ** 63n)]);
  });
});
