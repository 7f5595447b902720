import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuBuffer } from "../../../src/backends/webgpu/buffer.js";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import { TsaxError } from "../../../src/core/errors.js";
import type { DeviceCounters } from "../../../src/kernel-ir/backend.js";
import { interpretProgram } from "../../../src/kernel-ir/interpreter.js";
import type { BufferRef, Program, Step } from "../../../src/kernel-ir/program.js";
import { op } from "../../../src/kernel-ir/scalar.js";
import {
  addKernel,
  addProgram,
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
  partKernel,
  program,
  shiftKernel,
  toyDevice,
  upload,
} from "./toy.js";

let device: WebgpuDevice;
beforeAll(async () => {
  if (available) device = await toyDevice();
});
afterAll(() => device?.dispose());

/** What a program gives for arrays of these numbers, on the device and by the interpreter. */
async function both(p: Program, ...inputs: number[][]): Promise<{ device: number[][]; interpreted: number[][] }> {
  const outputs = p.functions[0]!.outputs.map((o) => device.allocate(o.bytes));
  device.compile(p).run(
    inputs.map((x) => upload(device, x)),
    outputs,
  );
  const got = await Promise.all(outputs.map((o) => download(device, o)));
  const interpreted = interpretProgram(
    p,
    inputs.map((x): TypedArray => new Float32Array(x)),
  );
  return { device: got, interpreted: interpreted.map((x) => [...x]) };
}

/** Counters that a piece of work adds. */
async function counted(work: () => void | Promise<void>): Promise<DeviceCounters> {
  const before = device.stats().counters;
  await work();
  const after = device.stats().counters;
  const keys = Object.keys(before) as (keyof DeviceCounters)[];
  return Object.fromEntries(keys.map((k) => [k, after[k] - before[k]])) as unknown as DeviceCounters;
}

const n = 100;
const a = Array.from({ length: n }, (_, i) => i);
const b = Array.from({ length: n }, (_, i) => 2 * i + 1);

describe.skipIf(!available)("programs", () => {
  test("one launch", async () => {
    const r = await both(addProgram(n), a, b);
    expect(r.device).toEqual(r.interpreted);
    expect(r.device[0]![3]).toBe(10);
  });

  test("temporaries: what reads one and writes another finds them in different buffers", async () => {
    const p = program(
      [addKernel(n), mulKernel(n), negKernel(n)],
      fn(
        "chain",
        [n, n],
        [n, n],
        [
          launch(0, input(0), input(1), arena(0)),
          launch(1, arena(0), input(1), arena(512)),
          launch(2, arena(512), arena(1024)),
          launch(0, arena(0), arena(1024), arena(1536)),
          launch(1, arena(1536), arena(512), output(0)),
          launch(2, arena(0), output(1)),
        ],
        { arenaBytes: 2048 },
      ),
    );
    const r = await both(p, a, b);
    expect(r.device).toEqual(r.interpreted);
  });

  test("a place of the arena is used again for another value, and in place", async () => {
    const p = program(
      [addKernel(n), negKernel(n), mulKernel(n)],
      fn(
        "again",
        [n, n],
        [n],
        [
          launch(0, input(0), input(1), arena(0)),
          launch(1, arena(0), arena(0)), // in place
          launch(2, arena(0), input(0), arena(512)),
          launch(0, input(1), input(1), arena(0)), // another value
          launch(0, arena(0), arena(512), output(0)),
        ],
        { arenaBytes: 1024 },
      ),
    );
    const r = await both(p, a, b);
    expect(r.device).toEqual(r.interpreted);
  });

  test("a value written in pieces is one value", async () => {
    const p = program(
      [partKernel(n, 2 * n, 0), partKernel(n, 2 * n, n), negKernel(2 * n), negKernel(n)],
      fn(
        "pieces",
        [n, n],
        [2 * n],
        [
          launch(3, input(0), arena(1024)),
          launch(0, arena(1024), arena(0)),
          launch(1, input(1), arena(0)),
          launch(2, arena(0), output(0)),
        ],
        { arenaBytes: 2048 },
      ),
    );
    const outputs = device.allocate(8 * n);
    device.compile(p).run([upload(device, a), upload(device, b)], [outputs]);
    expect(await download(device, outputs)).toEqual([...a.map((x) => x), ...b.map((x) => -x)].map((x) => x + 0));
  });

  test("calls are followed, with their arenas behind the caller's; outputs that are inputs are copied", async () => {
    const inner = fn(
      "inner",
      [n, n],
      [n, n],
      [launch(0, input(0), input(1), arena(0)), launch(1, arena(0), output(0))],
      { arenaBytes: 512, outputIsInput: [null, 1] },
    );
    const p = program(
      [addKernel(n), negKernel(n)],
      fn(
        "outer",
        [n, n],
        [n, n],
        [
          { kind: "call", fn: 1, inputs: [input(0), input(1)], outputs: [arena(0), arena(512)] },
          { kind: "call", fn: 1, inputs: [arena(0), arena(512)], outputs: [output(0), output(1)] },
        ],
        { arenaBytes: 1024 },
      ),
      inner,
    );
    const r = await both(p, a, b);
    expect(r.device).toEqual(r.interpreted);
    expect(r.device[1]).toEqual(b);
  });

  test("copies keep the one pass", async () => {
    const p = program(
      [negKernel(n)],
      fn(
        "copies",
        [n],
        [n, n],
        [
          launch(0, input(0), arena(0)),
          { kind: "copy", from: arena(0), to: output(0), bytes: 4 * n },
          { kind: "copy", from: input(0), to: output(1), bytes: 4 * n },
        ],
        { arenaBytes: 512 },
      ),
    );
    const r = await both(p, a);
    expect(r.device).toEqual(r.interpreted);
  });

  test("scratch of a kernel of two dispatches, in place of its operand", async () => {
    const twice = elementwise("twice", n, 2, (x, y) => op("mul", [x, y]));
    const p = program(
      [addKernel(n), twice],
      fn(
        "scratch",
        [n, n],
        [n],
        [
          launch(0, input(0), input(1), arena(0)),
          launch(1, arena(0), input(1), arena(512)),
          launch(1, arena(512), arena(0), output(0)),
        ],
        { arenaBytes: 1024 },
      ),
    );
    const r = await both(p, a, b);
    expect(r.device).toEqual(r.interpreted);
  });

  test("random programs over an arena whose bytes serve again and again", async () => {
    let seed = 7;
    const random = (k: number): number => (seed = (seed * 48271) % 2147483647) % k;
    const kernels = [addKernel(n), negKernel(n), partKernel(n, 2 * n, 0), partKernel(n, 2 * n, n), addKernel(2 * n)];
    for (let round = 0; round < 60; round++) {
      // Eight places of n elements; a value of 2n takes two that are neighbours. Each place: what lies there.
      const places: ("free" | "one" | "low" | "high")[] = new Array<"free">(8).fill("free");
      const steps: Step[] = [];
      const at = (k: number): BufferRef => arena(512 * k);
      const operand = (): BufferRef => {
        const ones = places.flatMap((p, k) => (p === "one" ? [k] : []));
        return ones.length === 0 || random(4) === 0 ? input(random(2)) : at(ones[random(ones.length)]!);
      };
      const wides = (): number[] => places.flatMap((p, k) => (p === "low" ? [k] : []));
      for (let i = 0; i < 40; i++) {
        const k = random(7);
        const kind = random(5);
        if (kind === 4 && wides().length > 0) {
          const w = at(wides()[0]!);
          steps.push(launch(4, w, w, w));
        } else if (kind === 3 && places[k] === "free" && places[k + 1] === "free") {
          steps.push(launch(2, operand(), at(k)), launch(3, operand(), at(k)));
          [places[k], places[k + 1]] = ["low", "high"];
        } else if (kind === 2) {
          // Free something, a wide value whole.
          const start = places[k] === "high" ? k - 1 : k;
          if (places[start] === "low") places[start + 1] = "free";
          places[start] = "free";
        } else if (places[k] === "free" || places[k] === "one") {
          const [x, y] = [operand(), operand()];
          steps.push(kind === 0 ? launch(0, x, y, at(k)) : launch(1, x, at(k)));
          places[k] = "one";
        }
      }
      steps.push(launch(0, operand(), operand(), output(0)));
      const [wide] = wides();
      if (wide === undefined) steps.push(launch(2, operand(), output(1)), launch(3, operand(), output(1)));
      else steps.push(launch(4, at(wide), at(wide), output(1)));
      const p = program(kernels, fn("random", [n, n], [n, 2 * n], steps, { arenaBytes: 8 * 512 }));
      const r = await both(p, a.map(Math.fround), b);
      expect(r.device).toEqual(r.interpreted);
    }
  });

  test("steps that only the host can do are named", () => {
    const p: Program = {
      name: "host",
      kernels: [],
      functions: [fn("host", [1], [1], [{ kind: "callback", callback: 0, inputs: [input(0)], outputs: [output(0)] }])],
    };
    expect(device.lacks(p)).toBe("callbacks into JavaScript");
    expect(() => device.compile(p)).toThrow(/step of kind callback/);
  });

  test("long programs are cut into submits", async () => {
    const small = await toyDevice({ submitCap: { dispatches: 3, work: Infinity } });
    const steps = Array.from({ length: 7 }, (_, i) =>
      launch(0, i === 0 ? input(0) : arena(0), i === 6 ? output(0) : arena(0)),
    );
    const p = program([negKernel(n)], fn("long", [n], [n], steps, { arenaBytes: 512 }));
    const out = small.allocate(4 * n);
    small.compile(p).run([upload(small, a)], [out]);
    expect((await download(small, out))[5]).toBe(-5);
    expect(small.stats().counters).toMatchObject({ submits: 3, dispatches: 7 });
    small.dispose();
  });
});

describe.skipIf(!available)("donation", () => {
  test("an output in the storage of an input, or not, by the call", async () => {
    const f = device.compile(addProgram(n, 1));
    const [x, y] = [upload(device, a), upload(device, b)];
    f.run([x, y], [y]);
    f.run([x, y], [y]);
    const own = device.allocate(4 * n);
    f.run([x, y], [own]);
    expect((await download(device, y))[3]).toBe(7 + 3 + 3);
    expect((await download(device, own))[3]).toBe(16);
    f.run([x, x], [x]); // both operands
    expect((await download(device, x))[3]).toBe(6);
  });

  test("two outputs, each over the other's operand", async () => {
    const p = program(
      [addKernel(n), mulKernel(n)],
      fn(
        "both",
        [n, n],
        [n, n],
        [
          launch(0, input(0), input(1), arena(0)),
          launch(1, input(0), input(1), output(0)),
          { kind: "copy", from: arena(0), to: output(1), bytes: 4 * n },
        ],
        { arenaBytes: 512, outputReusesInput: [1, 0] },
      ),
    );
    const [x, y] = [upload(device, a), upload(device, b)];
    device.compile(p).run([x, y], [y, x]);
    expect((await download(device, y))[3]).toBe(21);
    expect((await download(device, x))[3]).toBe(10);
  });
});

describe.skipIf(!available)("what a warm call makes", () => {
  const none = { pipelines: 0, bindGroups: 0, buffers: 0 };

  test("donated state: nothing but one submit", async () => {
    const p = program(
      [addKernel(n), negKernel(n)],
      fn("step", [n, n], [n], [launch(0, input(0), input(1), arena(0)), launch(1, arena(0), output(0))], {
        arenaBytes: 512,
        outputReusesInput: [0],
      }),
    );
    const f = device.compile(p);
    const [x, y] = [upload(device, a), upload(device, b)];
    f.run([x, y], [x]);
    await device.settled([x]);
    const c = await counted(() => f.run([x, y], [x]));
    expect(c).toEqual({ ...none, submits: 1, dispatches: 2, flops: 2 * n, loadBytes: 12 * n, storeBytes: 8 * n });
  });

  test("disposed state: its blocks serve again", async () => {
    const f = device.compile(addProgram(n));
    let x = upload(device, a);
    const y = upload(device, b);
    const step = (): void => {
      const next = device.allocate(4 * n);
      f.run([x, y], [next]);
      device.free(x);
      x = next;
    };
    await f.ready();
    step();
    step();
    const c = await counted(() => {
      for (let i = 0; i < 10; i++) step();
    });
    expect(c).toMatchObject({ ...none, dispatches: 10, submits: 1 });
    expect((await download(device, x))[1]).toBe(1 + 12 * 3);
  });

  test("scalars that change", async () => {
    const p = program([shiftKernel(n)], fn("shift", [n, 1], [n], [launch(0, input(0), input(1), output(0))]));
    const f = device.compile(p);
    const x = upload(device, a);
    const outs: WebgpuBuffer[] = [];
    const step = (by: number): void => {
      const out = device.allocate(4 * n);
      f.run([x, { scalar: by, dtype: "float32" }], [out]);
      outs.push(out);
    };
    step(0.5);
    await device.settled();
    device.free(outs.pop()!);
    const c = await counted(() => step(0.25));
    expect(c).toMatchObject({ ...none, submits: 1 });
    step(-3);
    const got = await Promise.all(outs.map((o) => download(device, o)));
    expect(got.map((g) => g[2])).toEqual([2.25, -1]);
  });

  test("equal code is compiled once", async () => {
    const c = await counted(async () => {
      await device.compile(addProgram(77)).ready();
      await device.compile(addProgram(77)).ready();
    });
    expect(c.pipelines).toBe(1);
  });
});

describe.skipIf(!available)("errors", () => {
  const broken = (): Program =>
    program([elementwise("broken", n, 1, (x) => x)], fn("bad", [n], [n], [launch(0, input(0), output(0))]));

  test("a kernel that is refused: its name, its IR and what the compiler says; later work goes on", async () => {
    const f = device.compile(broken());
    const x = upload(device, a);
    const bad = device.allocate(4 * n);
    const good = device.allocate(4 * n);
    const after = device.allocate(4 * n);
    f.run([x], [bad]);
    const g = device.compile(addProgram(n));
    g.run([x, x], [good]);
    g.run([bad, x], [after]);
    const error = await device.read(bad, new Float32Array(n)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TsaxError);
    expect((error as TsaxError).message).toMatch(/kernel broken[^]*nest broken\(b0: read f32\[100\][^]*nonsense/);
    expect((error as TsaxError).details.find(([k]) => k === "compiler")![1]).toMatch(/error \d+:\d+/);
    expect((await download(device, good))[2]).toBe(4);
    await expect(device.read(after, new Float32Array(n))).rejects.toBe(error);
    await expect(device.settled([good, after])).rejects.toBe(error);
    await expect(device.settled([good])).resolves.toBeUndefined();
    await expect(f.ready()).rejects.toBe(error);
    // Written anew, the buffer is as good as any.
    g.run([x, x], [bad]);
    expect((await download(device, bad))[2]).toBe(4);
  });

  test("commands that WebGPU refuses show where a result is read, with the kernel", async () => {
    const p = addProgram(n);
    const tooSmall = upload(device, [1]);
    const out = device.allocate(4 * n);
    const big = device.allocate(4 * 4096);
    const wide = addProgram(4096);
    device.compile(p).run([upload(device, a), upload(device, b)], [out]);
    device.compile(wide).run([tooSmall, tooSmall], [big]);
    await expect(download(device, big)).rejects.toThrow(/WebGPU refused program add[^]*nest add/);
    expect((await download(device, out))[1]).toBe(4);
  });
});

test.skipIf(!available)("text: each code once, with what is bound", async () => {
  const p = program(
    [negKernel(n)],
    fn("text", [n], [n], [launch(0, input(0), arena(0)), launch(0, arena(0), output(0))], { arenaBytes: 512 }),
  );
  const text = device.compile(p).text();
  expect(text).toMatch(/text: 2 dispatches, 1 submit, arena 512 bytes/);
  expect(text.match(/@compute/g)).toHaveLength(1);
  expect(text).toContain(
    "// 1: neg, 2x1x1 workgroups, b0 read bank 0+0 (400 bytes), b1 read_write output 0 (400 bytes)",
  );
});
