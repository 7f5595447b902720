import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  config,
  defaultDevice,
  devicePut,
  explain,
  grad,
  init,
  jit,
  lax,
  memoryStats,
  nn,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";
import { webgpu } from "./webgpu.js";

const home = { device: defaultDevice(), warn: config.warn };
const said: string[] = [];
beforeAll(async () => {
  await init("reference");
  config.update("warn", (message) => said.push(message));
});
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("warn", home.warn);
});

const f32 = (data: number | readonly unknown[]): NDArray => np.array(data as never, { dtype: "float32" });
const zero = (): NDArray => f32(0);

/** The same value, by way of a kernel that no kernel of a loop holds: loops around it are recorded round by round. */
const apart = (x: NDArray): NDArray =>
  np
    .sort(np.stack([x, x]), 0)
    .at(0)
    .get();
type Through = (x: NDArray) => NDArray;

/** Programs with control flow, of one array; `through` stands in their bodies. */
const programs: Readonly<Record<string, (through: Through) => (x: NDArray) => unknown>> = {
  "scan: carry and results": (t) => (x) => lax.scan((c: NDArray, v: NDArray) => [t(c).mul(0.5).add(v), c], zero(), x),
  "scan, from the end": (t) => (x) =>
    lax.scan((c: NDArray, v: NDArray) => [t(c).mul(0.5).add(v), c], zero(), x, { reverse: true }),
  "scan of no steps": (t) => (x) =>
    lax.scan((c: NDArray, v: NDArray) => [t(c).add(v), c.mul(2)], np.sum(x), np.zeros([0])),
  "scan without carry": (t) => (x) => lax.map((v: NDArray) => t(v).mul(v), x),
  "scan without arrays": (t) => (x) =>
    lax.scan((c: NDArray) => [t(c).mul(0.9), np.sum(c)], x, null as never, { length: 7 }),
  "scan of trees, whose slices lie anywhere": (t) => (x) =>
    lax.scan(
      (c: { a: NDArray; b: NDArray }, v: { p: NDArray; q: NDArray }) => [
        { a: t(c.a).add(v.p), b: c.b.mul(np.sum(np.cos(v.q))) },
        [c.a.mul(v.q.at(1).get()), v.p.sub(c.b)],
      ],
      { a: np.zeros([3]), b: f32(1) },
      { p: np.outer(x, np.arange(3)), q: np.outer(x, f32([1, 2, 3, 4])) },
    ),
  "scan in a scan, over slices of slices": (t) => (x) =>
    lax.scan(
      (c: NDArray, row: NDArray) =>
        lax.scan((d: NDArray, v: NDArray) => [t(d).mul(0.5).add(v), d.mul(v)], c, row) as never,
      zero(),
      np.outer(x, np.arange(5)),
    ),
  "a gradient of scan": (t) => (x) =>
    grad((y: NDArray) => lax.scan((c: NDArray, v: NDArray) => [np.sin(t(c)).mul(v), c], f32(0.3), y)[0])(x),
  "recurrent network, with gradient": (t) => (x) => {
    const loss = (w: NDArray): NDArray => {
      const step = (h: NDArray, v: NDArray): [NDArray, NDArray] => {
        const next = np.tanh(np.dot(w, h).add(v));
        return [t(next), next];
      };
      return np.sum(
        lax
          .scan(step, np.zeros([4]), x)[1]
          .at(-1)
          .get(),
      );
    };
    return grad(loss)(np.arange(16).reshape([4, 4]).mul(0.05));
  },
  cond: (t) => (x) =>
    [0, 9].map((limit) =>
      lax.cond(
        np.sum(x).greater(limit),
        (v: NDArray) => t(v).add(1),
        (v: NDArray) => v.mul(10),
        x,
      ),
    ),
  "switch, beyond its branches too": (t) => (x) =>
    [-3, 0, 1, 2, 8].map((k) =>
      lax.switch(
        np.sum(x.mul(0)).add(k).astype("int32"),
        [(v: NDArray) => t(v).add(1), (v: NDArray) => v.mul(10), (v: NDArray) => np.cumsum(t(v))],
        x,
      ),
    ),
  "branches in branches in a scan": (t) => (x) =>
    lax.scan(
      (c: NDArray, v: NDArray) => {
        const next = lax.cond(
          v.greater(1.5),
          (d: NDArray) =>
            lax.cond(
              d.at(0).get().greater(2),
              (e: NDArray) => t(e).mul(0.5),
              (e: NDArray) => e.add(v),
              d,
            ),
          (d: NDArray) => d.sub(v),
          c,
        );
        return [next, np.sum(next)];
      },
      f32([1, 2]),
      x,
    ),
  "while, of 0, 1, 5 and 6 steps": (t) => (x) =>
    [1, 3.5, 60, 100].map((end) =>
      lax.whileLoop(
        (v: NDArray) => v.less(end),
        (v: NDArray) => t(v).mul(2),
        np.sum(x.mul(0)).add(3),
      ),
    ),
  "while, whose state moves on": (t) => (x) =>
    lax.whileLoop(
      ([, , k]: readonly NDArray[]) => k!.less(np.sum(x)),
      ([a, b, k]: readonly NDArray[]) => [b!, t(a!).add(b!), k!.add(1)],
      [x, x.mul(2), zero()],
    ),
  foriLoop: (t) => (x) => lax.foriLoop(2, 7, (i: NDArray, v: NDArray) => t(v).mul(0.5).add(i), x),
  "foriLoop to a traced end": (t) => (x) =>
    lax.foriLoop(0, np.sum(x).astype("int32"), (i: NDArray, v: NDArray) => t(v).mul(0.5).add(i), x),
  "while in a scan": (t) => (x) =>
    lax.scan(
      (c: NDArray, v: NDArray) => {
        const w = lax.whileLoop(
          (z: NDArray) => z.less(50),
          (z: NDArray) => t(z).mul(2),
          v.add(1),
        );
        return [c.add(w), w];
      },
      zero(),
      x,
    ),
  "while in a branch that is not taken, and in one that is": (t) => (x) =>
    [0, 100].map((limit) =>
      lax.cond(
        np.sum(x).greater(limit),
        (v: NDArray) =>
          lax.whileLoop(
            (z: NDArray) => np.sum(z).less(50),
            (z: NDArray) => t(z).mul(2),
            v,
          ),
        (v: NDArray) => v.neg(),
        x,
      ),
    ),
  "while, an end for each example": (t) => (x) =>
    vmap((s: NDArray) =>
      lax.whileLoop(
        (v: NDArray) => v.less(100),
        (v: NDArray) => t(v).mul(2),
        s,
      ),
    )(x),
  "cond and scan for each example": (t) => (x) =>
    vmap((s: NDArray) =>
      lax.scan(
        (c: NDArray, v: NDArray) => [
          lax.cond(
            c.greater(2),
            (d: NDArray) => t(d).mul(0.5),
            (d: NDArray) => d.add(v),
            c,
          ),
          c,
        ],
        s,
        x,
      ),
    )(x),
  "boundedWhile, with derivative": (t) => (x) =>
    grad((s: NDArray) =>
      lax.boundedWhile(
        (v: NDArray) => v.less(30),
        (v: NDArray) => t(v).mul(1.7),
        s,
        { maxSteps: 12 },
      ),
    )(np.sum(x)),
  "a sum into places that the round says": (t) => (x) =>
    lax.scan((c: NDArray, v: NDArray) => [c.at(v.astype("int32")).add(t(v)), null], np.zeros([6]), x)[0],
};

async function valuesOf(tree: unknown): Promise<number[][]> {
  if (tree === null || tree === undefined) return [];
  if (Array.isArray(tree)) return (await Promise.all(tree.map(valuesOf))).flat();
  if (typeof tree === "object" && !("aval" in tree)) return valuesOf(Object.values(tree));
  return [Array.from((await (tree as NDArray).data()) as ArrayLike<number>, Number)];
}

async function on(
  device: string,
  f: (x: NDArray) => unknown,
  x: readonly number[] | readonly number[][],
): Promise<number[][]> {
  setDefaultDevice(device as never);
  return valuesOf(jit(f as never)(f32(x) as never));
}

const counters = () => memoryStats("webgpu").counters!;

/** What a call adds to the counters, once it has been called before. */
async function warm(f: (x: NDArray) => unknown, x: NDArray): Promise<ReturnType<typeof counters>> {
  const call = async (): Promise<void> => {
    const y = f(x) as NDArray;
    await y.data();
    y.dispose();
  };
  for (let k = 0; k < 2; k++) await call();
  const before = counters();
  await call();
  const after = counters();
  return Object.fromEntries(
    Object.entries(after).map(([k, n]) => [k, n - before[k as keyof typeof before]]),
  ) as unknown as typeof after;
}

describe.skipIf(!webgpu)("control flow on webgpu", () => {
  for (const [how, through] of [
    ["in one kernel", (x: NDArray) => x],
    ["recorded", apart],
  ] as const) {
    test.each(Object.keys(programs))(`%s, ${how}`, async (name) => {
      const f = programs[name]!(through);
      const x = name.startsWith("recurrent")
        ? [
            [0.1, 0.2, 0.3, 0.4],
            [1, -1, 0.5, 0],
            [0.3, 0.1, 0, -0.2],
          ]
        : [1, 2, 3, 1, 2];
      const expected = await on("reference", f, x);
      const got = await on("webgpu", f, x);
      expect(got.map((v) => v.length)).toEqual(expected.map((v) => v.length));
      got.forEach((v, k) => v.forEach((y, i) => expect(y).toBeCloseTo(expected[k]![i]!, 3)));
    });
  }

  test("nothing of it was handed to wasm", () => expect(said).toEqual([]));

  test("a small scan, and its gradient's two, are one kernel each; a warm call makes nothing", async () => {
    setDefaultDevice("webgpu");
    const decayed = (x: NDArray): NDArray =>
      lax.scan((c: NDArray, v: NDArray) => [np.sin(c).mul(0.5).add(v), null], zero(), x)[0];
    const x = np.ones([1000]);
    const forward = await warm(jit(decayed), x);
    expect(forward).toMatchObject({ submits: 1, pipelines: 0, bindGroups: 0 });
    expect(forward.dispatches).toBeLessThanOrEqual(3);
    const backward = await warm(jit(grad(decayed)), x);
    expect(backward).toMatchObject({ submits: 1, pipelines: 0, bindGroups: 0 });
    expect(backward.dispatches).toBeLessThanOrEqual(6);
  });

  test("an LSTM's hundred steps are one kernel", async () => {
    setDefaultDevice("webgpu");
    const h = 8;
    const lstm = (x: NDArray, w: NDArray): NDArray => {
      const step = (s: { h: NDArray; c: NDArray }, v: NDArray): [{ h: NDArray; c: NDArray }, NDArray] => {
        const [i, f, o, g] = np.split(np.dot(np.concatenate([v, s.h]), w), 4);
        const c = nn
          .sigmoid(f!)
          .mul(s.c)
          .add(nn.sigmoid(i!).mul(np.tanh(g!)));
        const next = nn.sigmoid(o!).mul(np.tanh(c));
        return [{ h: next, c }, next];
      };
      return lax.scan(step, { h: np.zeros([h]), c: np.zeros([h]) }, x)[1];
    };
    const w = np.ones([4 + h, 4 * h]).mul(0.1);
    const f = jit((x: NDArray) => lstm(x, w));
    const used = await warm(f, np.ones([100, 4]));
    expect(used).toMatchObject({ submits: 1, pipelines: 0, bindGroups: 0 });
    expect(used.dispatches).toBeLessThanOrEqual(6);
    // Its gradient has more residuals than a device binds buffers: they are copied to one, and from it.
    const gradient = jit((x: NDArray) => grad((v: NDArray) => np.sum(np.square(lstm(v, w))))(x));
    const x = np.sin(np.arange(400)).reshape([100, 4]);
    const [got, expected] = [await gradient(x).data(), await gradient(devicePut(x, "wasm")).data()];
    got.forEach((y, k) => expect(y).toBeCloseTo(Number(expected[k]), 4));
    expect((await warm(gradient, x)).dispatches).toBeLessThanOrEqual(50);
  });

  test("a scan that is recorded: its kernels a round, one submit, no bind group a round", async () => {
    setDefaultDevice("webgpu");
    const f = jit((x: NDArray) => lax.scan((c: NDArray, v: NDArray) => [apart(c.add(v)), null], np.zeros([64]), x)[0]);
    const used = await warm(f, np.ones([40, 64]));
    expect(used).toMatchObject({ submits: 1, pipelines: 0, bindGroups: 0 });
    // Of a round: what is sorted is made, laid out and sorted, and the result taken out.
    expect(used.dispatches).toBeLessThanOrEqual(40 * 4 + 3);
  });

  test("a long loop is cut into submits, and the page has its turn between them", async () => {
    setDefaultDevice("webgpu");
    const f = jit((x: NDArray) => lax.foriLoop(0, 3000, (_: NDArray, c: NDArray) => apart(c.mul(0.5).add(1)), x));
    const x = f32([1, 5]);
    await f(x).data();
    const before = counters();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const y = await f(x).data();
    clearInterval(timer);
    expect(Array.from(y as Float32Array)).toEqual([2, 2]);
    const { dispatches, submits } = counters();
    expect(submits - before.submits).toBeGreaterThanOrEqual((dispatches - before.dispatches) / 1024);
    expect(turns).toBeGreaterThan(0);
  });

  test("a while loop asks less than once a step, and overshoots by as much as it did", async () => {
    setDefaultDevice("webgpu");
    const f = jit((x: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => c.less(300),
        (c: NDArray) => apart(c.add(1)),
        x,
      ),
    );
    const before = counters();
    expect(await f(zero()).jsAsync()).toBe(300);
    // Rounds 4, 8, 16, …: a submit for each of these numbers.
    expect(counters().submits - before.submits).toBeLessThanOrEqual(9);
    const one = jit((x: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => c.less(5000),
        (c: NDArray) => c.add(1),
        x,
      ),
    );
    const used = await warm(one, zero());
    expect(used).toMatchObject({ pipelines: 0, bindGroups: 0 });
    expect(used.submits).toBeLessThanOrEqual(2);
  });

  test("calls stand in line behind a loop whose end is on the device; storage comes back", async () => {
    setDefaultDevice("webgpu");
    const f = jit((x: NDArray) =>
      lax.whileLoop(
        (v: NDArray) => np.sum(v).less(100),
        (v: NDArray) => v.mul(2),
        x,
      ),
    );
    const g = jit((x: NDArray) => x.add(1));
    const x = f32([1, 2]);
    const y = f(x);
    const z = g(f(g(y)));
    y.dispose();
    // 2⁶ and 2⁷, one more, doubled no more, one more
    expect(await z.jsAsync()).toEqual([66, 130]);
    z.dispose();
    const before = memoryStats("webgpu").allocatedBytes;
    for (let k = 0; k < 3; k++) f(x).dispose();
    const last = f(x);
    expect(await last.jsAsync()).toEqual([64, 128]);
    last.dispose();
    // Less where arrays of earlier tests were found dead meanwhile.
    expect(memoryStats("webgpu").allocatedBytes).toBeLessThanOrEqual(before);
  });

  test("explain shows the rounds and the gates", () => {
    setDefaultDevice("webgpu");
    const text = explain((x: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => c.less(3),
        (c: NDArray) => apart(c.add(1)),
        x,
      ),
    )(zero());
    expect(String(text)).toContain(
      "as long as gate 0 is open (4, 8, … 256 rounds ahead, and a word is read back after each lot), by turns:",
    );
    expect(String(text)).toContain("behind gate 0");
    const within = explain((x: NDArray) =>
      lax.scan(
        (c: NDArray, v: NDArray) => [
          lax.whileLoop(
            (d: NDArray) => d.less(v),
            (d: NDArray) => apart(d.add(1)),
            c,
          ),
          null,
        ],
        zero(),
        x,
      ),
    )(f32([1, 2]));
    expect(String(within)).toMatch(/2 rounds:[^]*a word is read back after each lot, in each round around it anew/);
  });
});
