import { afterEach, describe, expect, test, vi } from "vitest";
import { requestDevice } from "../../../src/backends/webgpu/adapter.js";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import { defaultLimits } from "../../../src/backends/webgpu/dispatch.js";
import { DeviceError } from "../../../src/core/errors.js";
import { testGpu } from "../../gpu/adapter.js";
import { addProgram, available, download, toyDevice, upload } from "./toy.js";

const n = 64;
const ones = Array.from({ length: n }, () => 1);
const failure = (p: Promise<unknown>): Promise<unknown> =>
  p.then(
    () => "resolved",
    (e: unknown) => e,
  );
function isLost(e: unknown): void {
  expect(e).toBeInstanceOf(DeviceError);
  expect((e as DeviceError).code).toBe("device-lost");
  expect((e as DeviceError).message).toContain('await init("webgpu") again');
}

// Names of WebGPU's classes, for spies.
if (available) await testGpu();

describe.skipIf(!available)("a device that is lost", () => {
  /** Everything that can be under way, then the loss. */
  async function lose(device: WebgpuDevice, how: () => void): Promise<void> {
    const x = upload(device, ones);
    const warm = device.compile(addProgram(n));
    await warm.ready();
    warm.run([x, x], [x]);
    const pending: Promise<unknown>[] = [download(device, x), device.settled()];
    // This one waits for its pipeline, and so does all that comes after.
    const cold = device.compile(addProgram(n + 1));
    const y = device.allocate(4 * (n + 1));
    cold.run([y, y], [y]);
    pending.push(download(device, y), download(device, x), device.settled([y]), cold.ready());
    const outcomes = pending.map(failure);
    how();
    (await Promise.all(outcomes)).forEach(isLost);
    isLost(device.lost());
    isLost(await failure(download(device, x)));
    isLost(await failure(device.settled()));
    isLost(await failure(warm.ready()));
    for (const use of [
      () => device.allocate(16),
      () => device.write(x, new Float32Array(n)),
      () => warm.run([x, x], [x]),
      () => device.compile(addProgram(n)),
    ]) {
      try {
        use();
        expect.unreachable();
      } catch (e) {
        isLost(e);
      }
    }
    device.free(x); // nothing to complain about
    device.free(y);
  }

  test("by itself: everything under way and everything later says so, and nothing hangs", async () => {
    const device = await toyDevice();
    await lose(device, () => device.context.device.destroy());
  });

  test("given up", async () => {
    const device = await toyDevice();
    await lose(device, () => device.dispose());
    expect(device.lost()!.message).toContain("was given up");
  });

  test("a new one works", async () => {
    const device = await toyDevice();
    device.context.device.destroy();
    await expect(device.settled()).rejects.toThrow(/lost/);
    const next = await toyDevice();
    const x = upload(next, ones);
    next.compile(addProgram(n)).run([x, x], [x]);
    expect(await download(next, x)).toEqual(ones.map(() => 2));
    next.dispose();
  });
});

describe.skipIf(!available)("memory", () => {
  test("sizes beyond the limits are refused at once, with the limit", async () => {
    const device = await toyDevice({ defaultLimits: true });
    expect(() => device.allocate(2 ** 28)).toThrow(
      /268435456 bytes[^]*\[buffer-limit\][^]*maxStorageBufferBindingSize {2}134217728 bytes/,
    );
    device.dispose();
  });

  test("a cap on all arrays", async () => {
    const device = await toyDevice({ maxBytes: 10_000 });
    const x = device.allocate(6_000);
    expect(() => device.allocate(6_000)).toThrow(/no room for 6000 bytes \[out-of-memory\]/);
    device.free(x);
    device.allocate(6_000);
    device.dispose();
  });

  test("what the device has no memory for fails where it is read, and what is small goes on", async () => {
    const device = await toyDevice();
    const { maxBufferSize } = device.context.device.limits;
    const bytes = Math.min(maxBufferSize, 2 ** 30);
    const out = await (async () => {
      // As many as it takes: machines with memory for more than this have none of the error.
      for (let i = 0; i < 8; i++) {
        const big = device.allocate(bytes);
        device.write(big, new Float32Array(4));
        const e = await failure(device.read(big, new Float32Array(4)));
        if (e !== "resolved") return { error: e, big };
      }
      return undefined;
    })();
    if (out) {
      expect(out.error).toBeInstanceOf(DeviceError);
      expect((out.error as DeviceError).code).toBe("out-of-memory");
      const small = upload(device, ones);
      const f = device.compile(addProgram(n));
      const after = device.allocate(4 * n);
      f.run([out.big, small], [after]);
      await expect(download(device, after)).rejects.toBe(out.error);
      f.run([small, small], [after]);
      expect((await download(device, after))[0]).toBe(2);
      // The block that could not be made does not serve again.
      device.free(out.big);
    }
    device.dispose();
  });
});

test.skipIf(!available)("an error that no call asked about shows at the next read, once", async () => {
  const device = await toyDevice();
  const x = upload(device, ones);
  await device.settled();
  device.context.device.createBuffer({ size: 16, usage: 0xffff });
  await expect(download(device, x)).rejects.toThrow(/WebGPU refused a command/);
  expect(await download(device, x)).toEqual(ones);
  device.dispose();
});

test.skipIf(!available)("in Firefox, reads are nudged as long as there are any", async () => {
  vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" });
  const device = await toyDevice();
  vi.unstubAllGlobals();
  const { queue } = device.context.device;
  const nudges = vi.spyOn(queue, "submit");
  const count = (): number => nudges.mock.calls.filter(([buffers]) => [...buffers].length === 0).length;
  const mapAsync = vi.spyOn(GPUBuffer.prototype, "mapAsync").mockImplementation(async function (this: GPUBuffer) {
    await new Promise((done) => setTimeout(done, 30));
    mapAsync.mockRestore();
    return this.mapAsync(1);
  });
  const x = upload(device, ones);
  expect(await download(device, x)).toEqual(ones);
  expect(count()).toBeGreaterThan(0);
  const after = count();
  await new Promise((done) => setTimeout(done, 20));
  expect(count()).toBe(after);
  device.dispose();
});

describe("preparing", () => {
  afterEach(() => vi.unstubAllGlobals());

  test.skipIf(!available)("the limits of the adapter, or those that every device has", async () => {
    const plain = await toyDevice({ defaultLimits: true });
    for (const [name, value] of Object.entries(defaultLimits)) {
      expect(plain.specialiseContext.limits[name as keyof typeof defaultLimits]).toBe(value);
    }
    expect(plain.traits).toMatchObject({ maxBuffers: 7, arenaAlignment: 256 });
    expect(plain.supports("float32")).toBe(true);
    expect(plain.supports("float64")).toBe(false);
    const x = upload(plain, ones);
    plain.compile(addProgram(n)).run([x, x], [x]);
    expect((await download(plain, x))[n - 1]).toBe(2);
    plain.dispose();
    const full = await toyDevice();
    expect(full.traits.maxBuffers).toBeGreaterThanOrEqual(7);
    full.dispose();
  });

  test("no adapter, no WebGPU, no secure context: errors that say what to do", async () => {
    vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(null) } });
    await expect(requestDevice()).rejects.toThrow(/no adapter[^]*\[device-unavailable\][^]*driver/);
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("process", undefined);
    await expect(requestDevice()).rejects.toThrow(/this browser has no WebGPU/);
    vi.stubGlobal("isSecureContext", false);
    await expect(requestDevice()).rejects.toThrow(/secure context[^]*https/);
  });

  test("an adapter that gives no device", async () => {
    const adapter = {
      features: new Set(),
      limits: {},
      requestDevice: () => Promise.reject(new Error("busy")),
    };
    vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
    await expect(requestDevice()).rejects.toMatchObject({ code: "device-unavailable", cause: { message: "busy" } });
  });
});

describe.skipIf(!available)("a profile", () => {
  test("has the launches in their order, timed where the device can", async () => {
    const device = await toyDevice();
    const f = device.compile(addProgram(n));
    const x = upload(device, ones);
    f.run([x, x], [x]);
    const recording = device.profile();
    expect(() => device.profile()).toThrow(/already/);
    f.run([x, x], [x]);
    f.run([x, x], [x]);
    const launches = await recording.stop();
    expect(launches.map((l) => [l.program, l.kernel, l.flops])).toEqual([
      ["add", "add", n],
      ["add", "add", n],
    ]);
    const timed = device.context.device.features.has("timestamp-query");
    for (const { nanoseconds } of launches) {
      if (timed) expect(nanoseconds).toBeGreaterThanOrEqual(0);
      else expect(nanoseconds).toBeUndefined();
    }
    expect((await download(device, x))[0]).toBe(8);
    device.dispose();
  });
});
