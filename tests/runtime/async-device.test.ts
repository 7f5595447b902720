import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  blockUntilReady,
  config,
  defaultDevice,
  DeviceError,
  devicePut,
  devicePutAsync,
  DTypeError,
  grad,
  jit,
  memoryStats,
  type NDArray,
  numpy as np,
  profile,
  random,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";
import { getEngine } from "../../src/core/engine.js";
import { compile } from "../../src/compiler/index.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { residenceOf } from "../../src/runtime/device-storage.js";
import { registerDevice } from "../../src/runtime/devices.js";
import { Heap } from "../../src/runtime/heap.js";
import { AsyncBackend, asyncDevice } from "./async-backend.js";

/** A device that computes while the program goes on. */

const home = defaultDevice();
let backend: AsyncBackend;
beforeEach(() => {
  backend = new AsyncBackend("later");
  registerDevice(asyncDevice(backend), true);
});
afterEach(() => setDefaultDevice(home));

const vector = (): NDArray => np.array([1, 2, 3]);

describe("reading", () => {
  test("data, jsAsync, blockUntilReady", async () => {
    const x = vector();
    expect(x.device).toBe("later");
    const y = x.mul(2);
    expect([...(await y.data())]).toEqual([2, 4, 6]);
    expect(await y.reshape([3, 1]).jsAsync()).toEqual([[2], [4], [6]]);
    expect(await y.greater(3).jsAsync()).toEqual([false, true, true]);
    expect(await y.blockUntilReady()).toBe(y);
    const tree = { a: y, b: [x, 1] };
    expect(await blockUntilReady(tree)).toBe(tree);
    expect(await np.array(3).blockUntilReady()).toBeDefined();
    const keys = random.split(random.key(0), 2);
    await expect(keys.data()).rejects.toThrowError(/\[key-data\]/);
    expect(await random.keyData(keys).data()).toHaveLength(4);
  });

  test("what is read is what was there when it was asked for, whatever happens then", async () => {
    const x = vector();
    const y = x.add(1);
    const reading = y.data();
    y.dispose();
    x.dispose();
    const other = np.zeros([3]);
    expect([...(await reading)]).toEqual([2, 3, 4]);
    expect([...(await other.data())]).toEqual([0, 0, 0]);
  });

  test.each<[string, (x: NDArray) => unknown]>([
    ["dataSync()", (x) => x.dataSync()],
    ["js()", (x) => x.js()],
    ["js()", (x) => JSON.stringify(x)],
    ["item()", (x) => x.slice(0).item()],
    ["item()", (x) => `${x.slice(0)}`],
    ["toString()", (x) => `${x}`],
    ["toString()", (x) => x.toString()],
  ])("%s at once is an error that says what to do", (op, read) => {
    const attempt = (): unknown => read(vector());
    expect(attempt).toThrowError(DeviceError);
    expect(attempt).toThrowError(`${op} reads at once, and device "later" can only be awaited [async-read]`);
    expect(attempt).toThrowError(
      /value {2}f32\[3?\]\nhint: await x\.data\(\) or await x\.jsAsync\(\) reads it; inside of a transformed function choose with np\.where; .*devicePutAsync/,
    );
  });

  test("console.log shows the type, and how to read", () => {
    expect(inspect(vector())).toBe("Array(shape=[3], dtype=float32, device=later, read with await x.data())");
    expect(inspect({ loss: np.sum(vector()) })).toContain("Array(shape=[], dtype=float32, device=later");
    const gone = vector();
    gone.dispose();
    expect(inspect(gone)).toBe("Array(shape=[3], dtype=float32, deleted)");
    expect(inspect(np.array(2))).toBe("Array(2.)");
  });

  test("branches on values under grad and vmap name the ways out", () => {
    const f = (x: NDArray): NDArray => (x.slice(0).greater(0).item<boolean>() ? np.sum(x) : np.sum(x.mul(2)));
    expect(() => grad(f)(vector())).toThrowError(
      /item\(\) reads at once, and device "later" can only be awaited \[async-read\]\n {2}value .*\nhint: /,
    );
    expect(() => grad((x: NDArray) => (np.sum(x).item() > 0 ? np.sum(x) : np.sum(x.mul(2))))(vector())).toThrowError(
      /value {2}traced f32\[\] \(under grad of .*\)\nhint: .* choose with np\.where; .*devicePutAsync\(x, "wasm"\)/,
    );
    expect(() => vmap(f)(np.ones([2, 3]))).toThrowError(/item\(\) needs the elements.*\[tracer-read\]/);
  });

  test("a promise is no result of a transformed function", () => {
    const f = async (x: NDArray): Promise<NDArray> => ((await x.data())[0]! > 0 ? x : x.mul(2));
    expect(() => grad(f as never)(vector())).toThrowError(/the result of f is a promise \[async-function\]/);
  });
});

describe("moving", () => {
  test("devicePut to it; devicePutAsync from it", async () => {
    const x = devicePut(np.array([1, 2], { device: "wasm" }), "later");
    expect(x.device).toBe("later");
    const y = np.tanh(x);
    expect(() => devicePut(y, "wasm")).toThrowError(
      /devicePut reads at once, and device "later" can only be awaited \[async-read\]\n {2}value {2}f32\[2\]\nhint: await devicePutAsync\(x, "wasm"\)/,
    );
    const tree = await devicePutAsync({ y, n: 1, k: random.key(3) }, "wasm");
    expect(tree.y.js()).toEqual(
      [Math.fround(Math.tanh(1)), Math.fround(Math.tanh(2))].map((v) => expect.closeTo(v, 6) as number),
    );
    expect(random.bits(tree.k, [2]).js()).toEqual([...(await random.bits(random.key(3), [2]).data())]);
    expect(devicePut(y, "later").device).toBe("later");
    expect((await devicePutAsync(y)) === y).toBe(true);
    expect((await devicePutAsync(2)).device).toBe("later");
  });

  test("what was made of little goes at once", () => {
    expect(devicePut(vector().mul(2), "wasm").js()).toEqual([2, 4, 6]);
    expect(devicePut(np.eye(2), "reference").js()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe("dtypes that the device lacks", () => {
  test("data", () => {
    const attempt = (): unknown => np.array([1], { dtype: "float64" });
    expect(attempt).toThrowError(DTypeError);
    expect(attempt).toThrowError(
      /device "later" has no float64 \[dtype-device\]\n {2}value {2}f64\[1\], an array\nhint: compute in float32 .*devicePut\(x, "wasm"\)/,
    );
  });
  test("values between arguments and results are named, in inner functions too", () => {
    const wide = (x: NDArray): NDArray => np.sin(x.astype("float64")).astype("float32");
    const before = backend.compiles;
    expect(() => jit(wide)(vector())).toThrowError(
      /\[dtype-device\]\n {2}value {2}f64\[3\], made by convert_element_type in the compiled function/,
    );
    expect(() => jit((x: NDArray) => jit(wide)(x.add(1)))(vector())).toThrowError(
      /f64\[3\], made by convert_element_type in wide/,
    );
    expect(() =>
      jit((x: NDArray) => x.mul(np.array(2.5, { dtype: "float64" })).astype("float32"))(vector()),
    ).toThrowError(/\[dtype-device\]/);
    expect(() => vector().astype("float64")).toThrowError(/f64\[3\], made by convert_element_type\n/);
    expect(backend.compiles).toBe(before);
  });
});

describe("failures and lifetimes", () => {
  test("what fails when it runs is told where a result is read, and nothing else is harmed", async () => {
    const x = vector();
    await x.data();
    backend.failNext = new DeviceError({ code: "kernel-failed", message: "boom" });
    const bad = x.add(1);
    const worse = bad.mul(2);
    await expect(bad.data()).rejects.toThrowError("boom");
    await expect(worse.jsAsync()).rejects.toThrowError("boom");
    await expect(worse.blockUntilReady()).rejects.toThrowError("boom");
    await expect(blockUntilReady([x, bad])).rejects.toThrowError("boom");
    expect([...(await x.add(1).data())]).toEqual([2, 3, 4]);
  });

  test("a failed call leaves no storage and no program behind", async () => {
    const f = jit((x: NDArray) => x.astype("float64").astype("float32"));
    const x = vector();
    await x.data();
    const before = [backend.allocated, memoryStats("later").programs, memoryStats("later").liveArrays];
    for (let i = 0; i < 3; i++) expect(() => f(x)).toThrowError(/\[dtype-device\]/);
    backend.capacity = backend.allocated + 8;
    expect(() => x.add(1)).toThrowError(/\[out-of-memory\]/);
    backend.capacity = Infinity;
    await x.data();
    expect(backend.allocated).toBe(before[0]);
    expect(memoryStats("later").liveArrays).toBe(before[2]);
    expect([...(await x.add(1).data())]).toEqual([2, 3, 4]);
  });

  test("using, dispose and donation give storage back in the order of the stream", async () => {
    {
      using x = vector();
      using y = x.add(1);
      expect([...(await y.data())]).toEqual([2, 3, 4]);
    }
    await backend.settled();
    expect(backend.allocated).toBe(0);
    const step = jit((x: NDArray) => x.mul(2), { donateArgnums: [0] });
    let x = devicePut(np.array(new Float32Array(100).fill(1), { device: "wasm" }), "later");
    for (let i = 0; i < 5; i++) x = step(x);
    expect((await x.data())[99]).toBe(32);
    expect(backend.allocated).toBe(400);
  });

  test("arrays that nobody holds are found by the garbage collector", async () => {
    (() => {
      for (let i = 0; i < 10; i++) np.ones([1000]).add(i);
    })();
    for (let i = 0; i < 100 && backend.allocated > 0; i++) {
      if (i % 20 === 0) globalThis.gc!();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(backend.allocated).toBe(0);
    expect(memoryStats("later")).toMatchObject({ liveArrays: 0, liveBytes: 0 });
  });

  test.each(["weak", "registry"] as const)(
    "over its limit: an error that says what is held (dead arrays found by %s)",
    (watch) => {
      registerDevice(new CompiledDevice(backend, compile, { heap: new Heap(backend, residenceOf, watch) }), true);
      const limit = config.deviceMemoryLimit;
      config.update("deviceMemoryLimit", 100_000);
      try {
        const data = new Float32Array(5000);
        const held = [0, 1, 2, 3].map(() => np.array(data));
        expect(() => np.array(new Float32Array(6000))).toThrowError(
          /later has no room for 24000 bytes within config\.deviceMemoryLimit, 100000 bytes \[out-of-memory\]\n {2}arrays +4, 80000 bytes\n +f32\[5000\] +4, 80000 bytes\nhint: /,
        );
        held[0]!.dispose();
        expect(np.array(new Float32Array(6000)).size).toBe(6000);
        expect(held).toHaveLength(4);
      } finally {
        config.update("deviceMemoryLimit", limit);
      }
    },
  );

  test("a lost device says so, whatever is done with its arrays", async () => {
    const x = vector();
    backend.lose();
    const lost = /device "later" was lost \[device-lost\]\nhint: await init\("later"\)/;
    expect(() => x.add(1)).toThrowError(lost);
    await expect(x.data()).rejects.toThrowError(lost);
    expect(() => devicePut(np.ones([3], { device: "wasm" }), "later")).toThrowError(lost);
    expect(() => x.add(np.ones([3], { device: "wasm" }))).toThrowError(lost);
    x.dispose();
  });
});

test("with host copies, what was uploaded survives a loss", async () => {
  registerDevice(new CompiledDevice(backend, compile, { hostCopies: true }), true);
  const data = Float32Array.from({ length: 10_000 }, (_, i) => i);
  const x = devicePut(np.array(data, { device: "wasm" }), "later");
  const bound = devicePut(np.array(data), "later");
  const computed = x.add(1);
  const reading = x.data();
  backend.lose();
  for (const survivor of [x, bound]) {
    expect((await survivor.data())[9999]).toBe(9999);
    expect(devicePut(survivor, "wasm").dataSync()[9999]).toBe(9999);
  }
  expect((await reading)[9999]).toBe(9999);
  expect(() => x.add(1)).toThrowError(/\[device-lost\]/);
  await expect(computed.data()).rejects.toThrowError(/\[device-lost\]/);
  expect(() => devicePut(computed, "wasm")).toThrowError(/\[device-lost\]/);
});

test("counters and profiles of the device", async () => {
  const f = jit((x: NDArray) => np.sum(np.tanh(x)));
  await f(vector()).data();
  const before = memoryStats("later").counters;
  await f(vector()).data();
  expect(memoryStats("later").counters).toMatchObject({ submits: before.submits + 1, pipelines: before.pipelines });
  expect(memoryStats().counters.submits).toBe(before.submits + 1);
  expect(memoryStats("wasm").counters.submits).toBe(0);

  const { result, milliseconds, kernels, toString } = await profile(() => [f(vector()), f(vector())] as const)();
  expect(await result[0].jsAsync()).toBeCloseTo(Math.tanh(1) + Math.tanh(2) + Math.tanh(3), 5);
  expect(milliseconds).toBeGreaterThan(0);
  expect(kernels.map((k) => [k.device, k.program, k.launches, k.milliseconds])).toEqual([["later", "main", 2, 0.002]]);
  expect(toString()).toMatch(/^[\d.]+ ms\n +0\.002 ms {2}2× {2}main\//);
  const here = await profile((x: NDArray) => x.add(1))(devicePut(np.ones([2]), "wasm"));
  expect([here.kernels, here.result.js()]).toEqual([[], [2, 2]]);
  const both = Promise.all([profile(f)(vector()), profile(f)(vector())]);
  await expect(both).rejects.toThrowError(/a profile is being recorded already \[profile-running\]/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await expect(
    profile(() => {
      throw new RangeError("mine");
    })(),
  ).rejects.toThrowError("mine");
});

test("compiled ahead", async () => {
  const compiled = jit((x: NDArray) => x.add(1))
    .lower(vector())
    .compile();
  await compiled.ready();
  const before = backend.compiles;
  expect([...(await compiled(vector()).data())]).toEqual([2, 3, 4]);
  expect(backend.compiles).toBe(before);
  expect(getEngine().defaultDevice()).toBe("later");
});

describe("functions that have to know values", () => {
  const counts = (): NDArray => np.array([1, 0, 2], { dtype: "int32" });
  test("know what was made of little", async () => {
    expect([...(await np.bincount(counts()).data())]).toEqual([1, 1, 1]);
    expect(await np.repeat(vector(), counts()).jsAsync()).toEqual([1, 3, 3]);
    expect(await np.delete_(vector(), np.array([true, false, false])).jsAsync()).toEqual([2, 3]);
    expect(await np.compress(np.array([false, true, true]), vector()).jsAsync()).toEqual([2, 3]);
    expect(backend.runs).toBeGreaterThan(0);
  });
  test("else say that they would have to wait", async () => {
    const bound = devicePut(counts(), "later").add(1);
    expect(() => np.bincount(bound)).toThrowError(
      /bincount reads at once, and device "later" can only be awaited \[async-read\]\n {2}value {2}i32\[3\]/,
    );
    expect([...(await np.bincount(bound, null, { length: 5 }).data())]).toEqual([0, 1, 1, 1, 0]);
  });
  test("arrays made on a named device", async () => {
    const here = np.full([2], vector().slice(1), { device: "wasm" });
    expect([here.device, here.js()]).toEqual(["wasm", [2, 2]]);
    expect(np.array(vector(), { device: "reference" }).js()).toEqual([1, 2, 3]);
    const bound = devicePut(vector(), "later");
    expect(() => np.array(bound, { device: "wasm" })).toThrowError(/\[async-read\][\s\S]*devicePutAsync\(x, "wasm"\)/);
    expect([...(await np.array(bound, { device: "later" }).data())]).toEqual([1, 2, 3]);
  });
});
