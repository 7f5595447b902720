import { describe, expect, test } from "vitest";
import { InternalError } from "../../src/core/errors.js";
import type { DeviceTraits } from "../../src/kernel-ir/backend.js";
import { add, axisIndex, type Index, lit, scale } from "../../src/kernel-ir/index-expr.js";
import { interpretKernel } from "../../src/kernel-ir/interpreter.js";
import type { DotKernel, Statement } from "../../src/kernel-ir/kernel.js";
import { printKernel } from "../../src/kernel-ir/printer.js";
import type { Program } from "../../src/kernel-ir/program.js";
import { constant, type Expr, keepRef, load, op, slotRef } from "../../src/kernel-ir/scalar.js";
import { verifyTraits } from "../../src/kernel-ir/verify-traits.js";
import { verifyKernel, verifyProgram } from "../../src/kernel-ir/verifier.js";
import {
  dotKernel,
  f32s,
  fn,
  input,
  mapKernel,
  output,
  reads,
  softmaxKernel,
  sortKernel,
  updates,
  writes,
} from "./kernels.js";

const f32 = (...x: number[]): Float32Array => new Float32Array(x);
const [rows, terms, cols] = [2, 3, 4];
const [i, j] = [axisIndex(0, rows), axisIndex(1, cols)];
const at = add(scale(i, cols), j);
const sum = slotRef("f32", 0);
const store = (buffer: number, value: Expr, index: Index = at): Statement => ({ kind: "store", buffer, index, value });

/** relu(lhs · rhs + bias), and where it is positive. */
const biased = op("add", [sum, load("f32", 3, j)]);
const layer: DotKernel = {
  ...dotKernel(rows, terms, cols),
  buffers: [reads(6), reads(12), writes(8), reads(4), writes(8, "bool")],
  epilogue: [store(2, op("max", [biased, constant("f32", 0)])), store(4, op("gt", [biased, constant("f32", 0)]))],
};
const withStores = (...epilogue: Statement[]): DotKernel => ({ ...layer, epilogue });

describe("products with epilogues", () => {
  test("are printed", () => {
    expect(printKernel(layer)).toMatchInlineSnapshot(`
      "dot matmul(b0: read f32[6], b1: read f32[12], b2: write f32[8], b3: read f32[4], b4: write bool[8])
        f32 batch [], 2x3 by 3x4
        b0 at 0, batch [], row 3, col 1
        b1 at 0, batch [], row 4, col 1
        then
          %0 = add(slot0, b3[a1])
          b2[4*a0 + a1] = max(%0, 0:f32)
          b4[4*a0 + a1] = gt(%0, 0:f32)"
    `);
  });

  test("compute from the sum and what they read at each point", () => {
    const out = new Float32Array(8);
    const positive = new Int32Array(8);
    verifyKernel(layer);
    interpretKernel(layer, [
      f32(1, 2, 3, 4, 5, 6),
      f32(1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1),
      out,
      f32(-2, 0, 0, -6),
      positive,
    ]);
    expect([...out]).toEqual([0, 2, 3, 0, 2, 5, 6, 9]);
    expect([...positive]).toEqual([0, 1, 1, 0, 1, 1, 1, 1]);
  });

  test("may write over what they read at the same point only", () => {
    const k: DotKernel = {
      ...dotKernel(2, 1, 2),
      buffers: [reads(2), reads(2), writes(4), reads(4)],
    };
    const own = add(scale(axisIndex(0, 2), 2), axisIndex(1, 2));
    const other = add(scale(axisIndex(1, 2), 2), axisIndex(0, 2));
    const x = f32(1, 2, 3, 4);
    const adding = (index: Index): DotKernel => ({
      ...k,
      epilogue: [store(2, op("add", [sum, load("f32", 3, index)]), own)],
    });
    interpretKernel(adding(own), [f32(1, 1), f32(10, 20), x, x]);
    expect([...x]).toEqual([11, 22, 13, 24]);
    expect(() => interpretKernel(adding(other), [f32(1, 1), f32(10, 20), x, x])).toThrow(/without an order/);
    const y = f32(1, 2, 3, 4);
    const square = { ...adding(own), k: 2, buffers: [reads(4), reads(4), writes(4), reads(4)] };
    const layout = { offset: 0, batch: [], row: 2, col: 1 };
    expect(() =>
      interpretKernel({ ...square, lhs: layout, rhs: layout }, [y, f32(1, 0, 0, 1), y, f32(0, 0, 0, 0)]),
    ).toThrow(/without an order/);
  });

  test("two points that store to one place", () => {
    const k = withStores(store(2, sum, j));
    expect(() =>
      interpretKernel(k, [
        f32(1, 2, 3, 4, 5, 6),
        new Float32Array(12),
        new Float32Array(8),
        f32(0, 0, 0, 0),
        new Int32Array(8),
      ]),
    ).toThrow(/without an order/);
  });

  test.each<[RegExp, DotKernel]>([
    [/an epilogue without statements/, withStores()],
    [/a statement that is no store/, withStores({ kind: "keep", keep: 0, value: sum })],
    [/an epilogue that stores to buffer 3/, withStores(store(3, sum))],
    [/an epilogue that stores to buffer 1/, withStores(store(1, sum))],
    [/a store of type f32 to buffer 4 of type bool/, withStores(store(4, sum))],
    [/a store outside of buffer 2/, withStores(store(2, sum, add(at, lit(1))))],
    [/an epilogue that loads from buffer 0/, withStores(store(2, load("f32", 0, lit(0))))],
    [/an epilogue that loads from buffer 9/, withStores(store(2, load("f32", 9, lit(0))))],
    [/a load from buffer 4, which is only written/, withStores(store(4, load("bool", 4, at)))],
    [/a load of type i32 from buffer 3 of type f32/, withStores(store(2, op("convert", [load("i32", 3, j)], "f32")))],
    [/a load outside of buffer 3/, withStores(store(2, load("f32", 3, at)))],
    [/reads slot 1 as f32/, withStores(store(2, slotRef("f32", 1)))],
    [/reads slot 0 as i32/, withStores(store(2, op("convert", [slotRef("i32", 0)], "f32")))],
    [/reads row buffer 0/, withStores(store(2, keepRef("f32", 0)))],
    [/an index with axis 2/, withStores(store(2, sum, axisIndex(2, 3)))],
    [/5 buffers where a dot without epilogue takes 3/, { ...dotKernel(2, 3, 4), buffers: layer.buffers }],
  ])("%s", (message, kernel) => {
    expect(() => verifyKernel(kernel)).toThrow(InternalError);
    expect(() => verifyKernel(kernel)).toThrow(message);
  });

  test("in programs, only what they store counts as written", () => {
    const program = (kernel: DotKernel): Program => ({
      name: "layer",
      kernels: [kernel],
      functions: [
        fn({
          name: "main",
          inputs: [f32s(6), f32s(12), f32s(4)],
          outputs: [f32s(8), { dtype: "bool", bytes: 32 }],
          steps: [{ kind: "launch", kernel: 0, args: [input(0), input(1), output(0), input(2), output(1)] }],
        }),
      ],
    });
    expect(() => verifyProgram(program(layer))).not.toThrow();
    expect(() => verifyProgram(program(withStores(layer.epilogue![1]!)))).toThrow(/output 0 is not written whole/);
  });
});

describe("traits of devices", () => {
  const traits: DeviceTraits = {
    maxBuffers: 3,
    maxKeepBytes: 16,
    arenaAlignment: 32,
    dotEpilogue: false,
    dearLaunches: true,
  };
  const main = fn({ name: "main", inputs: [], outputs: [], steps: [] });
  const check =
    (part: Partial<Program>, t: Partial<DeviceTraits> = {}) =>
    () =>
      verifyTraits({ name: "p", kernels: [], functions: [main], ...part }, { ...traits, ...t });
  const { buffers: _, ...plain } = dotKernel(2, 3, 4);
  const small: DotKernel = { ...plain, buffers: [reads(6), reads(12), updates(8)], epilogue: [store(2, sum)] };

  test("programs that keep to them pass", () => {
    expect(check({ kernels: [mapKernel(4, (x) => x), softmaxKernel(2, 4), dotKernel(2, 3, 4)] })).not.toThrow();
    expect(check({ kernels: [sortKernel(2, 5, 1)] })).not.toThrow();
    expect(check({ kernels: [layer] }, { dotEpilogue: true, maxBuffers: 5 })).not.toThrow();
  });
  test.each<[RegExp, () => void]>([
    [/kernel matmul has 5 buffers/, check({ kernels: [layer] }, { dotEpilogue: true })],
    [/kernel matmul has an epilogue/, check({ kernels: [small] })],
    [/kernel softmax has row buffers of 20 bytes/, check({ kernels: [softmaxKernel(2, 5)] })],
    [/function main has an arena of 16 bytes/, check({ functions: [{ ...main, arenaBytes: 16 }] })],
    [
      /function main has a temporary at 16/,
      check({
        functions: [
          {
            ...main,
            arenaBytes: 64,
            steps: [{ kind: "copy", from: { kind: "arena", offset: 0 }, to: { kind: "arena", offset: 16 }, bytes: 16 }],
          },
        ],
      }),
    ],
  ])("%s", (message, run) => expect(run).toThrow(message));
});
