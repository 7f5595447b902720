import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evalExpr } from "../../src/kernel-ir/interpreter.js";
import { lit } from "../../src/kernel-ir/index-expr.js";
import { c } from "../../src/kernel-ir/math/build.js";
import * as math from "../../src/kernel-ir/math/index.js";
import { printExpr } from "../../src/kernel-ir/printer.js";
import { rewriteRules, simplify } from "../../src/kernel-ir/rewrite.js";
import { type Expr, load, op, type ScalarOp, type ScalarType } from "../../src/kernel-ir/scalar.js";
import { scalarFunction, type ScalarValue, toScalar } from "../../src/kernel-ir/scalar-eval.js";
import { verifyExpr } from "../../src/kernel-ir/verify-expr.js";

const x = load("f32", 0, lit(0));
const y = load("f32", 1, lit(0));
const i = load("i32", 2, lit(0));
const p = load("bool", 3, lit(0));
const f = (v: number): Expr => c("f32", v);
const n = (v: number): Expr => c("i32", v);
const text = (e: Expr): string => printExpr(simplify(e));

/** A rule's name, an expression it works on, and what becomes of it. */
const examples: readonly (readonly [rule: string, before: Expr, after: Expr])[] = [
  ["fold-constants", op("add", [f(1), f(2)]), f(3)],
  ["select-constant", op("select", [c("bool", 1), x, y]), x],
  ["select-same", op("select", [p, x, x]), x],
  ["select-not", op("select", [op("not", [p]), x, y]), op("select", [p, y, x])],
  ["select-nested", op("select", [p, op("select", [p, x, y]), f(0)]), op("select", [p, x, f(0)])],
  ["select-nested", op("select", [p, x, op("select", [p, f(0), y])]), op("select", [p, x, y])],
  ["select-bools", op("select", [p, c("bool", 1), c("bool", 0)]), p],
  ["double-neg", op("neg", [op("neg", [x])]), x],
  ["not-comparison", op("not", [op("eq", [x, y])]), op("ne", [x, y])],
  ["not-comparison", op("not", [op("lt", [i, n(3)])]), op("ge", [i, n(3)])],
  ["abs-of-sign", op("abs", [op("neg", [x])]), op("abs", [x])],
  ["rounded-twice", op("floor", [op("nearest", [x])]), op("nearest", [x])],
  ["convert-same", op("convert", [x], "f32"), x],
  ["convert-back", op("convert", [op("convert", [i], "i64")], "i32"), i],
  ["bitcast-twice", op("bitcast", [op("bitcast", [x], "i32")], "u32"), op("bitcast", [x], "u32")],
  ["bool-as-number", op("ne", [op("convert", [p], "i32"), n(0)]), p],
  ["bool-as-number", op("eq", [op("convert", [p], "f32"), f(0)]), op("not", [p])],
  ["add-neutral", op("add", [x, f(-0)]), x],
  ["add-neutral", op("add", [n(0), i]), i],
  ["sub-neutral", op("sub", [x, f(0)]), x],
  ["mul-one", op("mul", [f(1), x]), x],
  ["mul-minus-one", op("mul", [x, f(-1)]), op("neg", [x])],
  ["mul-zero", op("mul", [i, n(0)]), n(0)],
  ["div-one", op("div", [x, f(1)]), x],
  ["div-power-of-two", op("div", [x, f(8)]), op("mul", [x, f(0.125)])],
  ["and-ones", op("and", [i, n(-1)]), i],
  ["or-zero", op("xor", [n(0), i]), i],
  ["or-ones", op("or", [p, c("bool", 1)]), c("bool", 1)],
  ["shift-zero", op("shl", [i, n(0)]), i],
  ["with-itself", op("max", [x, x]), x],
  ["minus-itself", op("sub", [i, i]), n(0)],
  ["compare-itself", op("le", [i, i]), c("bool", 1)],
];

describe("rules", () => {
  test.each(examples)("%s %#", (rule, before, after) => {
    const fired: string[] = [];
    expect(printExpr(simplify(before, (name) => fired.push(name)))).toBe(printExpr(after));
    expect(fired).toContain(rule);
  });
  test("every rule has an example", () => {
    expect([...new Set(examples.map(([rule]) => rule))].sort()).toEqual(rewriteRules.map((r) => r.name).sort());
  });
  test("what IEEE forbids stays", () => {
    const kept = [
      op("add", [x, f(0)]),
      op("sub", [x, f(-0)]),
      op("mul", [x, f(0)]),
      op("sub", [x, x]),
      op("eq", [x, x]),
      op("not", [op("lt", [x, y])]),
      op("div", [x, f(3)]),
      op("convert", [op("convert", [x], "i32")], "f32"),
    ];
    for (const e of kept) expect(simplify(e)).toBe(e);
  });
  test("constants whose operation has no value are left alone", () => {
    expect(text(op("div", [n(1), n(0)]))).toBe("div(1:i32, 0:i32)");
  });
  test("an fma of constants folds only where both roundings agree", () => {
    expect(text(op("fma", [f(2), f(3), f(1)]))).toBe("7:f32");
    const near = f(1 + 2 ** -12);
    expect(simplify(op("fma", [near, near, f(-1)])).kind).toBe("op");
  });
  test("integer division by a constant needs none of its guards", () => {
    const e = simplify(math.div(i, n(4)));
    expect(printExpr(e)).toBe("div(b2[0], 4:i32)");
    expect(printExpr(simplify(math.shiftLeft(i, n(3))))).toBe("shl(b2[0], 3:i32)");
  });
  test("functions of constants are constants", () => {
    for (const g of [math.exp, math.log, math.sin, math.erf, math.cbrt]) {
      const folded = simplify(g(f(0.5)));
      expect(folded.kind === "const" || printExpr(folded).includes("fma")).toBe(true);
    }
    expect(text(math.pow(x, f(0)))).toBe("1:f32");
  });
});

/** Random expressions over loads of every type, typed right by construction. */
const ARITY1: readonly ScalarOp[] = ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest", "not", "clz", "popcnt"];
const ARITY2: readonly ScalarOp[] = [
  "add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl", "shrA", "shrL", "eq", "ne", "lt", "le", "gt", "ge",
]; // prettier-ignore
const TYPES: readonly ScalarType[] = ["f32", "f64", "i32", "u32", "bool"];
const CONSTANTS = [0, -0, 1, -1, 2, 0.5, 8, 31, 255, NaN, Infinity];

function randomExpr(type: ScalarType, depth: number, pick: (n: number) => number): Expr {
  const kind = depth === 0 ? pick(2) : 2 + pick(6);
  const sub = (t: ScalarType): Expr => randomExpr(t, depth - 1, pick);
  switch (kind) {
    case 0:
      return load(type, TYPES.indexOf(type), lit(0));
    case 1:
      return c(type, toScalar(type, CONSTANTS[pick(CONSTANTS.length)]!));
    case 2:
      return op("select", [sub("bool"), sub(type), sub(type)]);
    case 3: {
      const from = TYPES[pick(TYPES.length)]!;
      // Not from floats: the bits of a NaN are nobody's promise.
      const isBits = (t: ScalarType): boolean => t === "i32" || t === "u32";
      const name = isBits(from) && (isBits(type) || type === "f32") && pick(2) === 0 ? "bitcast" : "convert";
      return op(name, [sub(from)], type);
    }
    default: {
      const names = (kind < 5 ? ARITY1 : ARITY2).filter((name) => {
        const compares = ["eq", "ne", "lt", "le", "gt", "ge"].includes(name);
        return compares ? type === "bool" : scalarFunction(name, type, type) !== undefined;
      });
      const name = names[pick(names.length)];
      if (name === undefined) return sub(type);
      const operand = ["eq", "ne"].includes(name)
        ? TYPES[pick(5)]!
        : ["lt", "le", "gt", "ge"].includes(name)
          ? TYPES[pick(4)]!
          : type;
      const shared = sub(operand);
      // Now and then both operands are one node.
      return op(name, kind < 5 ? [shared] : [shared, pick(4) === 0 ? shared : sub(operand)]);
    }
  }
}

describe("simplify", () => {
  const noSlots = (): never => {
    throw new Error("no slots here");
  };
  test("changes no value, wherever the expression has one", () => {
    const values: fc.Arbitrary<ScalarValue[]> = fc.tuple(
      fc.constantFrom(0, -0, 1, -1.5, 0.1, NaN, Infinity, 3e38).map(Math.fround),
      fc.constantFrom(0, -0, 1, -1.5, 0.1, NaN, -Infinity, 1e300),
      fc.constantFrom(0, 1, -1, 7, 0x7fffffff, -0x80000000),
      fc.constantFrom(0, 1, 7, 0xffffffff),
      fc.constantFrom(0, 1),
    );
    let checked = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...TYPES),
        fc.array(fc.nat(1000), { minLength: 400, maxLength: 400 }),
        values,
        (type, choices, operands) => {
          let next = 0;
          const e = randomExpr(type, 4, (m) => choices[next++ % choices.length]! % m);
          const after = simplify(e);
          verifyExpr(after, { axes: [], load: () => undefined, slot: noSlots, keep: noSlots }, new Set());
          const run = (expr: Expr): ScalarValue => evalExpr(expr, { load: (b) => operands[b]! });
          let expected: ScalarValue;
          try {
            expected = run(e);
          } catch {
            return; // a precondition is broken: the expression has no value here
          }
          checked++;
          expect(run(after)).toBe(expected);
        },
      ),
      { seed: 5, numRuns: 4000 },
    );
    expect(checked).toBeGreaterThan(1500);
  });

  test("keeps sharing and takes linear time", () => {
    let e: Expr = x;
    for (let k = 0; k < 3000; k++) e = op("add", [e, op("mul", [e, f(1)])]);
    const after = simplify(e) as Extract<Expr, { kind: "op" }>;
    expect(after.args[0]).toBe(after.args[1]);
    expect(simplify(after)).toBe(after);
    expect(simplify(e)).toBe(after);
  });
});
