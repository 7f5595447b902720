import { describe, expect, test } from "vitest";
import { aval, type HostArray } from "../../src/core/aval.js";
import { InternalError } from "../../src/core/errors.js";
import { add, addConst, axisIndex, clamp, lit, scale, sub, valueIndex } from "../../src/kernel-ir/index-expr.js";
import { evalExpr, interpretKernel, interpretProgram } from "../../src/kernel-ir/interpreter.js";
import type { NestKernel } from "../../src/kernel-ir/kernel.js";
import { c } from "../../src/kernel-ir/math/build.js";
import type { Program } from "../../src/kernel-ir/program.js";
import { indexValue, load, op, slotRef } from "../../src/kernel-ir/scalar.js";
import { verifyProgram } from "../../src/kernel-ir/verifier.js";
import {
  arena, cumsumKernel, dotKernel, f32s, fn, input, loopProgram, mapKernel, matrix, nest, output, reads, softmaxKernel, sortKernel, twoStepProgram,
  updates, writes,
} from "./kernels.js"; // prettier-ignore

const f32 = (...xs: number[]): Float32Array => new Float32Array(xs);
const twice = mapKernel(4, (x) => op("add", [x, x]));
/** What a kernel leaves in its last buffer. */
function last<T>(buffers: readonly T[]): T {
  return buffers[buffers.length - 1]!;
}

describe("expressions", () => {
  test("read what their context gives, shared nodes once", () => {
    let loads = 0;
    const x = load("f32", 0, lit(3));
    const e = op("add", [x, op("mul", [x, slotRef("f32", 1)])]);
    const value = evalExpr(e, { load: (b, i) => (loads++, b + i), slot: () => 10 });
    expect([value, loads]).toEqual([33, 1]);
  });
  test("say what they lack", () => {
    expect(() => evalExpr(slotRef("f32", 0))).toThrow(/reads a slot, which its context lacks/);
  });
  test("compute both sides of a select, so that broken preconditions show", () => {
    const i = c("i32", 1);
    expect(() => evalExpr(op("select", [c("bool", 1), i, op("div", [i, c("i32", 0)])]))).toThrow(InternalError);
  });
});

describe("nests", () => {
  test("a map", () => {
    const out = f32(0, 0, 0, 0);
    interpretKernel(twice, [f32(1, 2, 3, 4), out]);
    expect([...out]).toEqual([2, 4, 6, 8]);
  });
  test("three dependent phases with a row buffer: softmax", () => {
    const out = new Float32Array(6);
    interpretKernel(softmaxKernel(2, 3), [f32(1, 2, 3, 1000, 0, -1000), out]);
    expect([...out].map((x) => x.toFixed(6))).toEqual([
      "0.090031",
      "0.244728",
      "0.665241",
      "1.000000",
      "0.000000",
      "0.000000",
    ]);
  });
  test("a running slot and what comes after: cumsum", () => {
    const buffers = [f32(1, 2, 3, 4, 5, 6), new Float32Array(6), new Float32Array(2)];
    interpretKernel(cumsumKernel(2, 3), buffers);
    expect([[...buffers[1]!], [...buffers[2]!]]).toEqual([
      [1, 3, 6, 4, 9, 15],
      [6, 15],
    ]);
  });
  test("no reduced points: the initial value", () => {
    const buffers = [new Float32Array(0), new Float32Array(0), f32(7, 7)];
    interpretKernel(cumsumKernel(2, 0), buffers);
    expect([...buffers[2]!]).toEqual([0, 0]);
  });
  test("a sequential scatter with a guard and duplicates", () => {
    const u = axisIndex(0, 4);
    const place = load("i32", 1, u);
    const scatter = nest({
      name: "scatter",
      buffers: [reads(4), reads(4, "i32"), updates(3)],
      parallel: [4],
      sequential: true,
      phases: [
        {
          body: [
            {
              kind: "update",
              buffer: 2,
              index: clamp(valueIndex(place, -100, 100), 0, 2),
              value: load("f32", 0, u),
              combine: "add",
              when: op("lt", [place, c("i32", 3)]),
            },
          ],
          after: [],
        },
      ],
    });
    const out = f32(0, 0, 0);
    interpretKernel(scatter, [f32(1, 2, 3, 4), new Int32Array([0, 2, 0, 9]), out]);
    expect([...out]).toEqual([4, 0, 2]);
  });
  test("bool words and indices as values", () => {
    const i = axisIndex(0, 3);
    const k = nest({
      name: "compare",
      buffers: [writes(3, "bool")],
      parallel: [3],
      phases: [
        { body: [{ kind: "store", buffer: 0, index: i, value: op("gt", [indexValue(i), c("i32", 0)]) }], after: [] },
      ],
    });
    const out = new Int32Array(3);
    interpretKernel(k, [out]);
    expect([...out]).toEqual([0, 1, 1]);
  });
  test("in place where every read is at the write's own index", () => {
    const x = f32(1, 2, 3, 4);
    interpretKernel(twice, [x, x]);
    expect([...x]).toEqual([2, 4, 6, 8]);
  });
});

describe("what the interpreter finds", () => {
  const four = [f32(1, 2, 3, 4), f32(0, 0, 0, 0)] as const;
  const fails = (k: NestKernel, buffers: readonly (Float32Array | Int32Array)[], message: RegExp): void => {
    expect(() => interpretKernel(k, buffers)).toThrow(message);
    expect(() => interpretKernel(k, buffers)).toThrow(InternalError);
  };
  const i = axisIndex(0, 4);
  const storing = (parts: Partial<NestKernel>, index = i, at = i): NestKernel =>
    nest({
      name: "probe",
      buffers: [reads(4), writes(4)],
      parallel: [4],
      phases: [{ body: [{ kind: "store", buffer: 1, index, value: load("f32", 0, at) }], after: [] }],
      ...parts,
    });

  test("reads and writes out of bounds, with kernel, buffer and element", () => {
    fails(
      storing({}, i, addConst(i, 1)),
      four,
      /kernel probe, buffer 0, element 4: read, out of bounds of its 4 elements/,
    );
    fails(storing({}, addConst(i, -1)), four, /kernel probe, buffer 1, element -1: written, out of bounds/);
    fails(storing({ buffers: [reads(3), writes(4)] }), four, /buffer 0, element 3: read, out of bounds of its 3/);
  });
  test("the point at which it happened", () => {
    fails(storing({}, i, addConst(i, 1)), four, /point +\[3\]/);
  });
  test("access modes", () => {
    fails(storing({ buffers: [writes(4), writes(4)] }), four, /buffer 0, element 0: read, but only to be written/);
    fails(storing({ buffers: [reads(4), reads(4)] }), four, /buffer 1, element 0: written, but only to be read/);
  });
  test("two rows that write one element", () => {
    fails(storing({}, lit(0)), four, /buffer 1, element 0: written at one point and written at another/);
  });
  test("a row that reads what another writes, before or after it: x + flip(x) in place", () => {
    const flipped = storing({}, i, sub(lit(3), i));
    interpretKernel(flipped, four);
    const x = f32(1, 2, 3, 4);
    fails(flipped, [x, x], /element \d: (read|written) at one point and (written|read) at another/);
  });
  test("many readers of one element, then a writer", () => {
    const k = storing({
      buffers: [updates(4), writes(4)],
      phases: [
        {
          body: [
            { kind: "store", buffer: 1, index: i, value: load("f32", 0, lit(3)) },
            { kind: "store", buffer: 0, index: i, value: c("f32", 0) },
          ],
          after: [],
        },
      ],
    });
    fails(k, four, /buffer 0, element 3: written at one point and read at another/);
  });
  test("points of one phase have no order, phases have", () => {
    const row = axisIndex(0, 2);
    const r = axisIndex(1, 2);
    const at = add(scale(row, 2), r);
    const swapped = add(scale(row, 2), sub(lit(1), r));
    const store = (index: typeof at) => ({ kind: "store", buffer: 0, index, value: load("f32", 0, swapped) }) as const;
    const base = { name: "rows", buffers: [updates(4)], parallel: [2], reduced: [2] };
    const slots = [{ type: "f32", initial: 0, combine: "add", running: false }] as const;
    // Reads all of the row in one phase, writes it in the next.
    const sum = { body: [{ kind: "accumulate", slot: 0, value: load("f32", 0, swapped) }], after: [] } as const;
    const write = { body: [{ kind: "store", buffer: 0, index: at, value: slotRef("f32", 0) }], after: [] } as const;
    const x = f32(1, 2, 3, 4);
    interpretKernel(nest({ ...base, slots, phases: [sum, write] }), [x]);
    expect([...x]).toEqual([3, 3, 7, 7]);
    fails(
      nest({ ...base, phases: [{ body: [store(at)], after: [] }] }),
      [f32(1, 2, 3, 4)],
      /without an order between them/,
    );
  });
  test("two stores of one point to one place", () => {
    const body = [
      { kind: "store", buffer: 1, index: i, value: c("f32", 1) },
      { kind: "store", buffer: 1, index: i, value: c("f32", 2) },
    ] as const;
    fails(storing({ phases: [{ body, after: [] }] }), four, /written at one point and written/);
  });
  test("an update in a nest without order", () => {
    const body = [{ kind: "update", buffer: 1, index: i, value: c("f32", 1), combine: null, when: null }] as const;
    fails(storing({ phases: [{ body, after: [] }] }), four, /not sequential/);
  });
  test("broken preconditions and indices that lie about their range", () => {
    const divide = nest({
      name: "divide",
      buffers: [reads(4, "i32"), writes(4, "i32")],
      parallel: [4],
      phases: [
        {
          body: [{ kind: "store", buffer: 1, index: i, value: op("div", [c("i32", 1), load("i32", 0, i)]) }],
          after: [],
        },
      ],
    });
    fails(divide, [new Int32Array([1, 2, 0, 4]), new Int32Array(4)], /div by zero[^]*kernel +divide[^]*point +\[2\]/);
    const gather = storing({ buffers: [reads(4), writes(4), reads(4, "i32")] }, i, valueIndex(load("i32", 2, i), 0, 3));
    fails(gather, [...four, new Int32Array([0, 1, 2, 4])], /index .* is 4, out of its own range \[0, 3\]/);
  });
  test("a number of buffers that is not the kernel's", () => {
    fails(twice, [f32(1)], /takes 2 buffers, not 1/);
    fails(twice, [f32(1, 2), f32(1, 2, 3, 4)], /buffer 0: 4 elements of f32 in a range of 8 bytes/);
  });
});

describe("dots and sorts", () => {
  test("a product of matrices", () => {
    const out = new Float32Array(4);
    interpretKernel(dotKernel(2, 3, 2), [f32(1, 2, 3, 4, 5, 6), f32(1, 0, 0, 1, 1, 1), out]);
    expect([...out]).toEqual([4, 5, 10, 11]);
  });
  test("transposed and batched layouts; no terms give zeros", () => {
    const k = { ...dotKernel(2, 2, 1), batch: [2], buffers: [reads(4), reads(4), writes(4)] };
    const out = new Float32Array(4);
    const layouts = {
      lhs: { ...matrix(1), batch: [0], col: 2 },
      rhs: { ...matrix(1), batch: [2] },
      out: { ...matrix(1), batch: [2] },
    };
    interpretKernel({ ...k, ...layouts }, [f32(1, 2, 3, 4), f32(1, 0, 0, 1), out]);
    expect([...out]).toEqual([1, 2, 3, 4]);
    interpretKernel({ ...k, ...layouts, k: 0 }, [f32(1, 2, 3, 4), f32(1, 0, 0, 1), out]);
    expect([...out]).toEqual([0, 0, 0, 0]);
  });
  test("a dot over its own operand", () => {
    const x = f32(1, 2, 3, 4);
    expect(() => interpretKernel(dotKernel(2, 2, 2), [x, f32(1, 0, 0, 1), x])).toThrow(/without an order/);
  });
  test("sorts along the middle, stably, NaN last, −0 equal to 0", () => {
    const keys = f32(NaN, 3, 0, 1, -0, 2, 0, 3);
    const out = [new Float32Array(8), new Int32Array(8)] as const;
    interpretKernel(sortKernel(1, 4, 2), [keys, new Int32Array([0, 0, 1, 1, 2, 2, 3, 3]), ...out]);
    expect([...out[0]]).toEqual([0, 1, -0, 2, 0, 3, NaN, 3]);
    expect([...out[1]]).toEqual([1, 1, 2, 2, 3, 0, 0, 3]);
    const few = [new Float32Array(4), new Int32Array(4)] as const;
    const whole = sortKernel(1, 4, 2);
    const buffers = [...whole.buffers.slice(0, 2), writes(4), writes(4, "i32")];
    const kernel = { ...whole, buffers, descending: true, count: 2 };
    interpretKernel(kernel, [keys, new Int32Array([0, 0, 1, 1, 2, 2, 3, 3]), ...few]);
    expect([...few[0]]).toEqual([NaN, 3, 0, 3]);
    expect([...few[1]]).toEqual([0, 0, 1, 3]);
  });
  test("a sort over its own operand", () => {
    const x = f32(3, 1, 2);
    const i = new Int32Array(3);
    expect(() => interpretKernel(sortKernel(1, 3, 1), [x, i, x, new Int32Array(3)])).toThrow(/without an order/);
  });
});

describe("programs", () => {
  test("launches through the arena", () => {
    const [y] = interpretProgram(twoStepProgram(), [f32(0.5, 1, 1.5, 500, 0, -500)]);
    expect(y!.length).toBe(6);
    expect([...y!].map((x) => Number(x).toFixed(6))).toEqual([
      "0.090031",
      "0.244728",
      "0.665241",
      "1.000000",
      "0.000000",
      "0.000000",
    ]);
  });
  test("loops with constants and state", () => {
    expect(interpretProgram(loopProgram(), [f32(100), f32(3)]).map((a) => [...a])).toEqual([[192]]);
    expect(interpretProgram(loopProgram(), [f32(100), f32(300)]).map((a) => [...a])).toEqual([[300]]);
  });
  test("branches, calls, and outputs that are inputs", () => {
    const program = {
      name: "branch",
      kernels: [twice],
      functions: [
        fn({
          name: "main",
          inputs: [{ dtype: "bool", bytes: 4 }, f32s(4)],
          outputs: [f32s(4), f32s(4)],
          outputIsInput: [null, 1],
          steps: [{ kind: "if", index: input(0), branches: [2, 1], inputs: [input(1)], outputs: [output(0)] }],
        }),
        fn({
          name: "twice",
          inputs: [f32s(4)],
          outputs: [f32s(4)],
          arenaBytes: 16,
          steps: [
            { kind: "launch", kernel: 0, args: [input(0), arena(0)] },
            { kind: "copy", from: arena(0), to: output(0), bytes: 16 },
          ],
        }),
        fn({ name: "same", inputs: [f32s(4)], outputs: [f32s(4)], outputIsInput: [0], steps: [] }),
      ],
    } as const;
    const x = f32(1, 2, 3, 4);
    expect(interpretProgram(program, [new Int32Array([1]), x]).map((a) => [...a])).toEqual([
      [2, 4, 6, 8],
      [1, 2, 3, 4],
    ]);
    expect(interpretProgram(program, [new Int32Array([0]), x]).map((a) => [...a])).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });
  test("callbacks", () => {
    const negate = ([x]: readonly HostArray[]): readonly HostArray[] => [
      { aval: x!.aval, data: x!.data.map((v) => -v) },
    ];
    const program: Program = {
      name: "host",
      kernels: [],
      callbacks: [{ name: "negate", inputs: [aval([1], "float32")], outputs: [aval([1], "float32")], call: negate }],
      functions: [
        fn({
          name: "main",
          inputs: [f32s(1)],
          outputs: [f32s(1)],
          steps: [{ kind: "callback", callback: 0, inputs: [input(0)], outputs: [output(0)] }],
        }),
      ],
    };
    verifyProgram(program);
    expect(interpretProgram(program, [f32(3)]).map((a) => [...a])).toEqual([[-3]]);
    expect(() => interpretProgram({ ...program, callbacks: [] }, [f32(3)])).toThrow(/has no callback 0/);
  });
  test("arena that nothing wrote, also by a call before", () => {
    const broken = (steps: Parameters<typeof fn>[0]["steps"]) => ({
      ...twoStepProgram(),
      functions: [fn({ ...twoStepProgram().functions[0]!, steps })],
    });
    const [first, second] = twoStepProgram().functions[0]!.steps as readonly [never, never];
    expect(() => interpretProgram(broken([second]), [f32(1, 2, 3, 4, 5, 6)])).toThrow(/read, but nothing wrote it/);
    expect(() => interpretProgram(broken([first]), [f32(1, 2, 3, 4, 5, 6)])).toThrow(/output 0: not written whole/);
  });
  test("inputs of the wrong size or number", () => {
    expect(() => interpretProgram(twoStepProgram(), [])).toThrow(/takes 1 inputs, not 0/);
    expect(() => interpretProgram(twoStepProgram(), [f32(1)])).toThrow(/input 0: 4 bytes where 24 are needed/);
  });
  test("inputs stay what they are", () => {
    const x = f32(1, 2, 3, 4, 5, 6);
    interpretProgram(twoStepProgram(), [x]);
    expect([...x]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(last(interpretProgram(twoStepProgram(), [x])).buffer).not.toBe(x.buffer);
  });
});
