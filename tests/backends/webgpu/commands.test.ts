import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WebgpuBuffer } from "../../../src/backends/webgpu/buffer.js";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import {
  addProgram,
  available,
  download,
  fn,
  input,
  launch,
  output,
  program,
  shiftKernel,
  toyDevice,
  upload,
} from "./toy.js";

const n = 100;
const a = Array.from({ length: n }, (_, i) => i);

describe.skipIf(!available)("calls of one turn share a submit", () => {
  let device: WebgpuDevice;
  beforeEach(async () => {
    device = await toyDevice();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    device.dispose();
  });

  /** What happens to the counters until the end of the turn. */
  const submits = async (work: () => void): Promise<number> => {
    const before = device.context.counters.submits;
    work();
    await Promise.resolve();
    return device.context.counters.submits - before;
  };
  const call = (f: ReturnType<WebgpuDevice["compile"]>, ...inputs: Parameters<typeof f.run>[0]): WebgpuBuffer => {
    const out = device.allocate(4 * n);
    f.run(inputs, [out]);
    return out;
  };

  test("as many as fit, and what is worth it goes at once", async () => {
    const f = device.compile(addProgram(n));
    await f.ready();
    const x = upload(device, a);
    let y = x;
    expect(await submits(() => void (y = call(f, call(f, x, x), x)))).toBe(1);
    expect((await download(device, y))[5]).toBe(15);
    const chain = (): void => {
      for (let i = 0; i < 150; i++) y = call(f, y, x);
    };
    expect(await submits(chain)).toBe(3);
    expect((await download(device, y))[5]).toBe(15 + 150 * 5);
  });

  test("a block that serves again is not written while what is encoded still reads it", async () => {
    const f = device.compile(addProgram(n));
    await f.ready();
    const y = upload(device, a);
    const sums: WebgpuBuffer[] = [];
    for (let k = 0; k < 10; k++) {
      const x = upload(
        device,
        a.map(() => k),
      );
      sums.push(call(f, x, y));
      device.free(x);
    }
    const got = await Promise.all(sums.map((s) => download(device, s)));
    expect(got.map((s) => s[7])).toEqual(sums.map((_, k) => 7 + k));
  });

  test("nor is one destroyed", async () => {
    const f = device.compile(addProgram(n));
    await f.ready();
    const x = upload(device, a);
    await device.settled();
    const block = x.block!;
    const destroyed = vi.spyOn(block.gpu, "destroy");
    const y = call(f, x, x);
    const before = device.context.counters.submits;
    block.failure = new Error("given up") as never;
    device.free(x);
    expect(destroyed).toHaveBeenCalled();
    expect(device.context.counters.submits).toBe(before + 1);
    expect((await download(device, y))[3]).toBe(6);
  });

  test("each has its own scalars, however many they are", async () => {
    const p = program([shiftKernel(n)], fn("shift", [n, 1], [n], [launch(0, input(0), input(1), output(0))]));
    const f = device.compile(p);
    await f.ready();
    const x = upload(device, a);
    const shifts = Array.from({ length: 200 }, (_, i) => Math.floor(i / 2) / 4);
    for (let round = 0; round < 2; round++) {
      const outs: WebgpuBuffer[] = [];
      const used = await submits(() => {
        for (const scalar of shifts) outs.push(call(f, x, { scalar, dtype: "float32" }));
      });
      expect(used).toBeLessThan(8);
      const got = await Promise.all(outs.map((o) => download(device, o)));
      expect(got.map((g) => g[3]! - 3)).toEqual(shifts);
      for (const o of outs) device.free(o);
    }
  });

  test("what is large and may find no memory shares with none: others' results are not lost with it", async () => {
    const large = 2 ** 19;
    const [small, f] = [device.compile(addProgram(n)), device.compile(addProgram(large))];
    await Promise.all([small.ready(), f.ready()]);
    const x = upload(device, a);
    const big = upload(device, new Array<number>(large).fill(1));
    await device.settled();
    const gpu = device.context.device;
    const create = gpu.createBuffer.bind(gpu);
    vi.spyOn(gpu, "createBuffer").mockImplementation((descriptor) => {
      if (descriptor.label !== `array ${4 * large}`) return create(descriptor);
      gpu.pushErrorScope("validation");
      const none = create({ size: 16, usage: 0xffff });
      void gpu.popErrorScope();
      return none;
    });
    const before = call(small, x, x);
    const lost = device.allocate(4 * large);
    f.run([big, big], [lost]);
    const after = call(small, before, x);
    await expect(device.read(lost, new Float32Array(large))).rejects.toThrow(/add/);
    expect((await download(device, before))[3]).toBe(6);
    expect((await download(device, after))[3]).toBe(9);
  });

  test("what is small and finds none tells so to all that came with it, and the next turn works", async () => {
    const f = device.compile(addProgram(n));
    await f.ready();
    const x = upload(device, a);
    await device.settled();
    const gpu = device.context.device;
    const pop = gpu.popErrorScope.bind(gpu);
    let scopes = 0;
    const mock = vi.spyOn(gpu, "popErrorScope").mockImplementation(async () => {
      const error = await pop();
      return scopes++ % 2 === 0 ? error : { message: "no memory" };
    });
    const create = vi.spyOn(gpu, "createBuffer").mockImplementation((descriptor) => {
      create.mockRestore();
      return gpu.createBuffer({ ...descriptor, usage: 0xffff });
    });
    const [y, z] = [call(f, x, x), call(f, x, x)];
    const failures = [y, z].map((r) => device.read(r, new Float32Array(n)).catch((e: unknown) => e));
    for (const failure of failures) expect(await failure).toMatchObject({ code: "out-of-memory" });
    mock.mockRestore();
    device.free(y);
    device.free(z);
    expect((await download(device, call(f, x, x)))[3]).toBe(6);
  });
});
