import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { requestDevice } from "../../src/backends/webgpu/adapter.js";
import { type DeviceOptions, WebgpuDevice } from "../../src/backends/webgpu/device.js";
import { lowerKernel } from "../../src/backends/webgpu/lower.js";
import { compile } from "../../src/compiler/index.js";
import { defaultDevice, jit, lax, type NDArray, numpy as np, setDefaultDevice } from "../../src/index.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { registerDevice } from "../../src/runtime/devices.js";
import { webgpu } from "./webgpu.js";

/** What can go wrong while a loop is under way, which takes many turns of the event loop. */

const home = defaultDevice();
const made: WebgpuDevice[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const device of made.splice(0)) device.dispose();
});
afterAll(() => setDefaultDevice(home));

/** A device of this test's own, which arrays are made on; short submits make pauses. */
async function fresh(options: Partial<DeviceOptions> = {}): Promise<WebgpuDevice> {
  const submitCap = { dispatches: 64, work: Infinity };
  const device = new WebgpuDevice(await requestDevice(), { lower: lowerKernel, submitCap, ...options });
  made.push(device);
  registerDevice(new CompiledDevice(device, compile), false);
  setDefaultDevice("webgpu");
  return device;
}

const f32 = (data: number | readonly number[]): NDArray => np.array(data as never, { dtype: "float32" });
const values = async (x: NDArray): Promise<number[]> => Array.from((await x.data()) as Float32Array);
const failure = (x: NDArray): Promise<unknown> =>
  x.data().then(
    () => "a value",
    (e: unknown) => e,
  );
/** The same value, by a kernel that no loop is one kernel with. */
const apart = (x: NDArray): NDArray =>
  np
    .sort(np.stack([x, x]), 0)
    .at(0)
    .get();

/** Loops of many turns, each with what it gives for [0, 1]. */
const loops: Readonly<Record<string, readonly [(x: NDArray) => NDArray, readonly number[]]>> = {
  "rounds that are recorded": [
    (x) => lax.scan((c: NDArray, v: NDArray) => [apart(c.mul(0.5).add(v)), null], x, np.ones([300]))[0],
    [2, 2],
  ],
  "rounds until data says so": [
    (x) =>
      lax.whileLoop(
        (c: NDArray) => c.at(0).get().less(200),
        (c: NDArray) => apart(c.add(1)),
        x,
      ),
    [200, 201],
  ],
  "loops in rounds": [
    (x) =>
      lax.scan(
        (c: NDArray, end: NDArray) => [
          lax.whileLoop(
            (d: NDArray) => d.at(0).get().less(end),
            (d: NDArray) => apart(d.add(1)),
            c,
          ),
          null,
        ],
        x,
        np.arange(12).mul(10),
      )[0],
    [110, 111],
  ],
};

/** A call of a loop, part of which the device has been given. */
async function underWay<R>(device: WebgpuDevice, call: () => R): Promise<R> {
  const before = device.context.counters.submits;
  const result = call();
  while (device.context.counters.submits === before) await new Promise((done) => setTimeout(done, 1));
  expect(device.stream.idle).toBe(false);
  return result;
}

/** Buffers whose label begins so cannot be made, as if the device had no memory for them. */
function withoutMemory(
  device: WebgpuDevice,
  label: string,
): { readonly over: () => void; readonly count: () => number } {
  const gpu = device.context.device;
  const create = gpu.createBuffer.bind(gpu);
  const push = gpu.pushErrorScope.bind(gpu);
  const pop = gpu.popErrorScope.bind(gpu);
  const scopes: GPUErrorFilter[] = [];
  let [refused, count] = [false, 0];
  const spies = [
    vi.spyOn(gpu, "createBuffer").mockImplementation((descriptor) => {
      if (!descriptor.label?.startsWith(label)) return create(descriptor);
      refused = true;
      count++;
      push("validation");
      const none = create({ size: 16, usage: 0xffff });
      void pop();
      return none;
    }),
    vi.spyOn(gpu, "pushErrorScope").mockImplementation((filter) => {
      scopes.push(filter);
      push(filter);
    }),
    vi.spyOn(gpu, "popErrorScope").mockImplementation(async () => {
      const isOfMemory = scopes.pop() === "out-of-memory";
      const error = pop();
      if (!isOfMemory || !refused) return error;
      refused = false;
      await error;
      return { message: "no memory" };
    }),
  ];
  return { over: () => spies.forEach((s) => s.mockRestore()), count: () => count };
}

describe.skipIf(!webgpu)("while a loop is under way on webgpu", () => {
  describe.each(Object.entries(loops))("%s", (_, [loop, expected]) => {
    test("the device is lost: the loop and all behind it say so, and a new device works", async () => {
      const f = jit(loop);
      for (const how of ["destroy", "dispose"] as const) {
        const device = await fresh();
        const x = f32([0, 1]);
        const { y, z, read } = await underWay(device, () => {
          const y = f(x);
          const z = f(y).add(1);
          return { y, z, read: [failure(y), failure(z)] };
        });
        if (how === "destroy") device.context.device.destroy();
        else device.dispose();
        for (const e of await Promise.all([...read, failure(x)])) expect(e).toMatchObject({ code: "device-lost" });
        expect(device.stream.idle).toBe(true);
        expect(() => f(x)).toThrow(/\[device-lost\]/);
        y.dispose();
        z.dispose();
      }
      await fresh();
      expect(await values(f(f32([0, 1])))).toEqual(expected);
    });

    test("two tasks queue theirs, and others' calls stand between", async () => {
      await fresh();
      const f = jit(loop);
      const task = async (k: number): Promise<number[][]> => {
        const got: number[][] = [];
        for (let i = 0; i < 2; i++) {
          const y = f(f32([0, 1]));
          const small = np
            .sin(f32([k]))
            .mul(0)
            .add(k);
          got.push(await values(y.add(small)));
          y.dispose();
        }
        return got;
      };
      const [a, b] = await Promise.all([task(1), task(5)]);
      for (const [got, k] of [
        [a, 1],
        [b, 5],
      ] as const) {
        expect(got).toEqual([expected.map((v) => v + k), expected.map((v) => v + k)]);
      }
    });

    test("its operand and its result are given up, and what was theirs is used by others", async () => {
      const device = await fresh();
      const f = jit(loop);
      const x = f32([0, 1]);
      const more = jit((v: NDArray) => v.add(100));
      const others = Array.from({ length: 5 }, (_, k) => f32([k, k]));
      const before = device.stats().allocatedBytes;
      const [y, unread] = await underWay(device, () => [f(x), f(x)] as const);
      x.dispose();
      unread.dispose();
      const sums = others.map((v) => more(v));
      expect(await values(y)).toEqual(expected);
      expect(await Promise.all(sums.map(values))).toEqual(others.map((_, k) => [100 + k, 100 + k]));
      for (const a of [y, ...sums]) a.dispose();
      expect(device.stream.idle).toBe(true);
      // Without the operand.
      expect(device.stats().allocatedBytes).toBe(before - 8);
    });

    test.each(["arena", "array", "control"])(
      "there is no memory (%s): it ends, and the next call works",
      async (label) => {
        const device = await fresh();
        const x = f32([0, 1]);
        await values(x);
        const f = jit(loop);
        const memory = withoutMemory(device, label);
        const before = device.context.counters.dispatches;
        const y = f(x);
        const behind = y.add(1);
        const errors = await Promise.all([failure(y), failure(behind)]);
        expect(memory.count()).toBeGreaterThan(0);
        for (const e of errors) expect(e).toMatchObject({ code: "out-of-memory" });
        // Not all of its rounds were handed over in vain.
        expect(device.context.counters.dispatches - before).toBeLessThan(500);
        memory.over();
        expect(await values(x)).toEqual([0, 1]);
        expect(await values(f(x))).toEqual(expected);
        await expect(y.add(2).data()).rejects.toBe(errors[0]);
        await device.settled();
      },
    );

    test("something of ours throws: it fails with that, and the next call works", async () => {
      const device = await fresh();
      const f = jit(loop);
      const x = f32([0, 1]);
      await values(f(x));
      const read = await underWay(device, () => {
        const y = f(x);
        return [failure(y), failure(y.add(1))];
      });
      vi.spyOn(device.context.device, "createCommandEncoder").mockImplementationOnce(() => {
        throw new RangeError("no encoder");
      });
      for (const e of await Promise.all(read)) {
        expect(e).toMatchObject({ code: "internal" });
        expect(String(e)).toContain("no encoder");
      }
      expect(await values(f(x))).toEqual(expected);
      await device.settled();
    });
  });

  test("what a loop goes by failed: it does not go on for ever", async () => {
    const device = await fresh();
    const scaled = jit((x: NDArray, k: NDArray) => x.mul(k));
    // Never ends by zeros, which memory that nothing was written to has.
    const until = jit((x: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => c.at(0).get().less(1),
        (c: NDArray) => apart(c.mul(2)),
        x,
      ),
    );
    const x = f32([1, 2]);
    await values(until(x));
    const memory = withoutMemory(device, "scalars");
    const y = scaled(x, 3 as never);
    const errors = await Promise.all([failure(y), failure(until(y))]);
    expect(memory.count()).toBe(1);
    for (const e of errors) expect(e).toMatchObject({ code: "out-of-memory" });
    expect(device.stream.idle).toBe(true);
    memory.over();
    expect(await values(until(scaled(x, 4 as never)))).toEqual([4, 8]);
  });

  test("a kernel in its rounds is refused: the call says so, and others go on", async () => {
    let refuse = true;
    const lower: DeviceOptions["lower"] = (kernel, launch) => {
      const code = lowerKernel(kernel, launch);
      if (kernel.kind !== "sort" || !refuse) return code;
      return { ...code, dispatches: code.dispatches.map((d) => ({ ...d, wgsl: `${d.wgsl}\nnonsense(;` })) };
    };
    const device = await fresh({ lower });
    const x = f32([0, 1]);
    for (const [loop, expected] of Object.values(loops)) {
      refuse = true;
      const y = jit((v: NDArray) => loop(v))(x);
      const z = x.add(1);
      await expect(y.data()).rejects.toThrow(/WebGPU refused the code of kernel/);
      expect(await values(z)).toEqual([1, 2]);
      refuse = false;
      expect(await values(jit((v: NDArray) => loop(v.add(0)))(x))).toEqual(expected);
    }
    await device.settled();
  });

  test("a profile has every dispatch of every round, timed where the device can", async () => {
    const device = await fresh();
    const f = jit(loops["rounds that are recorded"]![0]);
    const x = f32([0, 1]);
    await values(f(x));
    const before = device.context.counters.dispatches;
    const recording = device.profile();
    await values(f(x));
    const launches = await recording.stop();
    expect(launches).toHaveLength(device.context.counters.dispatches - before);
    const timed = launches.filter((l) => l.nanoseconds !== undefined);
    expect(timed).toHaveLength(device.context.device.features.has("timestamp-query") ? launches.length : 0);
  });
});
