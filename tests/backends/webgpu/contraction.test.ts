import { describe, expect, test } from "vitest";
import { lit } from "../../../src/kernel-ir/index-expr.js";
import * as math from "../../../src/kernel-ir/math/index.js";
import { type Expr, load, op } from "../../../src/kernel-ir/scalar.js";
import { asFunction, error32, float32Samples, floatFromBits, randomSource } from "../../kernel-ir/math/evaluate.js";
import { unary32 } from "../../kernel-ir/math/unary32.js";

/**
 * GPUs' compilers make a·b + c one operation that rounds once; the software driver does not. Scalar math keeps its bounds
 * however they do it: the sums of products of its expansions are replaced, by the left or by the right product where both are.
 */
function contracted(root: Expr, prefer: 0 | 1): { readonly expr: Expr; readonly count: number } {
  const done = new Map<Expr, Expr>();
  let count = 0;
  const isProduct = (e: Expr | undefined): boolean => e?.kind === "op" && e.op === "mul" && e.type === "f32";
  const visit = (e: Expr): Expr => {
    const known = done.get(e);
    if (known !== undefined) return known;
    let made = e;
    if (e.kind === "op") {
      const args = e.args.map(visit);
      made = op(e.op, args, e.type);
      const side = [prefer, 1 - prefer].find((k) => isProduct(e.args[k]));
      if (e.type === "f32" && (e.op === "add" || e.op === "sub") && side !== undefined) {
        const product = e.args[side];
        if (product?.kind !== "op") throw new Error("a product was found");
        const [a, b] = product.args.map(visit) as [Expr, Expr];
        const other = args[1 - side]!;
        const minus = (x: Expr): Expr => op("neg", [x]);
        if (e.op === "add") made = op("fma", [a, b, other]);
        else made = side === 0 ? op("fma", [a, b, minus(other)]) : op("fma", [minus(a), b, other]);
        count++;
      }
    }
    done.set(e, made);
    return made;
  };
  return { expr: visit(root), count };
}

describe.each([0, 1] as const)("sums of products that round once (side %i first)", (side) => {
  const as =
    (f: (...operands: Expr[]) => Expr) =>
    (...operands: Expr[]): Expr =>
      contracted(f(...operands), side).expr;

  test("there are such sums", () => {
    const x = load("f32", 0, lit(0));
    expect(contracted(math.sin(x), side).count).toBeGreaterThan(0);
    expect(contracted(math.pow(x, x), side).count).toBeGreaterThan(0);
    expect(contracted(math.fmod(x, x), side).count).toBeGreaterThan(0);
  });

  test.each(unary32.map((row) => [row[0], row] as const))("%s", (_, [name, f, exact, lo, hi, ulp]) => {
    const run = asFunction(as(f), ["f32"], "once");
    for (const x of float32Samples(lo, hi, 4_000)) {
      const error = error32(run(x), exact(x));
      if (error > ulp) expect.fail(`${name} of ${x} is ${run(x)}, off by ${error} units`);
    }
  });

  test("powers, angles and remainders", () => {
    const random = randomSource(9);
    const pow = asFunction(as(math.pow), ["f32", "f32"], "once");
    const atan2 = asFunction(as(math.atan2), ["f32", "f32"], "once");
    const fmod = asFunction(as(math.fmod), ["f32", "f32"], "once");
    for (let i = 0; i < 6_000; i++) {
      const near = Math.fround(1 + (random() - 0.5) * 2 ** -Math.floor(random() * 22));
      const [a, b] = [floatFromBits(random() * 2 ** 32), floatFromBits(random() * 2 ** 32)];
      const base = i % 2 === 0 ? near : Math.abs(a);
      const exponent = Math.fround((random() - 0.5) * 60);
      expect(error32(pow(base, exponent), base ** exponent), `${base} to the ${exponent}`).toBeLessThanOrEqual(1.3);
      expect(error32(atan2(a, b), Math.atan2(a, b)), `atan2 of ${a}, ${b}`).toBeLessThanOrEqual(1.8);
      expect(Object.is(fmod(a, b), Math.fround(a % b)), `${a} % ${b} is ${fmod(a, b)}`).toBe(true);
    }
  });
});
