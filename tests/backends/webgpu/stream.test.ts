import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import { type Entry, Stream } from "../../../src/backends/webgpu/stream.js";
import type { TsaxError } from "../../../src/core/errors.js";
import { addProgram, available, download, toyDevice, upload } from "./toy.js";

describe("the line", () => {
  const done: string[] = [];
  const entry = (name: string, wait?: Promise<void>, run?: () => void): Entry => {
    let waited = wait === undefined;
    return {
      waits: () => (waited ? undefined : wait!.then(() => void (waited = true))),
      execute: () => {
        run?.();
        done.push(name);
      },
      fail: (e: TsaxError) => done.push(`${name}: ${e.message.split(" [")[0]}`),
    };
  };
  const gate = (): { promise: Promise<void>; open: () => void } => {
    let open!: () => void;
    return { promise: new Promise((resolve) => (open = resolve)), open };
  };
  const reset = (): Stream => {
    done.length = 0;
    return new Stream();
  };

  test("what need not wait is done at once", () => {
    const s = reset();
    s.push(entry("a"));
    expect(done).toEqual(["a"]);
    expect(s.idle).toBe(true);
  });

  test("what waits holds up what comes after", async () => {
    const s = reset();
    const [first, second] = [gate(), gate()];
    s.push(entry("a", first.promise));
    s.push(entry("b"));
    s.push(entry("c", second.promise));
    s.push(entry("d"));
    expect([...done]).toEqual([]);
    expect(s.idle).toBe(false);
    first.open();
    await new Promise(setImmediate);
    expect([...done]).toEqual(["a", "b"]);
    second.open();
    await new Promise(setImmediate);
    expect([...done]).toEqual(["a", "b", "c", "d"]);
    expect(s.idle).toBe(true);
  });

  test("an entry that throws is told so, and those behind it go on", () => {
    const s = reset();
    const bad = (): never => {
      throw new TypeError("boom");
    };
    s.push(entry("a", undefined, bad));
    s.push(entry("b"));
    expect(done).toEqual(["a: internal: boom", "b"]);
  });

  test("what an entry adds comes after it", () => {
    const s = reset();
    s.push(entry("a", undefined, () => s.push(entry("b"))));
    expect(done).toEqual(["a", "b"]);
  });

  test("a flush waits for nothing, and a gate that opens afterwards changes nothing", async () => {
    const s = reset();
    const g = gate();
    s.push(entry("a", g.promise));
    s.push(entry("b"));
    s.flush();
    expect([...done]).toEqual(["a", "b"]);
    const later = gate();
    s.push(entry("c", later.promise));
    g.open();
    await new Promise(setImmediate);
    expect([...done]).toEqual(["a", "b"]);
    later.open();
    await new Promise(setImmediate);
    expect([...done]).toEqual(["a", "b", "c"]);
  });
});

describe.skipIf(!available)("on a device", () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await toyDevice();
  });
  afterAll(() => device.dispose());

  const n = 50;
  const filled = (x: number): number[] => Array.from({ length: n }, () => x);

  test("writes, runs, reads and frees keep their order while pipelines compile", async () => {
    const f = device.compile(addProgram(n));
    expect(device.stream.idle).toBe(true);
    const x = upload(device, filled(1));
    const [first, second] = [device.allocate(4 * n), device.allocate(4 * n)];
    f.run([x, x], [first]);
    expect(device.stream.idle).toBe(false);
    const beforeWrite = download(device, x);
    const data = new Float32Array(filled(10));
    device.write(x, data);
    data.fill(77); // the device has a copy
    f.run([x, first], [second]);
    const results = [first, second, x].map((b) => download(device, b));
    [first, second, x].forEach((b) => device.free(b));
    // Blocks given back above serve this one.
    const late = upload(device, filled(-5));
    const [one, two, ten] = (await Promise.all(results)).map((r) => r[n - 1]);
    expect([one, two, ten]).toEqual([2, 12, 10]);
    expect((await beforeWrite)[0]).toBe(1);
    expect((await download(device, late))[7]).toBe(-5);
  });

  test("calls that wait take memory in their turn: a chain of them needs that of two", async () => {
    const length = 1000;
    const f = device.compile(addProgram(length));
    const one = upload(
      device,
      Array.from({ length }, () => 1),
    );
    let x = one;
    const before = device.stats().counters.buffers;
    for (let i = 0; i < 20; i++) {
      const next = device.allocate(4 * length);
      f.run([x, one], [next]);
      if (x !== one) device.free(x);
      x = next;
    }
    expect(device.stream.idle).toBe(false);
    expect((await download(device, x))[999]).toBe(21);
    expect(device.stats().counters.buffers - before).toBeLessThanOrEqual(3); // two, and one to read
  });

  test("a read that is under way does not hold up later work, nor does that disturb it", async () => {
    const f = device.compile(addProgram(n, 0));
    await f.ready();
    const [x, y] = [upload(device, filled(1)), upload(device, filled(2))];
    const reads: Promise<number[]>[] = [];
    for (let i = 0; i < 20; i++) {
      f.run([x, y], [x]);
      reads.push(download(device, x));
    }
    expect(device.stream.idle).toBe(true);
    expect((await Promise.all(reads)).map((r) => r[0])).toEqual(reads.map((_, i) => 3 + 2 * i));
    // Staging memory serves again.
    const before = device.stats().counters.buffers;
    await download(device, x);
    expect(device.stats().counters.buffers).toBe(before);
  });

  test("settled: everything before is done", async () => {
    const f = device.compile(addProgram(60));
    const x = device.allocate(240);
    device.write(x, new Float32Array(60).fill(3));
    f.run([x, x], [x]);
    await device.settled();
    expect(device.stream.idle).toBe(true);
    expect((await download(device, x))[59]).toBe(6);
  });

  test("arrays without elements", async () => {
    const x = device.allocate(0);
    device.write(x, new Float32Array(0));
    await device.read(x, new Float32Array(0));
    device.free(x);
  });
});
