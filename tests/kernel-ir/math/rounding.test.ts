import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import { asFunction, floatFromBits, randomSource } from "./evaluate.js";

describe.each(["f32", "f64"] as const)("rounding of %s", (type) => {
  test("half away from zero; −0 and specials kept", () => {
    const f = asFunction(math.roundHalfAway, [type]);
    expect([0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, -0.3, 8388609].map((x) => f(x))).toEqual([
      1, -1, 2, 3, -3, 0, -0, 8388609,
    ]);
    expect([f(-0), f(Infinity), f(-Infinity), f(NaN)]).toEqual([-0, Infinity, -Infinity, NaN]);
  });
  test("sign keeps zeros and NaN", () => {
    const f = asFunction(math.sign, [type]);
    expect([f(-3), f(0), f(-0), f(1e-40), f(NaN), f(-Infinity)]).toEqual([-1, 0, -0, 1, NaN, -1]);
  });
  test("isNan and isFinite", () => {
    const [isNan, isFinite] = [asFunction(math.isNan, [type]), asFunction(math.isFinite, [type])];
    const xs = [NaN, Infinity, -Infinity, 0, -0, 1, 3e38];
    expect(xs.map((x) => isNan(x))).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(xs.map((x) => isFinite(x))).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });
});

describe("nextafter", () => {
  const f = asFunction(math.nextafter, ["f32", "f32"]);
  const least = 2 ** -149;
  test("steps by one unit towards y", () => {
    expect([f(1, 2), f(1, 0), f(-1, 0), f(-1, -2)]).toEqual([1 + 2 ** -23, 1 - 2 ** -24, -1 + 2 ** -24, -1 - 2 ** -23]);
    expect([f(0, 1), f(0, -1), f(-0, 1), f(least, 0), f(-least, 1)]).toEqual([least, -least, least, 0, -0]);
    expect([f(3.4028234663852886e38, Infinity), f(Infinity, 0), f(-Infinity, 0)]).toEqual([
      Infinity,
      3.4028234663852886e38,
      -3.4028234663852886e38,
    ]);
  });
  test("equal operands give y, NaN gives NaN", () => {
    expect([f(1, 1), f(0, -0), f(-0, 0), f(NaN, 1), f(1, NaN)]).toEqual([1, -0, 0, NaN, NaN]);
  });
  test("f64", () => {
    const g = asFunction(math.nextafter, ["f64", "f64"]);
    expect([g(1, 2), g(0, -1), g(5e-324, 0)]).toEqual([1 + Number.EPSILON, -5e-324, 0]);
  });
});

describe("reducePrecision", () => {
  const reduce = (exponent: number, mantissa: number): ((x: number) => number) =>
    asFunction((x) => math.reducePrecision(x, exponent, mantissa), ["f32"]);
  test("bfloat16: ties to even", () => {
    const f = reduce(8, 7);
    expect(f(1 + 2 ** -8)).toBe(1);
    expect(f(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(f(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
    expect(f(3.4e38)).toBe(Infinity);
    expect([f(-0), f(-Infinity), f(NaN)]).toEqual([-0, -Infinity, NaN]);
  });
  test("float16's range: overflow to inf, below the normal range to zero", () => {
    const f = reduce(5, 10);
    expect([f(65504), f(65519), f(65520), f(-1e6)]).toEqual([65504, 65504, Infinity, -Infinity]);
    expect([f(2 ** -14), f(2 ** -15), f(-(2 ** -20))]).toEqual([2 ** -14, 0, -0]);
  });
  test("all bits kept change nothing", () => {
    const f = reduce(8, 23);
    const random = randomSource(6);
    for (let i = 0; i < 1000; i++) {
      const x = floatFromBits(random() * 2 ** 32);
      expect(f(x)).toBe(x);
    }
  });
});
