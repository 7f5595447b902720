import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aval } from "../../src/core/aval.js";
import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import { config } from "../../src/core/config.js";
import { getEngine } from "../../src/core/engine.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { residenceOf } from "../../src/runtime/device-storage.js";
import { memoryStats, registerDevice, setDefaultDevice } from "../../src/runtime/devices.js";
import { Heap } from "../../src/runtime/heap.js";
import "../../src/runtime/install.js";
import { FakeBackend, fakeCompile } from "./fake-backend.js";
import { addBy, call, plus, reshaped } from "./tiny.js";

const MB = 2 ** 20;
const budget = config.memoryBudget;

function device(capacity: number, watch: "weak" | "registry"): { backend: FakeBackend; heap: Heap } {
  const backend = new FakeBackend(capacity);
  const heap = new Heap(backend, residenceOf, watch);
  registerDevice(new CompiledDevice(backend, fakeCompile, { heap }), true);
  return { backend, heap };
}

const floats = (n: number, value = 0): ConcreteArray =>
  getEngine().fromHost({ aval: aval([n], "float32"), data: new Float32Array(n).fill(value) });

/** Collects garbage and gives finalizers turns to run in. */
async function collected(done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) {
    if (i % 20 === 0) globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeEach(() => {
  config.memoryBudget = 4 * MB;
});
afterEach(() => {
  config.memoryBudget = budget;
  setDefaultDevice("reference");
});

describe.each(["weak", "registry"] as const)("dead arrays found by %s", (watch) => {
  test("a synchronous loop that allocates many times the budget stays within it", () => {
    const { backend } = device(64 * MB, watch);
    let x: NDArray = floats(25_000);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      x = call(addBy, [x], { by: 1 });
      most = Math.max(most, backend.allocated);
    }
    // collections are dear against so little work, so the heap may keep more than the budget
    expect(most).toBeLessThan(16 * MB);
    expect(most).toBeGreaterThan(2 * MB);
    expect(x.dataSync()[24_999]).toBe(1000);
  });

  test("arrays that are held keep their elements, however many others come and go", () => {
    device(64 * MB, watch);
    const held = Array.from({ length: 20 }, (_, i) => floats(25_000, i));
    for (let i = 0; i < 300; i++) call(addBy, [held[i % 20]!], { by: 1 });
    held.forEach((x, i) => {
      const data = x.dataSync();
      expect([data[0], data[24_999]]).toEqual([i, i]);
    });
  });

  test("more than the device can hold at once is spilled and comes back when it is used", () => {
    const { backend } = device(8 * MB, watch);
    config.memoryBudget = 6 * MB;
    const held = Array.from({ length: 40 }, (_, i) => floats(100_000, i));
    expect(memoryStats("fake").spilledBytes).toBeGreaterThan(6 * MB);
    const sums = held.map((x, i) => call(plus, [x, held[39 - i]!], null));
    for (const s of sums) expect(s.dataSync()[99_999]).toBe(39);
    expect(backend.allocated).toBeLessThanOrEqual(8 * MB);
    for (const x of held) x.dispose();
    for (const s of sums) (s as ConcreteArray).dispose();
    expect(memoryStats("fake")).toMatchObject({ liveArrays: 0, liveBytes: 0, spilledBytes: 0, allocatedBytes: 0 });
  });

  test("operands of a running program are neither spilled nor collected", () => {
    const { backend } = device(8 * MB, watch);
    config.memoryBudget = 2 * MB;
    let inside = 0;
    backend.onRun = () => {
      if (inside++ > 0) return;
      // the program calls back into the host, which fills the device
      for (let i = 0; i < 40; i++) call(addBy, [floats(50_000, 7)], { by: 1 });
    };
    // nobody but the call holds the operand
    expect(call(addBy, [floats(50_000, 5)], { by: 1 }).dataSync()[49_999]).toBe(6);
    expect(inside).toBeGreaterThan(1);
  });

  test("reshaped arrays share storage until the last is disposed", () => {
    const { backend } = device(8 * MB, watch);
    const x = floats(600, 3);
    const before = backend.allocated;
    const y = call(reshaped, [x], { shape: [20, 30] }) as ConcreteArray;
    expect([backend.allocated, backend.compiles]).toEqual([before, 0]);
    x.dispose();
    expect(y.dataSync()[599]).toBe(3);
    expect(y.shape).toEqual([20, 30]);
    y.dispose();
    y.dispose();
    expect(backend.allocated).toBe(0);
  });

  test("nothing fits: an error that says what is held, and the device goes on", () => {
    const { backend } = device(1 * MB, watch);
    const x = floats(1000, 2);
    expect(() => floats(MB)).toThrowError(/\[out-of-memory\]/);
    expect(call(addBy, [x], { by: 1 }).dataSync()[0]).toBe(3);
    expect(backend.allocated).toBeGreaterThan(0);
  });
});

test("outside of synchronous loops the garbage collector is enough", async () => {
  const { backend } = device(64 * MB, "weak");
  (() => {
    for (let i = 0; i < 20; i++) floats(10_000);
  })();
  expect(memoryStats("fake").liveArrays).toBe(20);
  await collected(() => backend.allocated === 0);
  expect(memoryStats("fake")).toMatchObject({ liveArrays: 0, liveBytes: 0, allocatedBytes: 0 });
});

test("without a collector the registry frees, too", async () => {
  const { backend } = device(64 * MB, "registry");
  (() => {
    for (let i = 0; i < 20; i++) floats(10_000);
  })();
  await collected(() => backend.allocated === 0);
  expect(backend.allocated).toBe(0);
});

test("using gives storage back at the end of the block", () => {
  const { backend } = device(8 * MB, "weak");
  {
    using x = floats(100);
    expect(x.dataSync()[0]).toBe(0);
  }
  expect(backend.allocated).toBe(0);
});
