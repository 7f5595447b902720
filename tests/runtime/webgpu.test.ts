import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWebgpuBackend } from "../../src/backends/webgpu/index.js";
import { compile } from "../../src/compiler/index.js";
import {
  defaultDevice,
  devicePut,
  devicePutAsync,
  explain,
  grad,
  init,
  jit,
  memoryStats,
  type NDArray,
  nn,
  numpy as np,
  profile,
  setDefaultDevice,
} from "../../src/index.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { registerLoader } from "../../src/runtime/devices.js";
import { testGpuDevice, useSoftwareDriver } from "../gpu/adapter.js";
import { programs } from "./placed-programs.js";

/** The runtime with the WebGPU backend, on the machine's adapter or on the software driver. */

const home = defaultDevice();
const probe = await testGpuDevice();
probe?.destroy();
if (!probe) console.log("no WebGPU adapter on this machine: its tests are skipped");
afterAll(() => setDefaultDevice(home));

const near = (a: readonly number[]): unknown => a.map((v) => expect.closeTo(v, 4) as number);

describe.skipIf(!probe)("webgpu", () => {
  beforeAll(async () => {
    useSoftwareDriver();
    await Promise.all([init("webgpu"), init({ device: "webgpu" })]);
  });

  describe("arrays that nobody committed go where committed ones lie", () => {
    test.each(Object.entries(programs))("%s", async (_, program) => {
      setDefaultDevice("wasm");
      const v = np.array([0.5, -1, 2]);
      const expected = [...(await program(v).data())];
      const there = program(devicePut(v, "webgpu"));
      expect(there.device).toBe("webgpu");
      expect([...(await there.data())]).toEqual(near(expected));
      const here = devicePut(v, "wasm");
      setDefaultDevice("webgpu");
      const result = program(here);
      expect(result.device).toBe("wasm");
      expect([...result.dataSync()]).toEqual(near(expected));
    });
  });

  test("a training loop: donation, no recompilation for a step count and a learning rate that change", async () => {
    setDefaultDevice("webgpu");
    const step = jit(
      (w: NDArray, rate: NDArray, count: NDArray) => {
        const g = grad((u: NDArray) => np.sum(np.square(u.sub(3))))(w);
        return w.sub(g.mul(rate).div(count));
      },
      { donateArgnums: [0] },
    );
    let w: NDArray = np.zeros([64]);
    const losses: Promise<unknown>[] = [];
    for (let i = 1; i <= 3; i++) w = step(w, 0.1 / i, i);
    await w.blockUntilReady();
    const before = memoryStats("webgpu");
    for (let i = 4; i <= 20; i++) {
      w = step(w, 0.1 / i, i);
      losses.push(w.slice(0).data());
    }
    await Promise.all(losses);
    const { counters, liveArrays } = memoryStats("webgpu");
    expect(counters.pipelines - before.counters.pipelines).toBeLessThanOrEqual(1);
    expect(liveArrays).toBeLessThanOrEqual(before.liveArrays + 17);
    expect((await w.data())[63]).toBeGreaterThan(0.5);
  });

  test("float64 is refused where it arises", () => {
    setDefaultDevice("webgpu");
    expect(() => jit((x: NDArray) => np.sum(x.astype("float64")).astype("float32"))(np.ones([3]))).toThrowError(
      /device "webgpu" has no float64 \[dtype-device\]\n {2}value {2}f64\[3\], made by convert_element_type/,
    );
  });

  test("reading at once, printing, moving", async () => {
    setDefaultDevice("webgpu");
    const x = np.arange(3).mul(2);
    expect(() => x.js()).toThrowError(/js\(\) reads at once, and device "webgpu" can only be awaited \[async-read\]/);
    expect(inspect(x)).toBe("Array(shape=[3], dtype=int32, device=webgpu, read with await x.data())");
    expect((await devicePutAsync(x, "wasm")).js()).toEqual([0, 2, 4]);
  });

  test("explain shows WGSL; profile the kernels", async () => {
    setDefaultDevice("webgpu");
    const f = jit((x: NDArray) => nn.softmax(x, -1));
    const x = np.ones([4, 8]);
    const { device, kernels, code } = explain(f)(x);
    expect(device).toBe("webgpu");
    expect(kernels).toMatch(/^#0 nest /);
    expect(code).toMatch(/@compute @workgroup_size/);
    await f(x).blockUntilReady();
    const { kernels: profiled, result } = await profile(f)(x);
    expect(profiled.map((k) => [k.device, k.launches])).toEqual([["webgpu", 1]]);
    expect((await result.data())[31]).toBeCloseTo(1 / 8, 6);
  });

  test("arrays that nobody holds give their storage back", async () => {
    setDefaultDevice("webgpu");
    const { allocatedBytes } = memoryStats("webgpu");
    await (async () => {
      for (let i = 0; i < 10; i++) await np.ones([5000]).add(i).blockUntilReady();
    })();
    for (let i = 0; i < 100 && memoryStats("webgpu").allocatedBytes > allocatedBytes; i++) {
      if (i % 20 === 0) globalThis.gc!();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(memoryStats("webgpu").allocatedBytes).toBeLessThanOrEqual(allocatedBytes);
  });

  test("the limits that every device has", async () => {
    await expect(init({ device: "webgpu", limits: "default" })).rejects.toThrowError(/\[init-options\]/);
  });

  test("a lost device, and the next", async () => {
    const lose: (() => void)[] = [];
    registerLoader("webgpu", async ({ limits }) => {
      const backend = await createWebgpuBackend({ defaultLimits: limits === "default" });
      lose.push(() => (backend as unknown as { context: { device: GPUDevice } }).context.device.destroy());
      return new CompiledDevice(backend, compile);
    }); // forgets the device that was prepared
    await init({ device: "webgpu", limits: "default" });
    setDefaultDevice("webgpu");
    const x = np.ones([3]).add(1);
    expect([...(await x.data())]).toEqual([2, 2, 2]);
    const reading = x.mul(2).data();
    lose[0]!();
    await expect(Promise.race([reading.then(() => x.mul(3).data()), reading])).rejects.toThrowError(/\[device-lost\]/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(() => x.add(1)).toThrowError(/\[device-lost\][\s\S]*init\("webgpu"\)/);
    expect(() => np.ones([3])).toThrowError(/\[device-lost\]/);
    await init({ device: "webgpu", limits: "default" });
    expect(defaultDevice()).toBe("webgpu");
    expect([...(await np.ones([3]).add(1).data())]).toEqual([2, 2, 2]);
    await expect(x.data()).rejects.toThrowError(/\[device-lost\]/);
    lose[1]!();
  });
});
