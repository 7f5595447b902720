import { describe, expect, test } from "vitest";
import { InternalError } from "../../src/core/errors.js";
import { add, addConst, axisIndex, lit, scale, valueIndex } from "../../src/kernel-ir/index-expr.js";
import type { Kernel, NestKernel, Statement } from "../../src/kernel-ir/kernel.js";
import { c } from "../../src/kernel-ir/math/build.js";
import * as math from "../../src/kernel-ir/math/index.js";
import type { Program, ProgramFunction } from "../../src/kernel-ir/program.js";
import { type Expr, keepRef, load, op, type ScalarType, slotRef } from "../../src/kernel-ir/scalar.js";
import { verifyKernel, verifyProgram } from "../../src/kernel-ir/verifier.js";
import {
  arena, cumsumKernel, dotKernel, f32s, fn, input, loopProgram, mapKernel, matrix, nest, output, reads, softmaxKernel, sortKernel, twoStepProgram,
  updates, writes,
} from "./kernels.js"; // prettier-ignore

const i = axisIndex(0, 4);
const x = load("f32", 0, i);

function fails(kernel: Kernel, message: RegExp): void {
  expect(() => verifyKernel(kernel)).toThrow(InternalError);
  expect(() => verifyKernel(kernel)).toThrow(message);
}
const mapping = (value: Expr, parts: Partial<NestKernel> = {}): NestKernel => ({
  ...mapKernel(4, () => value),
  ...parts,
});

describe("kernels that are right", () => {
  test.each<Kernel>([
    mapKernel(4, math.sin),
    softmaxKernel(2, 3),
    cumsumKernel(2, 3),
    cumsumKernel(0, 3),
    dotKernel(2, 3, 4),
    dotKernel(2, 0, 4),
    sortKernel(2, 5, 3),
  ])("%# pass", (kernel) => expect(() => verifyKernel(kernel)).not.toThrow());
  test.each(["f32", "f64"] as const)("all scalar math of %s is well typed", (type) => {
    const y = load(type, 0, i);
    for (const [name, f] of Object.entries(math)) {
      if (
        ["threefry2x32", "uniformFromBits32", "uniformFromBits64", "floorDivide", "floorRemainder"].includes(name) ||
        name.startsWith("shift")
      )
        continue;
      const extra = name === "integerPow" || name === "polygamma" ? [3] : name === "reducePrecision" ? [5, 10] : [y];
      const value = (f as (a: Expr, ...rest: unknown[]) => Expr)(y, ...extra);
      const kernel = nest({
        name,
        buffers: [reads(4, type), writes(4, value.type as Exclude<ScalarType, "i64">)],
        parallel: [4],
        phases: [{ body: [{ kind: "store", buffer: 1, index: i, value }], after: [] }],
      });
      expect(() => verifyKernel(kernel), name).not.toThrow();
    }
  });
  test.each(["i32", "u32"] as const)("integer helpers of %s are well typed", (type) => {
    const y = load(type, 0, i);
    for (const f of [
      math.div,
      math.rem,
      math.floorDivide,
      math.floorRemainder,
      math.shiftLeft,
      math.shiftRightArithmetic,
      math.shiftRightLogical,
    ]) {
      const kernel = mapping(f(y, y), { buffers: [reads(4, type), writes(4, type)] });
      expect(() => verifyKernel(kernel)).not.toThrow();
    }
  });
});

describe("expressions", () => {
  test.each<[RegExp, Expr]>([
    [/operands of types f32, i32[^]*add\(b0\[a0\], 1:i32\)/, op("add", [x, c("i32", 1)])],
    [/no rem of f32 to f32/, op("rem", [x, x])],
    [/1 operands where add takes 2/, op("add", [x])],
    [/a condition of type f32/, op("select", [x, x, x])],
    [/a result of type f32 where it is bool/, { ...op("lt", [x, x]), type: "f32" }],
    [/no bitcast of f32 to f64/, op("bitcast", [x], "f64")],
    [/a constant of type i64 that is a number/, op("convert", [{ kind: "const", type: "i64", value: 3 }], "f32")],
    [/no convert of i64 to f32/, op("convert", [c("i64", 3n)], "f32")],
    [/type f32 as an index/, load("f32", 0, valueIndex(x, 0, 3))],
    [/an index with axis 1 up to 2/, load("f32", 0, axisIndex(1, 3))],
    [/an index with axis 0 up to 7[^]*\[4\]/, load("f32", 0, axisIndex(0, 8))],
  ])("%s", (message, value) => fails(mapping(value), message));
});

describe("buffers", () => {
  test.each<[RegExp, NestKernel]>([
    [/a load outside of buffer 0[^]*a0 \+ 1[^]*\[1, 4\][^]*4/, mapping(load("f32", 0, addConst(i, 1)))],
    [/a load of type i32 from buffer 0 of type f32/, mapping(load("i32", 0, i))],
    [/a load from buffer 7 of 2/, mapping(load("f32", 7, i))],
    [/a load from buffer 1, which is only written/, mapping(load("f32", 1, i))],
    [/a store of type bool to buffer 1 of type f32/, mapping(op("lt", [x, x]))],
    [/a store to buffer 1, which is only read/, mapping(x, { buffers: [reads(4), reads(4)] })],
    [/a store outside of buffer 1/, mapping(x, { buffers: [reads(4), writes(3)] })],
    [/buffer 0 has -1 elements/, mapping(x, { buffers: [reads(-1), writes(4)] })],
    [/buffer 0 is of type i64/, mapping(x, { buffers: [reads(4, "i64" as never), writes(4)] })],
    [/extents \[1.5\]/, mapping(x, { parallel: [1.5] })],
    [/no phases/, mapping(x, { phases: [] })],
  ])("%s", (message, kernel) => fails(kernel, message));
  test("an empty domain touches nothing", () => {
    expect(() => verifyKernel(mapping(load("f32", 0, addConst(i, 100)), { parallel: [4, 0] }))).not.toThrow();
  });
  test("the faulty statement is printed", () => {
    fails(mapping(load("f32", 0, addConst(i, 1))), /kernel map: [^]*statement +b1\[a0\] = b0\[a0 \+ 1\]/);
  });
});

describe("slots, row buffers and phases", () => {
  const r = add(scale(axisIndex(0, 2), 3), axisIndex(1, 3));
  const v = load("f32", 0, r);
  const slot = { type: "f32", initial: 0, combine: "add", running: false } as const;
  const row = (phases: NestKernel["phases"], parts: Partial<NestKernel> = {}): NestKernel =>
    nest({
      name: "row",
      buffers: [reads(6), writes(6)],
      parallel: [2],
      reduced: [3],
      slots: [slot],
      keeps: ["f32"],
      phases,
      ...parts,
    });
  const body = (...statements: Statement[]) => ({ body: statements, after: [] });
  const sum: Statement = { kind: "accumulate", slot: 0, value: v };
  const store = (value: Expr): Statement => ({ kind: "store", buffer: 1, index: r, value });

  test.each<[RegExp, NestKernel]>([
    [/slot 0 is read before it is finished/, row([body(sum, store(slotRef("f32", 0)))])],
    [/slot 0 is read before it is finished/, row([body(store(slotRef("f32", 0)))])],
    [
      /slot 0 is read before it is finished/,
      row([body(store(slotRef("f32", 0)), sum)], { slots: [{ ...slot, running: true }] }),
    ],
    [/slot 1 of 1 is read/, row([body(sum), body(store(slotRef("f32", 1)))])],
    [/slot 0 of type f32 is read as i32/, row([body(sum), body(store(op("convert", [slotRef("i32", 0)], "f32")))])],
    [/slot 0 is accumulated by two statements/, row([body(sum), body(sum)])],
    [/slot 0 of type i32 takes f32/, row([body(sum)], { slots: [{ ...slot, type: "i32" }] })],
    [/slot 0 combines f32 by xor/, row([body(sum)], { slots: [{ ...slot, combine: "xor" }] })],
    [/slot 0 is of type i64/, row([body(sum)], { slots: [{ ...slot, type: "i64" }] })],
    [/row buffer 0 is read before a phase filled it/, row([body(store(keepRef("f32", 0)))])],
    [
      /row buffer 0 is read before a phase filled it/,
      row([body({ kind: "keep", keep: 0, value: v }, store(keepRef("f32", 0)))]),
    ],
    [
      /row buffer 0 is filled twice/,
      row([body({ kind: "keep", keep: 0, value: v }), body({ kind: "keep", keep: 0, value: v })]),
    ],
    [/row buffer 3 of type none takes f32/, row([body({ kind: "keep", keep: 3, value: v })])],
    [/row buffer 0 is of type i64/, row([body(sum)], { keeps: ["i64"] })],
    [/a statement after a phase that is no store/, row([{ body: [], after: [sum] }])],
    [/an index with axis 1/, row([{ body: [sum], after: [store(c("f32", 0))] }])],
  ])("%s", (message, kernel) => fails(kernel, message));

  test("running slots may be read behind their statement, finished ones afterwards", () => {
    expect(() =>
      verifyKernel(row([body(sum, store(slotRef("f32", 0)))], { slots: [{ ...slot, running: true }] })),
    ).not.toThrow();
    const after: Statement = { kind: "store", buffer: 1, index: axisIndex(0, 2), value: slotRef("f32", 0) };
    expect(() => verifyKernel(row([{ body: [sum], after: [after] }]))).not.toThrow();
  });
});

describe("updates", () => {
  const update = (
    parts: Partial<Extract<Statement, { kind: "update" }>> = {},
    kernel: Partial<NestKernel> = {},
  ): NestKernel =>
    mapping(x, {
      buffers: [reads(4), updates(4)],
      sequential: true,
      phases: [
        { body: [{ kind: "update", buffer: 1, index: i, value: x, combine: "add", when: null, ...parts }], after: [] },
      ],
      ...kernel,
    });
  test("of sequential nests, into buffers that are read and written", () => {
    expect(() => verifyKernel(update())).not.toThrow();
    expect(() => verifyKernel(update({ combine: null }, { buffers: [reads(4), writes(4)] }))).not.toThrow();
    fails(update({}, { sequential: false }), /not sequential/);
    fails(update({}, { buffers: [reads(4), writes(4)] }), /an update of buffer 1, which is only written/);
    fails(update({ combine: "and" }), /no and of f32/);
    fails(update({ when: x }), /a condition of type f32/);
  });
});

describe("dots and sorts", () => {
  const dot = dotKernel(2, 3, 4);
  const sort = sortKernel(2, 5, 3);
  test.each<[RegExp, Kernel]>([
    [/lhs lies in \[0, 5\] of a buffer of 5/, { ...dot, buffers: [reads(5), reads(12), writes(8)] }],
    [/rhs of type f64 in a dot of f32/, { ...dot, buffers: [reads(6), reads(12, "f64"), writes(8)] }],
    [/out with access read/, { ...dot, buffers: [reads(6), reads(12), reads(8)] }],
    [/lhs with 0 batch strides for 1 axes/, { ...dot, batch: [2] }],
    [/out's strides place two elements at one/, { ...dot, out: matrix(3) }],
    [/2 buffers where a dot takes 3/, { ...dot, buffers: [reads(6), reads(12)] }],
    [/3 buffers for 2 operands/, { ...sort, buffers: sort.buffers.slice(1) }],
    [
      /operand 0 of type f32 is written as i32/,
      { ...sort, buffers: [sort.buffers[0]!, sort.buffers[1]!, sort.buffers[3]!, sort.buffers[2]!] },
    ],
    [/3 keys of 2 operands/, { ...sort, numKeys: 3 }],
    [/the first 6 of 5/, { ...sort, count: 6 }],
    [/operand 0 has 30 and 30 elements/, { ...sort, outer: 3 }],
  ])("%s", (message, kernel) => fails(kernel, message));
});

describe("programs", () => {
  const good = twoStepProgram();
  const main = good.functions[0]!;
  const changed = (parts: Partial<ProgramFunction>): Program => ({ ...good, functions: [{ ...main, ...parts }] });
  const [first, second] = main.steps as readonly [ProgramFunction["steps"][number], ProgramFunction["steps"][number]];
  const launch = (kernel: number, ...args: ReturnType<typeof arena | typeof input | typeof output>[]) =>
    ({ kind: "launch", kernel, args }) as const;

  test("that are right pass", () => {
    expect(() => verifyProgram(good)).not.toThrow();
    expect(() => verifyProgram(loopProgram())).not.toThrow();
  });
  test.each<[RegExp, Program]>([
    [/24 bytes at arena 0 are read before they are written[^]*launch softmax#1/, changed({ steps: [second] })],
    [/output 0 is not written whole/, changed({ steps: [first] })],
    [/an arena of 24 bytes/, changed({ arenaBytes: 24 })],
    [/24 bytes at arena offset 0 of 16/, changed({ arenaBytes: 16 })],
    [/arena offset 4 is no multiple of 16/, changed({ steps: [launch(0, input(0), arena(4)), second] })],
    [/input 0 is written/, changed({ steps: [launch(0, input(0), input(0)), second] })],
    [/there is no input 3/, changed({ steps: [launch(0, input(3), arena(0)), second] })],
    [/there is no kernel 9/, changed({ steps: [launch(9, input(0)), second] })],
    [/1 arguments for 2 buffers/, changed({ steps: [launch(0, input(0)), second] })],
    [/24 bytes of input 0, which has 8/, changed({ inputs: [f32s(2)] })],
    [/outputIsInput has 0 entries for 1 outputs/, changed({ outputIsInput: [] })],
    [/outputIsInput\[0\] names input 4 of 1/, changed({ outputIsInput: [4] })],
    [
      /outputReusesInput\[0\]: input 0 has 24 bytes, the output 32/,
      changed({ outputs: [f32s(8)], outputReusesInput: [0] }),
    ],
    [
      /input 0 is read after an output took its storage/,
      changed({ outputReusesInput: [0], steps: [launch(0, input(0), output(0)), launch(0, input(0), arena(0))] }),
    ],
    [
      /function main calls itself/,
      changed({ steps: [{ kind: "call", fn: 0, inputs: [input(0)], outputs: [output(0)] }] }),
    ],
    [/calls function 5 of 1/, changed({ steps: [{ kind: "call", fn: 5, inputs: [], outputs: [] }] })],
    [/kernel map: a load outside/, { ...good, kernels: [mapping(load("f32", 0, lit(4))), good.kernels[1]!] }],
    [/has no functions/, { ...good, functions: [] }],
  ])("%s", (message, program) => {
    expect(() => verifyProgram(program)).toThrow(InternalError);
    expect(() => verifyProgram(program)).toThrow(message);
  });
  test("dots and sorts lie apart from their operands", () => {
    const square: Program = {
      name: "square",
      kernels: [dotKernel(2, 2, 2)],
      functions: [
        fn({
          name: "main",
          inputs: [f32s(4)],
          outputs: [f32s(4)],
          arenaBytes: 16,
          steps: [
            { kind: "copy", from: input(0), to: arena(0), bytes: 16 },
            launch(0, arena(0), input(0), arena(0)),
            { kind: "copy", from: arena(0), to: output(0), bytes: 16 },
          ],
        }),
      ],
    };
    expect(() => verifyProgram(square)).toThrow(/arguments 2 and 0 of a dot overlap/);
  });
  test("calls and loops match what they call", () => {
    const loop = loopProgram();
    const [entry, condition, step] = loop.functions as readonly [ProgramFunction, ProgramFunction, ProgramFunction];
    const broken =
      (...functions: ProgramFunction[]): (() => void) =>
      () =>
        verifyProgram({ ...loop, functions });
    expect(
      broken(entry, { ...condition, outputs: [], outputIsInput: [], outputReusesInput: [], steps: [] }, step),
    ).toThrow(/condition condition has no one bool/);
    expect(broken(entry, condition, { ...step, inputs: [f32s(1)], steps: [launch(1, input(0), output(0))] })).toThrow(
      /body has 1 inputs where 2 come/,
    );
    const call: ProgramFunction = {
      ...entry,
      steps: [{ kind: "call", fn: 2, inputs: [input(0)], outputs: [output(0)] }],
    };
    expect(broken(call, condition, step)).toThrow(/1 inputs and 1 outputs for body, which has 2 and 1/);
  });
});
