import { describe, expect, test } from "vitest";
import {
  add,
  addConst,
  axisIndex,
  clamp,
  div,
  lit,
  mod,
  scale,
  sub,
  valueIndex,
} from "../../src/kernel-ir/index-expr.js";
import { c } from "../../src/kernel-ir/math/build.js";
import { printExpr, printIndex, printKernel, printProgram } from "../../src/kernel-ir/printer.js";
import { indexValue, keepRef, load, op, slotRef } from "../../src/kernel-ir/scalar.js";
import {
  cumsumKernel,
  dotKernel,
  loopProgram,
  mapKernel,
  nest,
  reads,
  softmaxKernel,
  sortKernel,
  twoStepProgram,
  updates,
} from "./kernels.js";

const a = axisIndex(0, 8);
const b = axisIndex(1, 5);

describe("indices", () => {
  test.each([
    [lit(-3), "-3"],
    [addConst(add(scale(a, 5), b), 2), "5*a0 + a1 + 2"],
    [sub(lit(7), a), "-a0 + 7"],
    [addConst(sub(b, scale(a, 2)), -1), "-2*a0 + a1 - 1"],
    [add(div(a, 3), scale(mod(a, 3), 2)), "2*(a0)%3 + (a0)/3"],
    [clamp(addConst(a, -2), 0, 9), "clamp(a0 - 2, 0, 5)"],
    [add(a, valueIndex(load("i32", 1, b), 0, 9)), "a0 + {b1[a1] in 0..9}"],
  ])("%# %s", (index, text) => expect(printIndex(index)).toBe(text));
});

describe("expressions", () => {
  test("leaves", () => {
    expect(printExpr(c("f32", -0))).toBe("-0:f32");
    expect(printExpr(c("f64", -Infinity))).toBe("-inf:f64");
    expect(printExpr(c("bool", 1))).toBe("true");
    expect(printExpr(c("i64", 7n))).toBe("7:i64");
    expect(printExpr(op("add", [slotRef("f32", 1), keepRef("f32", 0)]))).toBe("add(slot1, keep0)");
    expect(printExpr(op("convert", [indexValue(a)], "f32"))).toBe("convert.f32([a0])");
  });
  test("a shared node has a name, leaves have none", () => {
    const x = load("f32", 0, a);
    const square = op("mul", [x, x]);
    const e = op("add", [square, op("sqrt", [square])]);
    expect(printExpr(e)).toBe("%0 = mul(b0[a0], b0[a0]); add(%0, sqrt(%0))");
  });
});

describe("kernels", () => {
  test("a map", () => {
    expect(printKernel(mapKernel(4, (x) => op("add", [x, x])))).toMatchInlineSnapshot(`
      "nest map(b0: read f32[4], b1: write f32[4])
        rows a0<4
        phase 0
          b1[a0] = add(b0[a0], b0[a0])"
    `);
  });
  test("softmax: slots, row buffers, what statements share", () => {
    const text = printKernel(softmaxKernel(2, 3));
    expect(text.split("\n").slice(0, 8)).toMatchInlineSnapshot(`
      [
        "nest softmax(b0: read f32[6], b1: write f32[6])",
        "  rows a0<2",
        "  reduced a1<3",
        "  slot0: max f32 from -inf",
        "  slot1: add f32 from 0",
        "  keep0: f32",
        "  phase 0",
        "    slot0 <- b0[3*a0 + a1]",
      ]
    `);
    expect(text).toMatch(/ {4}(%\d+) = [^]*\n {4}keep0 = \1\n {4}slot1 <- \1\n/);
  });
  test("cumsum: running slots, what comes after", () => {
    expect(printKernel(cumsumKernel(2, 3))).toMatchInlineSnapshot(`
      "nest cumsum(b0: read f32[6], b1: write f32[6], b2: write f32[2])
        rows a0<2
        reduced a1<3
        slot0: running add f32 from 0
        phase 0
          slot0 <- b0[3*a0 + a1]
          b1[3*a0 + a1] = slot0
        after
          b2[a0] = slot0"
    `);
  });
  test("updates", () => {
    const u = axisIndex(0, 4);
    const k = nest({
      name: "scatter",
      buffers: [reads(4, "i32"), updates(4)],
      parallel: [4],
      sequential: true,
      phases: [
        {
          body: [
            {
              kind: "update",
              buffer: 1,
              index: valueIndex(load("i32", 0, u), 0, 3),
              value: c("f32", 1),
              combine: "add",
              when: op("lt", [load("i32", 0, u), c("i32", 3)]),
            },
          ],
          after: [],
        },
      ],
    });
    expect(printKernel(k)).toMatchInlineSnapshot(`
      "nest scatter(b0: read i32[4], b1: readwrite f32[4])
        rows a0<4 in order
        phase 0
          if lt(b0[a0], 3:i32): b1[{b0[a0] in 0..3}] add= 1:f32"
    `);
  });
  test("dots and sorts", () => {
    expect(printKernel(dotKernel(2, 3, 4))).toMatchInlineSnapshot(`
      "dot matmul(b0: read f32[6], b1: read f32[12], b2: write f32[8])
        f32 batch [], 2x3 by 3x4
        b0 at 0, batch [], row 3, col 1
        b1 at 0, batch [], row 4, col 1
        b2 at 0, batch [], row 4, col 1"
    `);
    expect(printKernel({ ...sortKernel(2, 5, 1), descending: true, count: 3 })).toContain(
      "  2 operands by the first 1, descending, first 3 of rows of 5 in [2, 5, 1]",
    );
    expect(printKernel(sortKernel(2, 5, 1))).toMatchInlineSnapshot(`
      "sort argsort(b0: read f32[10], b1: read i32[10], b2: write f32[10], b3: write i32[10])
        2 operands by the first 1, rows of 5 in [2, 5, 1]"
    `);
  });
});

describe("programs", () => {
  test("steps name their kernels and functions", () => {
    expect(printProgram(loopProgram())).toMatchInlineSnapshot(`
      "program doubling
      function main#0(in0: float32 4B, in1: float32 4B) -> (out0: float32 4B), arena 16B
        copy arena+0 = in1, 4 bytes
        arena+0 = while condition#1 do body#2 (consts in0)
        copy out0 = arena+0, 4 bytes
      function condition#1(in0: float32 4B, in1: float32 4B) -> (out0: bool 4B), arena 0B
        launch below#0(in0, in1, out0)
      function body#2(in0: float32 4B, in1: float32 4B) -> (out0: float32 4B), arena 0B
        launch map#1(in1, out0)
      nest below(b0: read f32[1], b1: read f32[1], b2: write bool[1])
        rows one
        phase 0
          b2[0] = lt(b1[0], b0[0])
      nest map(b0: read f32[1], b1: write f32[1])
        rows a0<1
        phase 0
          b1[0] = add(b0[0], b0[0])"
    `);
    expect(printProgram(twoStepProgram())).toContain("  launch map#0(in0, arena+0)\n  launch softmax#1(arena+0, out0)");
  });
});
