import { describe, expect, it } from "vitest";
import { InterpreterBackend } from "../../src/backends/reference/interpreter.js";
import { scatterForm } from "../../src/backends/webgpu/nest/sequential-form.js";
import { lowerSequentialNest, strategyOf } from "../../src/backends/webgpu/nest/sequential.js";
import { compile } from "../../src/compiler/index.js";
import { makeJaxpr, type NDArray, numpy as np, vmap } from "../../src/index.js";
import { interpretKernel } from "../../src/kernel-ir/interpret-kernel.js";
import type { NestKernel } from "../../src/kernel-ir/kernel.js";
import { launchOf, runCode, sharedDevice } from "../gpu/run-code.js";

/** The one scatter of a compiled function. */
function scatterOf(f: (...args: NDArray[]) => NDArray, ...args: NDArray[]): NestKernel {
  const { kernels } = compile(makeJaxpr(f)(...args).jaxpr, { name: "main", traits: new InterpreterBackend().traits });
  const nests = kernels.filter((k): k is NestKernel => k.kind === "nest" && k.sequential);
  expect(nests).toHaveLength(1);
  return nests[0]!;
}
const strategy = (kernel: NestKernel): string => strategyOf(scatterForm(kernel, launchOf(kernel))!, launchOf(kernel));

const x = np.zeros([4000]);
const v = np.ones([1000]);
const i = np.zeros([1000], "int32");

describe("scatters that are promised to meet no element twice", () => {
  it("say so, and run a point an invocation", () => {
    const add = (unique: boolean) => (x: NDArray, i: NDArray, v: NDArray) => x.at(i).add(v, { uniqueIndices: unique });
    expect(scatterOf(add(false), x, i, v).unique).toBeUndefined();
    expect(strategy(scatterOf(add(false), x, i, v))).not.toBe("apart");
    expect(scatterOf(add(true), x, i, v).unique).toBe(true);
    expect(strategy(scatterOf(add(true), x, i, v))).toBe("apart");
  });

  it("are known where ranges select, and starts of a batch", () => {
    expect(scatterOf((x, v) => x.at([null, null, 4]).set(v), x, v).unique).toBe(true);
    expect(scatterOf((x, v) => x.at([5, 1005]).set(v), x, v).unique).toBe(true);
  });

  it("give what the order gives", async () => {
    const f = (x: NDArray, i: NDArray, v: NDArray): NDArray => x.at(i).add(v, { uniqueIndices: true });
    const kernel = scatterOf(f, x, i, v);
    const buffers = kernel.buffers.map((b, k) => {
      if (b.type === "i32") return Int32Array.from({ length: b.length }, (_, n) => (n * 7) % 4001);
      return Float32Array.from({ length: b.length }, (_, n) => n + k);
    });
    const expected = buffers.map((b) => b.slice());
    interpretKernel(kernel, expected);
    const device = await sharedDevice();
    if (device === null) return;
    const got = await runCode(device, lowerSequentialNest(kernel, launchOf(kernel)), buffers, launchOf(kernel).sameAs);
    got.forEach((b, k) => expect(Array.from(b)).toEqual(Array.from(expected[k]!)));
  });

  it("stay so when batched", () => {
    const f = vmap((x: NDArray, i: NDArray, v: NDArray) => x.at(i).set(v, { uniqueIndices: true }));
    const two = (a: NDArray): NDArray => np.stack([a, a]);
    expect(scatterOf(f, two(x), two(i), two(v)).unique).toBe(true);
  });
});
