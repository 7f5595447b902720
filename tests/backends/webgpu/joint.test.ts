import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import { lowerKernel } from "../../../src/backends/webgpu/lower.js";
import { interpretProgram } from "../../../src/kernel-ir/interpreter.js";
import type { Kernel } from "../../../src/kernel-ir/kernel.js";
import type { Program, ProgramFunction } from "../../../src/kernel-ir/program.js";
import { axisIndex, lit } from "../../../src/kernel-ir/index-expr.js";
import { load, op, slotRef } from "../../../src/kernel-ir/scalar.js";
import { makeDot } from "../wasm/dot-harness.js";
import {
  addKernel,
  arena,
  available,
  download,
  elementwise,
  fn,
  input,
  launch,
  mulKernel,
  negKernel,
  output,
  program,
  toyDevice,
  upload,
} from "./toy.js";

/** Launches that share a dispatch: which do, and that they compute what they compute alone. */
describe.skipIf(!available)("launches of one dispatch", () => {
  let device: WebgpuDevice;
  let least: WebgpuDevice;
  beforeAll(async () => {
    device = await toyDevice({ lower: lowerKernel });
    least = await toyDevice({ lower: lowerKernel, defaultLimits: true });
  });
  afterAll(() => {
    device?.dispose();
    least?.dispose();
  });

  const n = 100;
  const numbers = (length: number, seed: number): number[] =>
    Array.from({ length }, (_, i) => ((i * 37 + seed * 11) % 23) / 4 - 2);

  /** Runs a program, compares it with the interpreter, and tells how many dispatches a call is. */
  async function dispatches(p: Program, on = device, donate?: { output: number; input: number }): Promise<number> {
    const entry = p.functions[0]!;
    const values = entry.inputs.map(({ bytes }, k) => numbers(bytes / 4, k));
    const inputs = values.map((x) => upload(on, x));
    const outputs = entry.outputs.map(({ bytes }, k) =>
      donate?.output === k ? inputs[donate.input]! : on.allocate(bytes),
    );
    const before = on.stats().counters.dispatches;
    on.compile(p).run(inputs, outputs);
    const expected = interpretProgram(
      p,
      values.map((x) => new Float32Array(x)),
    );
    for (const [k, o] of outputs.entries()) {
      const got = await download(on, o);
      expect(got.length).toBe(expected[k]!.length);
      const worst = got.reduce((most, x, i) => Math.max(most, Math.abs(x - Number(expected[k]![i]))), 0);
      expect(worst, `result ${k}`).toBeLessThanOrEqual(1e-4);
    }
    return on.stats().counters.dispatches - before;
  }

  const three: readonly Kernel[] = [addKernel(n), mulKernel(n), negKernel(n)];
  const of = (
    inputs: number,
    outputs: number,
    steps: ProgramFunction["steps"],
    more?: Partial<ProgramFunction>,
  ): Program => program(three, fn("f", Array<number>(inputs).fill(n), Array<number>(outputs).fill(n), steps, more));

  test("are those that do not depend on each other", async () => {
    const apart = [0, 1].map((k) => launch(k, input(0), input(1), output(k)));
    expect(await dispatches(of(2, 2, apart))).toBe(1);
    const chain = [launch(0, input(0), input(1), arena(0)), launch(2, arena(0), output(0))];
    expect(await dispatches(of(2, 1, chain, { arenaBytes: 512 }))).toBe(2);
  });

  test("go back to behind what they depend on", async () => {
    const steps = [
      launch(0, input(0), input(1), arena(0)),
      launch(2, arena(0), arena(512)),
      launch(1, arena(512), arena(0), output(0)),
      // of the inputs alone, and of the first
      launch(1, input(0), input(1), output(1)),
      launch(2, arena(0), output(2)),
    ];
    expect(await dispatches(of(2, 3, steps, { arenaBytes: 1024 }))).toBe(3);
  });

  test("a place in the arena is used again behind its last reader only", async () => {
    const steps = [
      launch(0, input(0), input(1), arena(0)),
      launch(2, arena(0), output(0)),
      launch(1, input(0), input(1), arena(0)),
      launch(2, arena(0), output(1)),
    ];
    expect(await dispatches(of(2, 2, steps, { arenaBytes: 512 }))).toBe(2);
  });

  test("one may not write what another reads: outputs in the place of inputs", async () => {
    const steps = [launch(0, input(0), input(1), output(0)), launch(2, input(0), output(1))];
    const turned = [launch(2, input(0), output(1)), launch(0, input(0), input(1), output(0))];
    expect(await dispatches(of(2, 2, turned, { outputReusesInput: [0, null] }), device, { output: 0, input: 0 })).toBe(
      2,
    );
    expect(await dispatches(of(2, 2, steps))).toBe(1);
  });

  test("they bind no more buffers than the device allows", async () => {
    const steps = [0, 1, 2, 3].map((k) => launch(0, input(2 * k), input(2 * k + 1), output(k)));
    expect(await dispatches(of(8, 4, steps), least)).toBe(2);
    expect(await dispatches(of(8, 4, steps))).toBeLessThanOrEqual(2);
  });

  test("large ones have dispatches of their own", async () => {
    const many = 2 ** 20;
    const kernels = ["one", "other"].map((name) => elementwise(name, many, 1, (x) => op("neg", [x])));
    const steps = kernels.map((_, k) => launch(k, input(0), output(k)));
    expect(await dispatches(program(kernels, fn("f", [many], [many, many], steps)))).toBe(2);
  });

  test.each([
    [1, 1, 1],
    [31, 33, 65],
    [128, 10, 100],
    [64, 65, 5],
    [5, 3, 300],
    [300, 2, 7],
  ])("a product of %i×%i sums of %i and work on its operands", async (m, columns, k) => {
    const dot = makeDot({ m, n: columns, k });
    const [a, b, c] = dot.buffers.map(({ length }) => length) as [number, number, number];
    const kernels = [dot, elementwise("twice", a, 1, (x) => op("add", [x, x])), sums(b)];
    const steps = [
      launch(0, input(0), input(1), output(0)),
      launch(1, input(0), output(1)),
      launch(2, input(1), output(2)),
    ];
    const count = await dispatches(program(kernels, fn("f", [a, b], [c, a, 1], steps)));
    expect(count).toBeLessThanOrEqual(2);
  });

  /** The sum of all elements. */
  function sums(length: number): Kernel {
    return {
      ...elementwise("sum", 1, 1, (x) => x),
      buffers: [
        { type: "f32", access: "read", length },
        { type: "f32", access: "write", length: 1 },
      ],
      parallel: [],
      reduced: [length],
      slots: [{ type: "f32", initial: 0, combine: "add", running: false }],
      phases: [
        {
          body: [{ kind: "accumulate", slot: 0, value: load("f32", 0, axisIndex(0, length)) }],
          after: [{ kind: "store", buffer: 1, index: lit(0), value: slotRef("f32", 0) }],
        },
      ],
    };
  }
});
