import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import { type Expr, load } from "../../../src/kernel-ir/scalar.js";
import { lit } from "../../../src/kernel-ir/index-expr.js";
import { asFunction, ulp } from "./evaluate.js";

/** Rows [x, nearest double, rest of the true value] at floats x, made with mpmath by float64-reference.py. */
type Reference = Readonly<Record<string, readonly (readonly [number, number, number])[]>>;
const reference = JSON.parse(readFileSync(new URL("./float64-reference.json", import.meta.url), "utf8")) as Reference;

const functions: Readonly<Record<string, (x: Expr) => Expr>> = {
  lgamma: math.lgamma,
  digamma: math.digamma,
  polygamma1: (x) => math.polygamma(x, 1),
  polygamma2: (x) => math.polygamma(x, 2),
  polygamma3: (x) => math.polygamma(x, 3),
};
/** Largest errors in ulp for positive and for negative arguments. */
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  lgamma: [4.5, 4],
  digamma: [4, 4.5],
  polygamma1: [4, 6],
  polygamma2: [4, 6],
  polygamma3: [5, 9],
};

describe.each(["f32", "f64"] as const)("%s", (type) => {
  describe.each(["once", "twice"] as const)("fma rounded %s", (rounding) => {
    test.each(Object.keys(functions))("%s against mpmath", (name) => {
      const f = asFunction(functions[name]!, [type], rounding);
      for (const [x, nearest, rest] of reference[name]!) {
        // Near a zero the terms that cancel have errors of their own size, which is about 1 (1/8 near that of ψ).
        const terms = name.startsWith("poly") ? 0 : x < 0 ? 1 : name === "digamma" ? 1 / 8 : 0;
        const error = Math.abs(f(x) - nearest - rest) / ulp(Math.max(Math.abs(nearest), terms), type);
        expect(error, `${name} at ${x}`).toBeLessThanOrEqual(bounds[name]![x < 0 ? 1 : 0]);
      }
    });

    test("special values are JAX's", () => {
      const at = (name: string, ...xs: readonly number[]): number[] => {
        const f = asFunction(functions[name]!, [type], rounding);
        return xs.map((x) => f(x));
      };
      const xs = [0, -0, -1, -2, -1e10, Infinity, -Infinity, NaN];
      const inf = Infinity;
      expect(at("lgamma", ...xs)).toEqual([inf, inf, inf, inf, inf, inf, inf, NaN]);
      expect(at("lgamma", 1, 2)).toEqual([0, 0]);
      expect(at("digamma", ...xs)).toEqual([NaN, NaN, NaN, NaN, NaN, inf, NaN, NaN]);
      expect(at("polygamma1", ...xs)).toEqual([inf, inf, inf, inf, inf, NaN, inf, NaN]);
      expect(at("polygamma2", ...xs)).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN]);
      expect(at("polygamma3", ...xs)).toEqual([inf, inf, inf, inf, inf, NaN, inf, NaN]);
    });

    test("near the zeros at 1 and 2 the relative error stays small", () => {
      const f = asFunction(math.lgamma, [type], rounding);
      const step = type === "f32" ? 2 ** -20 : 2 ** -30;
      // lgamma(1 + h) = −γ·h + π²/12·h², lgamma(2 + h) = (1 − γ)·h + …
      const euler = 0.5772156649015329;
      for (const h of [step, -step]) {
        expect(f(1 + h) / (-euler * h + (Math.PI ** 2 / 12) * h * h)).toBeCloseTo(1, 6);
        expect(f(2 + h) / ((1 - euler) * h)).toBeCloseTo(1, 5);
      }
    });
  });

  test("the recurrences hold across the limits of the fits", () => {
    const [lgamma, digamma] = [asFunction(math.lgamma, [type]), asFunction(math.digamma, [type])];
    const epsilon = type === "f32" ? 2 ** -23 : 2 ** -52;
    for (let x = 1 / 64; x < 12; x += 1 / 64) {
      const scale = Math.abs(lgamma(x + 1)) + Math.abs(Math.log(x)) + 0.1;
      expect(Math.abs(lgamma(x + 1) - lgamma(x) - Math.log(x)) / scale, `lgamma ${x}`).toBeLessThan(4 * epsilon);
      const size = Math.abs(digamma(x + 1)) + 1 / x;
      expect(Math.abs(digamma(x + 1) - digamma(x) - 1 / x) / size, `digamma ${x}`).toBeLessThan(4 * epsilon);
    }
  });

  test("expansions stay small", () => {
    const size = (f: (x: Expr) => Expr): number => {
      const seen = new Set<Expr>();
      const visit = (e: Expr): void => {
        if (seen.has(e)) return;
        seen.add(e);
        if (e.kind === "op") e.args.forEach(visit);
      };
      visit(f(load(type, 0, lit(0))));
      return seen.size;
    };
    for (const f of Object.values(functions)) expect(size(f)).toBeLessThan(240);
  });
});
