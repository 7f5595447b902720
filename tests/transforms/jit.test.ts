import { describe, expect, it, vi } from "vitest";
import { config, grad, jit, makeJaxpr, type NDArray, numpy as np, vmap } from "../../src/index.js";
import { traceDepth } from "../../src/core/trace.js";

const ones = (n: number): NDArray => np.ones([n]);

describe("trace counts", () => {
  it("traces once for each type: weak and strong are different, values are not", () => {
    const f = jit((x: NDArray) => x.mul(2));
    f(1.5);
    f(2.5);
    expect(f.traceCount).toBe(1);
    f(np.array(1));
    expect(f.traceCount).toBe(2);
    f(ones(3));
    f(np.zeros([3]));
    expect(f.traceCount).toBe(3);
    f(1);
    expect(f.traceCount).toBe(4);
    f(np.array(3));
    expect(f.traceCount).toBe(4);
  });

  it("traces anew where numbers have another default dtype", () => {
    const f = jit((x: NDArray) => np.array([1, 2]).add(x.astype("int32")));
    const x = ones(2);
    const before = config.enableX64;
    try {
      const dtypes = [false, true, false].map((is) => {
        config.enableX64 = is;
        return f(x).dtype;
      });
      expect(dtypes).toEqual(["float32", "float64", "float32"]);
      expect(f.traceCount).toBe(2);
    } finally {
      config.enableX64 = before;
    }
  });

  it("shares traces between wrappers of one function, and not between functions", () => {
    const square = (x: NDArray): NDArray => x.mul(x);
    jit(square)(ones(2));
    const again = jit(square);
    again(ones(2));
    expect(again.traceCount).toBe(1);
    let traced = 0;
    for (let i = 0; i < 3; i++) {
      jit((x: NDArray) => {
        traced++;
        return x.add(1);
      })(ones(2));
    }
    expect(traced).toBe(3);
  });

  it("traces an inner jit once for three calls, and never again for its gradient", () => {
    const inner = jit((x: NDArray) => np.sin(x));
    jit((x: NDArray) => inner(inner(inner(x))))(ones(2));
    expect(inner.traceCount).toBe(1);
    const loss = jit((x: NDArray) => np.sum(np.tanh(x)));
    loss(ones(4));
    grad(loss)(ones(4));
    grad(loss)(ones(4));
    expect(loss.traceCount).toBe(1);
  });

  it("traces f once for three eager steps of grad of vmap of jit", () => {
    let traced = 0;
    const f = (x: NDArray): NDArray => {
      traced++;
      return np.sin(x).mul(x);
    };
    const step = grad((x: NDArray) => np.sum(vmap(jit(f))(x)));
    for (let i = 0; i < 3; i++) step(ones(5).mul(i + 0.5));
    expect(traced).toBe(1);
  });

  it("keeps twenty nested doublings small", () => {
    let f = jit((x: NDArray) => np.sin(x).add(1));
    for (let i = 0; i < 20; i++) {
      const g = f;
      f = jit((x: NDArray) => g(g(x)));
    }
    const start = performance.now();
    const jaxpr = makeJaxpr(f)(ones(2));
    expect(jaxpr.jaxpr.eqns.length).toBe(1);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("arguments", () => {
  it("takes pytrees and gives them back", () => {
    const f = jit((p: { w: NDArray; b: NDArray[] }, n: null, k: number | NDArray) => ({
      out: [p.w.mul(k), n],
      b: p.b,
    }));
    const r = f({ w: ones(2), b: [np.array(3)] }, null, 2);
    expect((r.out[0] as NDArray).js()).toEqual([2, 2]);
    expect(r.out[1]).toBeNull();
    expect(r.b[0]!.item()).toBe(3);
  });

  it("retraces for another static value only", () => {
    const f = jit((x: NDArray, n: number, mode: string) => (mode === "up" ? x.mul(n) : x.div(n)), {
      staticArgnums: [1, 2],
    });
    expect((f(ones(1), 2, "up") as NDArray).js()).toEqual([2]);
    expect((f(ones(1), 4, "down") as NDArray).js()).toEqual([0.25]);
    f(ones(1), 2, "up");
    expect(f.traceCount).toBe(2);
  });

  it("captures arrays as operands, not as constants of the program", () => {
    const w = ones(3);
    const f = jit((x: NDArray) => x.add(w));
    expect(f.lower(ones(3)).jaxpr.consts[0]).toBe(w);
    expect(f(ones(3)).js()).toEqual([2, 2, 2]);
  });

  it("donates: the array is deleted, the result is right", () => {
    const f = jit((x: NDArray, y: NDArray) => x.mul(y).add(1), { donateArgnums: 0 });
    const x = ones(4);
    const y = ones(4);
    expect(f(x, y).js()).toEqual([2, 2, 2, 2]);
    expect(() => x.js()).toThrow(/Array has been deleted/);
    expect(y.js()).toEqual([1, 1, 1, 1]);
  });

  it("compiles ahead of time for given types, and refuses others", () => {
    const compiled = jit((x: NDArray) => x.mul(2))
      .lower(ones(3))
      .compile();
    expect(compiled(ones(3)).js()).toEqual([2, 2, 2]);
    expect(() => compiled(ones(4))).toThrow(/compiled-types/);
    expect(compiled.asText().length).toBeGreaterThan(20);
  });
});

describe("errors that teach", () => {
  it("refuses to read a traced value, and says what to do", () => {
    const f = jit((x: NDArray) => (x.sum().item() > 0 ? x : x.neg()));
    expect(() => f(ones(2))).toThrow(/tracer-read/);
    expect(() => jit((x: NDArray) => x.mul(Number(x)))(ones(1))).toThrow(/tracer/);
    expect(traceDepth()).toBe(0);
  });

  it("warns of a branch on an unread predicate, or throws if configured so", () => {
    const warn = vi.fn();
    const old = config.warn;
    config.update("warn", warn);
    try {
      const f = (x: NDArray): NDArray => ((x.greater(0) as unknown as boolean) ? x : x.neg());
      jit(f)(-3);
      expect(warn.mock.calls[0]![0]).toMatch(/unread-predicate/);
      expect(warn.mock.calls[0]![0]).toMatch(/jit\.test/);
      config.update("unreadPredicate", "error");
      expect(() => jit((x: NDArray) => f(x))(-3)).toThrow(/unread-predicate/);
    } finally {
      config.update("unreadPredicate", "warn");
      config.update("warn", old);
    }
    expect(traceDepth()).toBe(0);
  });

  it("refuses leaked tracers, promises, static arrays, strings", () => {
    let leak: NDArray | undefined;
    jit((x: NDArray) => {
      leak = x;
      return x;
    })(1.5);
    expect(() => leak!.add(1)).toThrow(/leaked-tracer/);
    expect(() => jit((x: NDArray) => Promise.resolve(x))(1.5)).toThrow(/async-function/);
    expect(() => jit((x: NDArray) => x, { staticArgnums: 0 })(ones(1))).toThrow(/static-array/);
    expect(() => jit((x: unknown) => x as NDArray)("a" as never)).toThrow(/leaf-not-array[\s\S]*staticArgnums/);
    expect(traceDepth()).toBe(0);
  });

  it("is clean after a throw inside of each transformation", () => {
    const boom = (_?: NDArray): NDArray => {
      throw new RangeError("boom");
    };
    expect(() => jit(boom)()).toThrow("boom");
    expect(() => grad((x: NDArray) => boom(x))(1)).toThrow("boom");
    expect(() => vmap((x: NDArray) => boom(x))(ones(2))).toThrow("boom");
    expect(() => jit(grad(jit(vmap((x: NDArray) => boom(x)))))(ones(2))).toThrow("boom");
    expect(traceDepth()).toBe(0);
    expect(jit((x: NDArray) => x.add(1))(1).item()).toBe(2);
  });
});

describe("composition", () => {
  const f = (x: NDArray): NDArray => np.sum(np.tanh(x).mul(x));
  const x = np.array([0.3, -0.7, 1.1]);
  const plain = grad(f)(x).js();

  it.each([
    ["jit of grad", jit(grad(f))],
    ["grad of jit", grad(jit(f))],
    ["jit of grad of jit", jit(grad(jit(f)))],
    ["vmap of grad of a part", (y: NDArray) => vmap(grad((z: NDArray) => np.tanh(z).mul(z)))(y)],
    ["vmap of jit of grad of jit", (y: NDArray) => vmap(jit(grad(jit((z: NDArray) => np.tanh(z).mul(z)))))(y)],
  ] as const)("%s", (_, g) => {
    const got = (g as (y: NDArray) => NDArray)(x).js() as number[];
    got.forEach((v, i) => expect(v).toBeCloseTo((plain as number[])[i]!, 5));
  });
});
