import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import { DeviceError } from "../../../src/core/errors.js";
import type { Backend, DeviceBuffer, ScalarInput } from "../../../src/kernel-ir/backend.js";
import { axisIndex, lit } from "../../../src/kernel-ir/index-expr.js";
import type { DotKernel, Kernel, NestKernel, SortKernel } from "../../../src/kernel-ir/kernel.js";
import type { BufferRef, BufferType, Program, ProgramFunction, Step } from "../../../src/kernel-ir/program.js";
import { constant, load, op, type ScalarOp, slotRef } from "../../../src/kernel-ir/scalar.js";
import { accumulate, buffer, nest, phase, slot, store } from "./build.js";

const f32s = (n: number): BufferType => ({ dtype: "float32", bytes: 4 * n });
const i32s = (n: number): BufferType => ({ dtype: "int32", bytes: 4 * n });
const bools = (n: number): BufferType => ({ dtype: "bool", bytes: 4 * n });
const input = (index: number): BufferRef => ({ kind: "input", index });
const output = (index: number): BufferRef => ({ kind: "output", index });
const arena = (offset: number): BufferRef => ({ kind: "arena", offset });
const launch = (kernel: number, ...args: readonly BufferRef[]): Step => ({ kind: "launch", kernel, args });

/** out = a op b over n elements; `b` may be one element. */
function binary(name: ScalarOp, n: number, bLength = n): NestKernel {
  const i = axisIndex(0, n);
  const b = bLength === 1 ? lit(0) : i;
  return nest(name, {
    buffers: [buffer("f32", "read", n), buffer("f32", "read", bLength), buffer("f32", "write", n)],
    parallel: [n],
    phases: [phase([store(2, i, op(name, [load("f32", 0, i), load("f32", 1, b)]))])],
  });
}

function fn(
  name: string,
  inputs: readonly BufferType[],
  outputs: readonly BufferType[],
  arenaBytes: number,
  steps: readonly Step[],
  isInput?: readonly (number | null)[],
): ProgramFunction {
  return {
    name,
    inputs,
    outputs,
    arenaBytes,
    steps,
    outputIsInput: isInput ?? outputs.map(() => null),
    outputReusesInput: outputs.map(() => null),
  };
}
const programOf = (kernels: readonly Kernel[], ...functions: readonly ProgramFunction[]): Program => ({
  name: functions[0]!.name,
  kernels,
  functions,
});

/** Uploads, runs and reads. */
function call(
  backend: Backend,
  program: Program,
  inputs: readonly (TypedArray | ScalarInput)[],
  outputs: readonly TypedArray[],
  generic = false,
): TypedArray[] {
  const executable = backend.compile(program, { generic });
  const args = inputs.map((x): DeviceBuffer | ScalarInput => {
    if (!ArrayBuffer.isView(x)) return x;
    const b = backend.allocate(x.byteLength);
    backend.write(b, x);
    return b;
  });
  const outs = outputs.map((o) => backend.allocate(o.byteLength));
  executable.run(args, outs);
  outputs.forEach((o, k) => backend.readSync!(outs[k]!, o));
  for (const b of [...args, ...outs]) if (!("scalar" in b)) backend.free(b);
  return [...outputs];
}

const scalar = (value: number, dtype: DType = "float32"): ScalarInput => ({ scalar: value, dtype });
const filled = (n: number, f: (i: number) => number): Float32Array => Float32Array.from({ length: n }, (_, i) => f(i));

describe.each([false, true])("programs, generic %s", (generic) => {
  test("steps over inputs, temporaries and outputs", () => {
    const n = 1000;
    // (a + b) · a, with the sum in the arena
    const p = programOf(
      [binary("add", n), binary("mul", n)],
      fn("main", [f32s(n), f32s(n)], [f32s(n)], 4096, [
        launch(0, input(0), input(1), arena(64)),
        launch(1, arena(64), input(0), output(0)),
      ]),
    );
    const [out] = call(
      createWasmBackend(),
      p,
      [filled(n, (i) => i), filled(n, () => 2)],
      [new Float32Array(n)],
      generic,
    );
    expect([...out!]).toEqual([...filled(n, (i) => (i + 2) * i)]);
  });

  test("scalar operands of every dtype are passed with the call", () => {
    const p = programOf(
      [binary("add", 5, 1)],
      fn("main", [f32s(5), f32s(1)], [f32s(5)], 0, [launch(0, input(0), input(1), output(0))]),
    );
    const [out] = call(createWasmBackend(), p, [filled(5, (i) => i), scalar(0.5)], [new Float32Array(5)], generic);
    expect([...out!]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
    for (const [dtype, type, value] of [
      ["float64", "f64", 0.1],
      ["int32", "i32", -7],
      ["uint32", "u32", 4294967295],
      ["bool", "bool", 1],
    ] as const) {
      const kernel = nest("copy", {
        buffers: [buffer(type, "read", 1), buffer(type, "write", 1)],
        phases: [phase([store(1, lit(0), load(type, 0, lit(0)))])],
      });
      const data = type === "f64" ? new Float64Array(1) : type === "u32" ? new Uint32Array(1) : new Int32Array(1);
      const q = programOf(
        [kernel],
        fn("main", [{ dtype, bytes: data.byteLength }], [{ dtype, bytes: data.byteLength }], 0, [
          launch(0, input(0), output(0)),
        ]),
      );
      expect(call(createWasmBackend(), q, [scalar(value, dtype)], [data], generic)[0]![0]).toBe(value);
    }
  });

  test("more than 64K rows and long rows are launched in chunks", () => {
    const n = 200_003;
    const p = programOf(
      [binary("add", n)],
      fn("main", [f32s(n), f32s(n)], [f32s(n)], 0, [launch(0, input(0), input(1), output(0))]),
    );
    const [out] = call(
      createWasmBackend(),
      p,
      [filled(n, (i) => i), filled(n, (i) => -i)],
      [new Float32Array(n).fill(1)],
      generic,
    );
    expect(out!.every((x) => x === 0)).toBe(true);
  });

  test("calls, and results that are operands", () => {
    const n = 8;
    // inner(a, b) = (a + b, a, b·b)
    const inner = fn(
      "inner",
      [f32s(n), f32s(n)],
      [f32s(n), f32s(n), f32s(n)],
      64,
      [
        launch(0, input(0), input(1), output(0)),
        launch(1, input(1), input(1), arena(0)),
        { kind: "copy", from: arena(0), to: output(2), bytes: 4 * n },
      ],
      [null, 0, null],
    );
    const main = fn("main", [f32s(n), f32s(n)], [f32s(n), f32s(n), f32s(n)], 128, [
      { kind: "call", fn: 1, inputs: [input(0), input(1)], outputs: [arena(0), output(1), arena(64)] },
      { kind: "call", fn: 1, inputs: [arena(0), arena(64)], outputs: [output(0), arena(0), output(2)] },
    ]);
    const [a, b, c] = call(
      createWasmBackend(),
      programOf([binary("add", n), binary("mul", n)], main, inner),
      [filled(n, (i) => i), filled(n, () => 3)],
      [new Float32Array(n), new Float32Array(n), new Float32Array(n)],
      generic,
    );
    expect([...a!]).toEqual([...filled(n, (i) => i + 12)]);
    expect([...b!]).toEqual([...filled(n, (i) => i)]);
    expect([...c!]).toEqual([...filled(n, () => 81)]);
  });

  test("if runs one of two functions", () => {
    const n = 6;
    const plus = fn("plus", [f32s(n), f32s(n)], [f32s(n)], 0, [launch(0, input(0), input(1), output(0))]);
    const same = fn("same", [f32s(n), f32s(n)], [f32s(n)], 0, [], [1]);
    const main = fn("main", [bools(1), f32s(n), f32s(n)], [f32s(n)], 0, [
      { kind: "if", index: input(0), branches: [2, 1], inputs: [input(1), input(2)], outputs: [output(0)] },
    ]);
    const p = programOf([binary("add", n)], main, plus, same);
    for (const [predicate, expected] of [
      [1, 5],
      [0, 3],
    ] as const) {
      const [out] = call(
        createWasmBackend(),
        p,
        [scalar(predicate, "bool"), filled(n, () => 2), filled(n, () => 3)],
        [new Float32Array(n)],
        generic,
      );
      expect([...out!]).toEqual([...filled(n, () => expected)]);
    }
  });

  test.each([0, 1, 2, 5, 10])("a loop of %i rounds with states that are handed on and exchanged", (rounds) => {
    // state (i, x, y, z, k): i + 1, x + step, z, y, k
    const n = 3;
    const int = nest("next", {
      buffers: [buffer("i32", "read", 1), buffer("i32", "write", 1)],
      phases: [phase([store(1, lit(0), op("add", [load("i32", 0, lit(0)), constant("i32", 1)]))])],
    });
    const less = nest("less", {
      buffers: [buffer("i32", "read", 1), buffer("i32", "read", 1), buffer("bool", "write", 1)],
      phases: [phase([store(2, lit(0), op("lt", [load("i32", 0, lit(0)), load("i32", 1, lit(0))]))])],
    });
    const types = [f32s(n), i32s(1), i32s(1), f32s(n), f32s(n), f32s(n), i32s(1)];
    const condition = fn("condition", types, [bools(1)], 0, [launch(2, input(2), input(1), output(0))]);
    const body = fn(
      "body",
      types,
      types.slice(2),
      64,
      [
        launch(1, input(2), output(0)),
        launch(0, input(3), input(0), arena(0)),
        { kind: "copy", from: arena(0), to: output(1), bytes: 4 * n },
      ],
      [null, null, 5, 4, 6],
    );
    const steps: Step[] = [
      ...[2, 3, 4, 5, 6].map((k): Step => ({
        kind: "copy",
        from: input(k),
        to: output(k - 2),
        bytes: types[k]!.bytes,
      })),
      { kind: "loop", condition: 1, body: 2, consts: [input(0), input(1)], state: [0, 1, 2, 3, 4].map(output) },
    ];
    const main = fn("main", types, types.slice(2), 0, steps);
    const p = programOf([binary("add", n), int, less], main, condition, body);
    const outs = [new Int32Array(1), new Float32Array(n), new Float32Array(n), new Float32Array(n), new Int32Array(1)];
    const [i, x, y, z, k] = call(
      createWasmBackend(),
      p,
      [
        filled(n, () => 0.5),
        new Int32Array([rounds]),
        new Int32Array([0]),
        filled(n, (j) => j),
        filled(n, () => 1),
        filled(n, () => 2),
        new Int32Array([77]),
      ],
      outs,
      generic,
    );
    expect(i![0]).toBe(rounds);
    expect([...x!]).toEqual([...filled(n, (j) => j + rounds / 2)]);
    expect([y![0], z![0]]).toEqual(rounds % 2 ? [2, 1] : [1, 2]);
    expect(k![0]).toBe(77);
  });

  test("row buffers and dots take scratch behind the temporaries", () => {
    const [n, m] = [40, 50];
    const [i, r] = [axisIndex(0, n), axisIndex(1, m)];
    const at = nestIndex(n, m);
    void i;
    void r;
    const twice = nest("twice", {
      buffers: [buffer("f32", "read", n * m), buffer("f32", "write", n * m)],
      parallel: [n],
      reduced: [m],
      slots: [slot("f32", "add", 0)],
      keeps: ["f32"],
      phases: [
        phase([{ kind: "keep", keep: 0, value: load("f32", 0, at) }, accumulate(0, load("f32", 0, at))]),
        phase([store(1, at, op("mul", [{ kind: "keep", type: "f32", keep: 0 }, slotRef("f32", 0)]))]),
      ],
    });
    const layout = (rows: number, cols: number): DotKernel["lhs"] => ({ offset: 0, batch: [], row: cols, col: 1 });
    const dot: DotKernel = {
      kind: "dot",
      name: "dot",
      type: "f32",
      buffers: [buffer("f32", "read", n * m), buffer("f32", "read", m * n), buffer("f32", "write", n * n)],
      batch: [],
      m: n,
      n,
      k: m,
      lhs: layout(n, m),
      rhs: layout(m, n),
      out: layout(n, n),
    };
    const p = programOf(
      [twice, dot],
      fn("main", [f32s(n * m), f32s(m * n)], [f32s(n * n)], 4 * n * m, [
        launch(0, input(0), arena(0)),
        launch(1, arena(0), input(1), output(0)),
      ]),
    );
    const a = filled(n * m, (k) => (k % 7) - 3);
    const b = filled(m * n, (k) => (k % 5) - 2);
    const [out] = call(createWasmBackend(), p, [a, b], [new Float32Array(n * n)], generic);
    for (let row = 0; row < n; row++) {
      const line = a.subarray(row * m, (row + 1) * m);
      const sum = line.reduce((s, x) => s + x, 0);
      for (let col = 0; col < n; col++) {
        let expected = 0;
        for (let k = 0; k < m; k++) expected += line[k]! * sum * b[k * n + col]!;
        expect(Math.abs(out![row * n + col]! - expected)).toBeLessThanOrEqual(1e-3 * Math.abs(expected) + 1e-3);
      }
    }
  });

  test("sort", () => {
    const n = 300;
    const kernel: SortKernel = {
      kind: "sort",
      name: "sort",
      buffers: [buffer("f32", "read", n), buffer("f32", "write", n)],
      operands: 1,
      numKeys: 1,
      outer: 1,
      n,
      inner: 1,
      descending: false,
      count: n,
    };
    const x = filled(n, (i) => Math.sin(i * 12.9898));
    const [out] = call(
      createWasmBackend(),
      programOf([kernel], fn("main", [f32s(n)], [f32s(n)], 0, [launch(0, input(0), output(0))])),
      [x],
      [new Float32Array(n)],
      generic,
    );
    expect([...out!]).toEqual([...x].sort((p, q) => p - q));
  });

  test("nothing to do, nothing in it", () => {
    const p = programOf(
      [binary("add", 0)],
      fn("main", [f32s(0), f32s(0)], [f32s(0)], 0, [launch(0, input(0), input(1), output(0))]),
    );
    expect(
      call(createWasmBackend(), p, [new Float32Array(0), new Float32Array(0)], [new Float32Array(0)], generic)[0],
    ).toHaveLength(0);
  });
});

function nestIndex(n: number, m: number): ReturnType<typeof axisIndex> {
  const [i, r] = [axisIndex(0, n), axisIndex(1, m)];
  return {
    ...i,
    terms: [
      { coeff: m, atom: i.terms[0]!.atom },
      { coeff: 1, atom: r.terms[0]!.atom },
    ],
    hi: n * m - 1,
    key: `${m}*a0+1*a1+0`,
  };
}

describe("the backend", () => {
  const addition = (n: number, inputs = 2): Program =>
    programOf(
      [binary("add", n)],
      fn("main", Array<BufferType>(inputs).fill(f32s(n)), [f32s(n)], 0, [launch(0, input(0), input(1), output(0))]),
    );

  test("generic programs of one structure share a module", () => {
    const backend = createWasmBackend();
    for (const n of [2, 17, 100, 5000]) {
      const [out] = call(backend, addition(n), [filled(n, (i) => i), filled(n, () => 1)], [new Float32Array(n)], true);
      expect(out![n - 1]).toBe(n);
    }
    expect(backend.stats().modules).toBe(1);
    call(backend, addition(100), [filled(100, (i) => i), filled(100, () => 1)], [new Float32Array(100)]);
    expect(backend.stats().modules).toBe(2);
  });

  test("an elementwise program is resized without compiling", () => {
    const backend = createWasmBackend();
    const executable = backend.compile(
      programOf(
        [binary("add", 16, 1)],
        fn("main", [f32s(16), f32s(1)], [f32s(16)], 0, [launch(0, input(0), input(1), output(0))]),
      ),
      { generic: true },
    );
    for (const n of [0, 1, 3, 16, 70_000]) {
      const resized = executable.resized!(n)!;
      const a = backend.allocate(4 * n);
      backend.write(
        a,
        filled(n, (i) => i),
      );
      const out = backend.allocate(4 * n);
      resized.run([a, scalar(0.5)], [out]);
      const values = new Float32Array(n);
      backend.readSync!(out, values);
      expect(values).toEqual(filled(n, (i) => i + 0.5));
      backend.free(a);
      backend.free(out);
    }
    expect(backend.stats().modules).toBe(1);
    const shifted = nest("shift", {
      buffers: [buffer("f32", "read", 17), buffer("f32", "write", 16)],
      parallel: [16],
      phases: [phase([store(1, axisIndex(0, 16), load("f32", 0, lit(3)))])],
    });
    const other = backend.compile(
      programOf([shifted], fn("main", [f32s(17)], [f32s(16)], 0, [launch(0, input(0), output(0))])),
      { generic: true },
    );
    expect(other.resized!(5)).toBeUndefined();
  });

  test("kernels of equal structure are emitted once", () => {
    const n = 64;
    const once = createWasmBackend().compile(addition(n), { generic: false }).text();
    const three = createWasmBackend()
      .compile(
        programOf(
          [binary("add", n), binary("add", n), binary("add", n)],
          fn("main", [f32s(n), f32s(n)], [f32s(n)], 512, [
            launch(0, input(0), input(1), arena(0)),
            launch(1, arena(0), input(1), arena(256)),
            launch(2, arena(256), input(0), output(0)),
          ]),
        ),
        { generic: false },
      )
      .text();
    expect(three.match(/^func add /gm)).toHaveLength(1);
    expect(once).toContain("f32x4.add");
    expect(once).toMatch(/func program main \(i32\)\n {2}local\.get 0\n {2}i32\.load/);
  });

  test("a program of more operands than fit where arguments are passed", () => {
    const backend = createWasmBackend();
    const n = 4;
    const many = 20_000;
    const x = backend.allocate(4 * n);
    const y = backend.allocate(4 * n);
    const out = backend.allocate(4 * n);
    backend.write(
      x,
      filled(n, (i) => i),
    );
    backend.write(
      y,
      filled(n, () => 10),
    );
    backend.compile(addition(n, many), { generic: false }).run([x, y, ...Array<DeviceBuffer>(many - 2).fill(x)], [out]);
    const values = new Float32Array(n);
    backend.readSync!(out, values);
    expect([...values]).toEqual([10, 11, 12, 13]);
  });

  test("a failed run leaves the arena and the argument stack as they were", () => {
    const backend = createWasmBackend();
    const n = 16;
    const executable = backend.compile(addition(n), { generic: false });
    expect(() => executable.run([{ bytes: 4 } as DeviceBuffer, { bytes: 4 } as DeviceBuffer], [])).toThrow(
      "another backend",
    );
    const [out] = call(backend, addition(n), [filled(n, (i) => i), filled(n, (i) => i)], [new Float32Array(n)]);
    expect(out![7]).toBe(14);
  });

  test("blocks are aligned, apart, recycled, and checked against freeing twice", () => {
    const backend = createWasmBackend();
    const blocks = [0, 1, 4, 100, 5000, 40_000, 1_000_000].map((bytes) => backend.allocate(bytes));
    blocks.forEach((b, k) => backend.write(b, new Uint32Array(b.bytes >> 2).fill(k)));
    blocks.forEach((b, k) => {
      const values = new Uint32Array(b.bytes >> 2);
      backend.readSync!(b, values);
      expect(values.every((v) => v === k)).toBe(true);
    });
    const before = backend.stats();
    for (const b of blocks) backend.free(b);
    expect(backend.stats().allocatedBytes).toBe(0);
    for (let i = 0; i < 1000; i++) backend.free(backend.allocate(1_000_000));
    expect(backend.stats().heapBytes).toBe(before.heapBytes);
    expect(() => backend.free(blocks[0]!)).toThrow("freed twice");
  });

  test("large blocks of other sizes are made of what was freed", () => {
    const backend = createWasmBackend({ maximumPages: 1024 });
    const quarter = 15 * 2 ** 20;
    const four = Array.from({ length: 4 }, () => backend.allocate(quarter));
    expect(() => backend.allocate(quarter)).toThrow(DeviceError);
    expect(() => backend.allocate(quarter)).toThrow("out-of-memory");
    for (const b of four) backend.free(b);
    const whole = backend.allocate(4 * quarter);
    backend.free(whole);
    const small = Array.from({ length: 30 }, () => backend.allocate(2 ** 21 - 100));
    expect(new Set(small).size).toBe(30);
  });

  test("views follow the memory as it grows", () => {
    const backend = createWasmBackend();
    const first = backend.allocate(16);
    backend.write(
      first,
      filled(4, (i) => i + 1),
    );
    const executable = backend.compile(addition(4), { generic: false });
    const big = backend.allocate(50_000_000);
    const out = backend.allocate(16);
    executable.run([first, first], [out]);
    const values = new Float32Array(4);
    backend.readSync!(out, values);
    expect([...values]).toEqual([2, 4, 6, 8]);
    backend.free(big);
  });
});
