import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import type { Expr, ScalarType } from "../../../src/kernel-ir/scalar.js";
import { asFunction, error32, floatFromBits, randomSource, SPECIAL, ulp } from "./evaluate.js";

const values = [
  ...SPECIAL, 7, -7, 1.5, -1.5, 33.25, -5.5, 1e10, 3e38, -3e38, 16777215, 16777216, 16777217, 2 ** 53 - 1, 0.9999999, 1.0000001,
]; // prettier-ignore

/** C's pow, where JavaScript's differs: 1^y and (−1)^±inf are 1. */
const cPow = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

const binary: readonly (readonly [string, (x: Expr, y: Expr) => Expr, (x: number, y: number) => number])[] = [
  ["pow", math.pow, cPow],
  ["atan2", math.atan2, Math.atan2],
  ["fmod", math.fmod, (x, y) => x % y],
];

describe.each(["f32", "f64"] as const)("functions of two %s", (type) => {
  const round = (x: number): number => (type === "f32" ? Math.fround(x) : x);
  test.each(binary)("%s at pairs of special values", (_, f, exact) => {
    for (const rounding of ["once", "twice"] as const) {
      const g = asFunction(f, [type, type], rounding);
      for (const a of values.map(round)) {
        for (const b of values.map(round)) {
          const expected = round(exact(a, b));
          if (!Number.isFinite(expected) || expected === 0) expect(g(a, b), `${a}, ${b}`).toBe(expected);
          else expect(Math.abs(g(a, b) - exact(a, b)) / ulp(exact(a, b), type), `${a}, ${b}`).toBeLessThanOrEqual(2.5);
        }
      }
    }
  });
});

describe("float32 pow and atan2", () => {
  test.each(["once", "twice"] as const)("pow over the whole range, fma rounded %s", (rounding) => {
    const g = asFunction(math.pow, ["f32", "f32"], rounding);
    const random = randomSource(3);
    let worst = 0;
    for (let i = 0; i < 30_000; i++) {
      const x =
        i % 3 === 0
          ? Math.fround(1 + (random() - 0.5) * 2 ** -Math.floor(random() * 22))
          : Math.abs(floatFromBits(random() * 2 ** 32));
      const y = i % 2 === 0 ? Math.fround((random() - 0.5) * 60) : floatFromBits(random() * 2 ** 32);
      worst = Math.max(worst, error32(g(x, y), cPow(x, y)));
    }
    expect(worst).toBeLessThanOrEqual(1.3);
  });
  test("atan2 in all quadrants", () => {
    const g = asFunction(math.atan2, ["f32", "f32"]);
    const random = randomSource(4);
    for (let i = 0; i < 10_000; i++) {
      const [y, x] = [Math.fround((random() - 0.5) * 2 ** ((i % 30) - 10)), Math.fround(random() - 0.5)];
      expect(error32(g(y, x), Math.atan2(y, x))).toBeLessThanOrEqual(1.8);
    }
  });
  test("logaddexp", () => {
    const g = asFunction(math.logaddexp, ["f32", "f32"]);
    expect(g(1000, 1000)).toBe(Math.fround(1000 + Math.LN2));
    expect([
      g(-Infinity, -Infinity),
      g(Infinity, Infinity),
      g(-Infinity, 3),
      g(Infinity, -Infinity),
      g(NaN, 1),
    ]).toEqual([-Infinity, Infinity, 3, Infinity, NaN]);
    expect(g(0.5, 0.25)).toBeCloseTo(Math.log(Math.exp(0.5) + Math.exp(0.25)), 6);
  });
});

describe("fmod is exact", () => {
  test.each(["f32", "f64"] as const)("over all sizes of %s", (type) => {
    const g = asFunction(math.fmod, [type, type]);
    const random = randomSource(5);
    const view = new DataView(new ArrayBuffer(8));
    const any = (): number => {
      if (type === "f32") return floatFromBits(random() * 2 ** 32);
      view.setUint32(0, random() * 2 ** 32);
      view.setUint32(4, random() * 2 ** 32);
      return view.getFloat64(0);
    };
    const round = type === "f32" ? Math.fround : (x: number): number => x;
    for (let i = 0; i < 6000; i++) {
      const x = any();
      // Sizes all over, quotients near the limits of the two ways, exact multiples.
      const y =
        i % 3 === 0
          ? any()
          : i % 3 === 1
            ? round(x / (1 + random() * 2 ** (random() * 30)))
            : round(x / Math.floor(random() * 5000));
      expect(g(x, y), `${x} % ${y}`).toBe(x % y);
    }
  });
});

describe("erfInv", () => {
  test("float32 follows Giles' polynomial", () => {
    const g = asFunction(math.erfInv, ["f32"]);
    const cases: readonly (readonly [number, number])[] = [
      [0.048, 0.042564582], [0.854, 1.0279964], [-0.384, -0.35463345], [0.924578, 1.2571577], [-0.91645765, -1.2236428],
      [9.872307e-7, 8.749103e-7], [0.88405985, 1.1116036],
    ]; // prettier-ignore
    for (const [x, y] of cases) expect(Math.abs(g(Math.fround(x)) / y - 1)).toBeLessThan(5e-7);
    expect([g(1), g(-1), g(-0), g(2)]).toEqual([Infinity, -Infinity, -0, NaN]);
  });
});

describe("integer powers", () => {
  const power = (type: ScalarType, n: number): ((x: number) => number) =>
    asFunction((x) => math.integerPow(x, n), [type]);
  test("by repeated squaring", () => {
    expect([0, 1, 2, 3, 5, 10].map((n) => power("f32", n)(3))).toEqual([1, 3, 9, 27, 243, 59049]);
    expect(power("f32", -2)(4)).toBe(1 / 16);
    expect(power("i32", 7)(-3)).toBe(-2187);
    expect(power("i32", 40)(3)).toBe(Number(BigInt.asIntN(32, 3n ** 40n)));
    expect(power("f32", 0)(NaN)).toBe(1);
  });
  test("integers have no negative powers", () => {
    expect(() => power("i32", -1)(3)).toThrow(/integerPow of i32 with exponent -1/);
  });
});
