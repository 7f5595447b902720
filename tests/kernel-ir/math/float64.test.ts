import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import type { Expr } from "../../../src/kernel-ir/scalar.js";
import { asFunction, SPECIAL, ulp } from "./evaluate.js";

/** Rows [operands…, nearest double, rest of the true value], made with mpmath by float64-reference.py. */
type Reference = Readonly<Record<string, readonly (readonly number[])[]>>;
const reference = JSON.parse(readFileSync(new URL("./float64-reference.json", import.meta.url), "utf8")) as Reference;

const bounds: Readonly<Record<string, number>> = {
  exp: 1.2, exp2: 1.2, expm1: 2, log: 0.9, log1p: 1.4, log2: 1.9, sin: 1.6, cos: 1.6, tan: 2.6, asin: 1.8, acos: 1.3, atan: 1.9,
  sinh: 2.2, cosh: 1.6, tanh: 2.5, asinh: 1.8, acosh: 1.9, atanh: 2, logistic: 2.3, cbrt: 0.8, rsqrt: 1.5, erf: 3.2, erfc: 4,
  pow: 1.3, atan2: 1.9,
}; // prettier-ignore

type Name = Exclude<keyof typeof math, "threefry2x32" | "integerPow" | "reducePrecision">;

describe.each(["once", "twice"] as const)("float64 with fma rounded %s", (rounding) => {
  test.each(Object.keys(bounds))("%s against mpmath", (name) => {
    const rows = reference[name]!;
    expect(rows.length).toBeGreaterThan(40);
    const operands = rows[0]!.length - 2;
    const f = asFunction(
      math[name as Name] as (...e: Expr[]) => Expr,
      new Array<"f64">(operands).fill("f64"),
      rounding,
    );
    let worst = 0;
    let at: readonly number[] = [];
    for (const row of rows) {
      const [nearest, rest] = row.slice(operands) as [number, number];
      const error = Math.abs(f(...row.slice(0, operands)) - nearest - rest) / ulp(nearest, "f64");
      if (!(error <= worst)) [worst, at] = [error, row];
    }
    expect(worst, `at ${at.join(", ")}`).toBeLessThanOrEqual(bounds[name]!);
  });

  test("erfInv against mpmath: relative error below 2e-13", () => {
    const f = asFunction(math.erfInv, ["f64"], rounding);
    for (const [x, y] of reference["erfInv"]!)
      expect(Math.abs(f(x!) - y!) / Math.abs(y!), String(x)).toBeLessThan(2e-13);
  });
});

const unary: readonly (readonly [string, (x: Expr) => Expr, (x: number) => number])[] = [
  ["exp", math.exp, Math.exp],
  ["exp2", math.exp2, (x) => 2 ** x],
  ["expm1", math.expm1, Math.expm1],
  ["log", math.log, Math.log],
  ["log1p", math.log1p, Math.log1p],
  ["log2", math.log2, Math.log2],
  ["sin", math.sin, Math.sin],
  ["cos", math.cos, Math.cos],
  ["tan", math.tan, Math.tan],
  ["asin", math.asin, Math.asin],
  ["acos", math.acos, Math.acos],
  ["atan", math.atan, Math.atan],
  ["sinh", math.sinh, Math.sinh],
  ["cosh", math.cosh, Math.cosh],
  ["tanh", math.tanh, Math.tanh],
  ["asinh", math.asinh, Math.asinh],
  ["acosh", math.acosh, Math.acosh],
  ["atanh", math.atanh, Math.atanh],
  ["cbrt", math.cbrt, Math.cbrt],
  ["rsqrt", math.rsqrt, (x) => 1 / Math.sqrt(x)],
];

describe("float64 at special values", () => {
  test.each(unary)("%s: signs of zeros, infinities, NaN, subnormals", (_, f, exact) => {
    for (const rounding of ["once", "twice"] as const) {
      const g = asFunction(f, ["f64"], rounding);
      for (const x of [...SPECIAL, 5e-324, -5e-324, 1e-310, 1.7976931348623157e308, -1.7976931348623157e308]) {
        const expected = exact(x);
        if (!Number.isFinite(expected) || expected === 0) expect(g(x), String(x)).toBe(expected);
        else expect(Math.abs(g(x) - expected) / ulp(expected, "f64"), String(x)).toBeLessThanOrEqual(3);
      }
    }
  });

  test("exp gives subnormals, exp2 and log2 are exact at powers of two", () => {
    const [exp2, log2] = [asFunction(math.exp2, ["f64"]), asFunction(math.log2, ["f64"])];
    expect(asFunction(math.exp, ["f64"])(-745.13)).toBe(5e-324);
    for (let n = -1074; n < 1024; n += 7) {
      expect(exp2(n)).toBe(2 ** n);
      expect(log2(2 ** n)).toBe(n);
    }
  });

  test("erf and erfc at their ends", () => {
    const [erf, erfc, erfInv] = [math.erf, math.erfc, math.erfInv].map((f) => asFunction(f, ["f64"])) as [
      (x: number) => number,
      (x: number) => number,
      (x: number) => number,
    ];
    expect([erf(0), erf(-0), erf(Infinity), erf(-Infinity), erf(NaN), erf(6)]).toEqual([0, -0, 1, -1, NaN, 1]);
    expect([erfc(0), erfc(Infinity), erfc(-Infinity), erfc(NaN), erfc(28)]).toEqual([1, 0, 2, NaN, 0]);
    expect([erfInv(0), erfInv(-0), erfInv(1), erfInv(-1), erfInv(1.5), erfInv(NaN)]).toEqual([
      0,
      -0,
      Infinity,
      -Infinity,
      NaN,
      NaN,
    ]);
  });
});
