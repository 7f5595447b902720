import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import type { Expr } from "../../../src/kernel-ir/scalar.js";
import { asFunction, error32, float32Samples, SPECIAL } from "./evaluate.js";
import { unary32 as unary } from "./unary32.js";

describe.each(["once", "twice"] as const)("float32 with fma rounded %s", (rounding) => {
  test.each(unary)("%s over the whole range", (_, f, exact, lo, hi, ulp) => {
    const g = asFunction(f, ["f32"], rounding);
    let worst = 0;
    let at = 0;
    for (const x of float32Samples(lo, hi, 12_000)) {
      const error = error32(g(x), exact(x));
      if (error > worst) [worst, at] = [error, x];
    }
    expect(worst, `at ${at}: ${g(at)}, exactly ${exact(at)}`).toBeLessThanOrEqual(ulp);
  });

  test.each(unary)("%s at special values, signs of zeros included", (_, f, exact) => {
    const g = asFunction(f, ["f32"], rounding);
    for (const value of SPECIAL) {
      const x = Math.fround(value);
      const expected = Math.fround(exact(x));
      if (!Number.isFinite(expected) || expected === 0) expect(g(x), String(x)).toBe(expected);
      else expect(error32(g(x), exact(x)), String(x)).toBeLessThanOrEqual(2.5);
    }
  });
});

describe("float32 at chosen places", () => {
  const at = (f: (x: Expr) => Expr, x: number): number => asFunction(f, ["f32"])(Math.fround(x));

  test("exp: subnormal results, overflow, exactly 1 at 0", () => {
    expect(at(math.exp, 88.5)).toBe(Math.fround(Math.exp(88.5)));
    expect(at(math.exp, -100)).toBeCloseTo(3.78e-44, 45);
    expect(at(math.exp, -103.9)).toBe(2 ** -149);
    expect(at(math.exp, 88.73)).toBe(Infinity);
    expect(at(math.exp, -104)).toBe(0);
    expect([at(math.exp, 0), at(math.exp, -0)]).toEqual([1, 1]);
  });
  test.each(["f32", "f64"] as const)("exp of what is not positive is exp but for subnormal results: %s", (type) => {
    const [f, g] = [asFunction(math.exp, [type]), asFunction(math.expNonpositive, [type])];
    const [low, normal] = type === "f32" ? [-105, 2 ** -126] : [-747, 2 ** -1022];
    for (let x = low; x <= 0; x += 1 / 64) {
      const y = type === "f32" ? Math.fround(x) : x;
      const expected = f(y);
      if (expected >= normal) expect(g(y), String(y)).toBe(expected);
      else expect([0, expected], String(y)).toContain(g(y));
    }
    expect([-Infinity, -1e30, NaN, 0, -0].map((x) => g(x))).toEqual([0, 0, NaN, 1, 1]);
  });
  test("exp2 is exact at integers", () => {
    for (let n = -149; n < 128; n++) expect(at(math.exp2, n)).toBe(2 ** n);
    expect(at(math.exp2, 128)).toBe(Infinity);
  });
  test("log2 is exact at powers of two", () => {
    for (let n = -149; n < 128; n++) expect(at(math.log2, 2 ** n)).toBe(n);
  });
  test("log of a subnormal", () => {
    expect(at(math.log, 1e-40)).toBe(Math.fround(Math.log(Math.fround(1e-40))));
  });
  test("tanh is x for small x, ±1 for large, never beyond", () => {
    expect(at(math.tanh, 1e-7)).toBe(Math.fround(1e-7));
    expect([at(math.tanh, 9.1), at(math.tanh, -50), at(math.tanh, 1e30)]).toEqual([1, -1, 1]);
  });
  test("erf, tanh never leave [−1, 1]", () => {
    for (const f of [math.tanh, math.erf]) {
      const g = asFunction(f, ["f32"]);
      for (let x = 2; x < 12; x += 1 / 256) expect(Math.abs(g(x))).toBeLessThanOrEqual(1);
    }
  });
  test("sines of huge arguments", () => {
    const huge = Math.fround(1e30);
    expect(at(math.sin, huge)).toBe(Math.fround(Math.sin(huge)));
    expect(at(math.cos, 3.4028234663852886e38)).toBe(Math.fround(Math.cos(3.4028234663852886e38)));
    expect(at(math.sin, Infinity)).toBe(NaN);
  });
  test("sines next to multiples of π/2 keep their relative accuracy", () => {
    const [sin, cos] = [asFunction(math.sin, ["f32"]), asFunction(math.cos, ["f32"])];
    for (let n = 1; n < 5000; n++) {
      const x = Math.fround((n * Math.PI) / 2);
      expect(error32(sin(x), Math.sin(x))).toBeLessThanOrEqual(2);
      expect(error32(cos(x), Math.cos(x))).toBeLessThanOrEqual(2);
    }
  });
});
