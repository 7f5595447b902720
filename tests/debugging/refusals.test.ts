import { afterEach, describe, expect, test, vi } from "vitest";
import {
  CallbackError,
  checkpoint,
  customJvp,
  debug,
  defaultDevice,
  effectsBarrier,
  grad,
  ioCallback,
  jit,
  lax,
  memoryStats,
  type NDArray,
  numpy as np,
  pureCallback,
  setDefaultDevice,
  TsaxError,
  vmap,
} from "../../src/index.js";
import recorded from "./callbacks.data.json" with { type: "json" };

const f32 = { shape: [], dtype: "float32" } as const;
const vector = (n: number): NDArray => np.arange(n, { dtype: "float32" });
const home = defaultDevice();
afterEach(() => {
  vi.restoreAllMocks();
  setDefaultDevice(home);
});

function errorOf(f: () => unknown): TsaxError {
  try {
    f();
  } catch (e) {
    if (e instanceof TsaxError) return e;
    throw e;
  }
  throw new Error("nothing was thrown");
}

const io = (x: NDArray): NDArray => {
  ioCallback(() => undefined, null);
  return np.sin(x);
};

/** What real JAX refuses, by the names of callbacks_jax.py, with the code of the error here. */
const refusals: Readonly<Record<string, readonly [code: string, () => unknown]>> = {
  vmap_of_ordered_io: [
    "callback-vmap",
    () => vmap((x: NDArray) => ioCallback((y: NDArray) => y, f32, x, { ordered: true }))(vector(2)),
  ],
  vmap_of_ordered_io_in_jit: [
    "callback-vmap",
    () => vmap(jit((x: NDArray) => ioCallback((y: NDArray) => y, f32, x, { ordered: true })))(vector(2)),
  ],
  vmap_of_pure_without_method: [
    "callback-vmap",
    () => vmap((x: NDArray) => pureCallback((y: NDArray) => y, f32, x))(vector(2)),
  ],
  jvp_of_pure: ["callback-derivative", () => grad((x: NDArray) => pureCallback(np.sin, f32, x))(1)],
  jvp_of_io: ["callback-derivative", () => grad((x: NDArray) => ioCallback(np.sin, f32, x))(1)],
  io_in_checkpoint_grad: ["checkpoint-effects", () => grad(checkpoint(io))(1)],
  io_in_cond_vmap: [
    "callback-vmap",
    () => vmap((p: NDArray, x: NDArray) => lax.cond(p, io, (y: NDArray) => y, x))(np.array([true, false]), vector(2)),
  ],
  io_in_while_vmap_own_condition: [
    "callback-vmap",
    () =>
      vmap((x: NDArray) =>
        lax.whileLoop(
          (y: NDArray) => y.less(3),
          (y: NDArray) => io(y).mul(0).add(y).add(1),
          x,
        ),
      )(vector(2)),
  ],
  wrong_shape: ["callback-result", () => pureCallback(() => np.zeros([3]), f32, 1)],
  wrong_dtype: ["callback-result", () => pureCallback(() => np.array(1, { dtype: "int32" }), f32, 1)],
  wrong_count: ["callback-result", () => pureCallback((x: NDArray) => [x, x], f32, np.ones([]))],
  unused_positional: ["debug-format", () => debug.print("{}", 1, 2)],
  unused_named: ["debug-format", () => debug.print("hello", { x: 1 })],
  missing_named: ["debug-format", () => debug.print("{x}")],
  spec_on_array: ["debug-format", () => debug.print("{:.2f}", np.ones([3]))],
};

test("all that JAX refuses is here", () => {
  const names = Object.entries(recorded.refused).flatMap(([name, why]) => (why === null ? [] : [name]));
  expect(Object.keys(refusals).sort()).toEqual(names.sort());
});

describe("refused as in JAX", () => {
  test.each(Object.keys(refusals))("%s", (name) => {
    const [code, run] = refusals[name]!;
    const e = errorOf(run);
    expect(e.code).toBe(code);
    expect(e.hint).toMatch(/\S/);
  });
  test("custom rules may have effects inside", () => {
    const f = customJvp(io);
    f.defjvp(([x], [t]) => [f(x), t]);
    expect(jit(f)(0).item()).toBe(0);
    expect(recorded.refused.io_in_custom_jvp).toBeNull();
  });
});

test("a derivative of one's own makes a callback differentiable", () => {
  const host = (x: NDArray): NDArray =>
    pureCallback((v: NDArray) => v.dataSync().map(Math.sinh), { shape: x.shape, dtype: x.dtype }, x, {
      vmapMethod: "expandDims",
    });
  const sinh = customJvp(host);
  sinh.defjvp(([x], [t]) => [sinh(x), np.cosh(x).mul(t)]);
  expect(grad(sinh)(0.5).item()).toBeCloseTo(Math.cosh(0.5), 6);
  const slopes = jit(vmap(grad(sinh)))(vector(3)).js() as number[];
  slopes.forEach((d, i) => expect(d).toBeCloseTo(Math.cosh(i), 5));
});

describe.each(["wasm", "reference"])("a callback that fails on %s", (device) => {
  const boom = (): never => {
    throw new RangeError("no more");
  };

  test.each([
    ["eagerly", (f: (x: NDArray) => NDArray) => f],
    ["under jit", (f: (x: NDArray) => NDArray) => jit(f) as (x: NDArray) => NDArray],
  ])("%s, with the error itself as its cause", (_, wrap) => {
    setDefaultDevice(device);
    const e = errorOf(() => wrap((x) => pureCallback(boom, f32, x))(np.ones([])));
    expect(e).toBeInstanceOf(CallbackError);
    expect(e.code).toBe("callback-failed");
    expect(e.message).toMatch(/pureCallback: boom threw RangeError: no more/);
    expect(e.cause).toBeInstanceOf(RangeError);
  });

  test("in the middle of a loop of a compiled program, which works again afterwards", () => {
    setDefaultDevice(device);
    let limit = 3;
    const check = (i: NDArray): NDArray => {
      if (i.item() >= limit) throw new Error(`round ${i.item()}`);
      return i;
    };
    const f = jit((x: NDArray) => {
      const ys = lax.scan(
        (c: NDArray, i: NDArray) => {
          const k = ioCallback(check, f32, i);
          return [c.add(k).add(np.sum(x.mul(k))), c] as const;
        },
        0.5,
        vector(6),
      );
      return np.tanh(ys[0]).add(np.sum(ys[1]));
    });
    const x = vector(100);
    limit = 10;
    const expected = f(x).item();
    const before = memoryStats(device).liveArrays;
    limit = 3;
    for (let k = 0; k < 50; k++) expect(() => f(x)).toThrow(/round 3/);
    limit = 10;
    expect(f(x).item()).toBe(expected);
    expect(memoryStats(device).liveArrays - before).toBeLessThan(device === "wasm" ? 400 : 1);
  });

  test("a callback may run compiled functions, the one that calls it too", () => {
    setDefaultDevice(device);
    // the factorial, in the host's own recursion
    const factorial: (n: NDArray) => NDArray = jit((n: NDArray) => {
      const scratch = np.sum(np.outer(vector(8).add(n), vector(8)));
      const rest = pureCallback((k: NDArray) => (k.item() <= 1 ? 1 : factorial(k.sub(1)).item()), f32, n);
      return n.mul(rest).add(scratch.sub(scratch));
    });
    expect(factorial(np.array(10, { dtype: "float32" })).item()).toBe(3628800);
    expect(factorial(np.array(5, { dtype: "float32" })).item()).toBe(120);
  });

  test("a callback may fill the memory while its program runs", () => {
    setDefaultDevice(device);
    const kept: NDArray[] = [];
    const f = jit((x: NDArray) => {
      const y = np.cumsum(x);
      const z = pureCallback(
        (v: NDArray) => {
          for (let k = 0; k < 40; k++) kept.push(np.ones([250_000]).mul(k));
          return v.mul(2);
        },
        { shape: [5], dtype: "float32" },
        y,
      );
      return z.sub(y);
    });
    expect(f(vector(5)).js()).toEqual([0, 1, 3, 6, 10]);
    expect(kept[39]!.slice([0, 2]).js()).toEqual([39, 39]);
  });

  test("its arguments are its own", () => {
    setDefaultDevice(device);
    const kept: NDArray[] = [];
    const f = jit((x: NDArray) =>
      lax.scan(
        (c: NDArray) => {
          debug.callback((y: NDArray) => kept.push(y), c);
          return [c.mul(2), null];
        },
        x,
        null,
        { length: 3 },
      ),
    );
    f(np.array([1, 10]));
    f(np.array([3, 5]));
    expect(kept.map((x) => x.js())).toEqual([[1, 10], [2, 20], [4, 40], [3, 5], [6, 10], [12, 20]]); // prettier-ignore
  });

  test("of every dtype, of no elements, of keys and booleans", () => {
    setDefaultDevice(device);
    const types = ["float32", "float64", "int32", "uint32", "bool"] as const;
    const xs = types.map((dtype) => np.array([1, 0, 1], { dtype }));
    const same = jit((...ys: NDArray[]) =>
      pureCallback(
        (...zs: NDArray[]) => zs,
        types.map((dtype) => ({ shape: [3], dtype })),
        ...ys,
      ),
    ) as (...ys: NDArray[]) => NDArray[];
    same(...xs).forEach((y, i) => {
      expect(y.dtype).toBe(types[i]);
      expect(y.js()).toEqual(xs[i]!.js());
    });
    const none = jit((x: NDArray) => pureCallback((y: NDArray) => y, { shape: [0, 2], dtype: "float32" }, x));
    expect(none(np.zeros([0, 2])).shape).toEqual([0, 2]);
  });
});

describe("results of callbacks", () => {
  const of = (value: unknown, type: { readonly shape: readonly number[]; readonly dtype: string }) =>
    jit(() => pureCallback(() => value, type))() as unknown as NDArray;

  test("numbers and booleans for scalars, typed arrays for arrays", () => {
    expect(of(2.5, f32).item()).toBe(2.5);
    expect(of(7, { shape: [], dtype: "int32" }).item()).toBe(7);
    expect(of(true, { shape: [], dtype: "bool" }).item()).toBe(true);
    expect(of(new Float32Array([1, 2, 3, 4]), { shape: [2, 2], dtype: "float32" }).js()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(of(new Uint8Array([1, 0]), { shape: [2], dtype: "bool" }).js()).toEqual([true, false]);
  });

  test.each([
    ["a fraction for an int", 2.5, "int32", /given\s+number 2.5/],
    ["a number for a bool", 1, "bool", /given\s+number 1/],
    ["a boolean for a float", true, "float32", /given\s+boolean true/],
    ["a string", "1", "float32", /given\s+string "1"/],
    ["a typed array of other elements", new Int32Array(1), "float32", /given\s+a Int32Array of 1/],
    ["too many elements", new Float32Array(2), "float32", /given\s+a Float32Array of 2/],
    ["nothing", undefined, "float32", /given\s+undefined/],
    ["a list for an array", [1], "float32", /given\s+\[\*\]/],
  ])("%s is refused, with both types", (_, value, dtype, text) => {
    const e = errorOf(() => of(value, { shape: [], dtype }));
    expect(e.code).toBe("callback-result");
    expect(e.message).toMatch(text);
  });

  test("which of several is wrong", () => {
    const types = { a: f32, b: [{ shape: [2], dtype: "float32" }] };
    const e = errorOf(() => pureCallback(() => ({ a: 1, b: [np.ones([3])] }), types));
    expect(e.message).toMatch(/at\s+result\.b\[0\]/);
    expect(e.message).toMatch(/promised\s+f32\[2\]/);
    expect(e.message).toMatch(/given\s+f32\[3\]/);
  });

  test("a promise is no result; a traced value neither", () => {
    expect(errorOf(() => pureCallback(async () => 1, f32)).code).toBe("async-function");
    expect(errorOf(() => grad((x: NDArray) => x.mul(pureCallback(() => x, f32)))(1)).message).toMatch(/traced/);
  });

  test("arguments and types that are none", () => {
    expect(errorOf(() => pureCallback(3 as never, f32)).code).toBe("not-a-function");
    expect(errorOf(() => pureCallback((x: unknown) => x, f32, "text")).code).toBe("leaf-not-array");
    expect(errorOf(() => pureCallback(() => 1, "float32")).code).toBe("callback-types");
    expect(errorOf(() => pureCallback(() => 1, f32, { vmapMethod: "parallel" })).code).toBe("callback-vmap");
    expect(errorOf(() => debug.print(3 as never)).code).toBe("debug-format");
    expect(errorOf(() => debug.print({ order: true } as never)).code).toBe("option-unknown");
    for (const broken of ["{", "}", "{} {0}", "{a b c}:{", "{:zz}"])
      expect(errorOf(() => debug.print(broken, 1)).code, broken).toBe("debug-format");
  });
});

describe("effects", () => {
  test("are called exactly once however a result is used, in order, among kernels", () => {
    const seen: string[] = [];
    const note = (name: string) => (x: NDArray) => void seen.push(`${name} ${x.item()}`);
    const f = jit((x: NDArray) => {
      const y = np.sum(np.outer(x, x));
      ioCallback(note("a"), null, y, { ordered: true });
      const z = np.sum(np.sin(x));
      debug.callback(note("b"), x.slice(0));
      ioCallback(note("c"), null, z.mul(0), { ordered: true });
      ioCallback(note("c"), null, z.mul(0), { ordered: true });
      return [y, y.add(0), y];
    });
    f(np.ones([3]));
    f(np.zeros([3]));
    expect(seen).toEqual(["a 9", "b 1", "c 0", "c 0", "a 0", "b 0", "c 0", "c 0"]);
  });

  test("of a loop are not taken out of it where its derivative is taken, though they do not change", () => {
    // JAX prints once here: what is the same in each round is computed before the loop, prints included
    let calls = 0;
    const f = (w: NDArray): NDArray =>
      lax.scan(
        (c: NDArray) => {
          debug.callback(() => void calls++, w);
          return [c.mul(np.sin(w)), null];
        },
        1,
        null,
        { length: 3 },
      )[0];
    grad(f)(2);
    expect(calls).toBe(3);
  });

  test("of a rule of one's own happen once, also where it has loops or branches of tangents", () => {
    let calls = 0;
    const f = customJvp((x: NDArray) => np.sin(x));
    f.defjvp(([x], [t]) => {
      debug.callback(() => void calls++, x);
      const slope = lax.cond(
        x.greater(0),
        (u: NDArray) => u.mul(np.cos(x)),
        (u: NDArray) => u.neg(),
        t,
      );
      const twice = lax.scan((c: NDArray) => [c.add(slope), t], np.zeros([]), null, { length: 2 })[0];
      return [f(x), twice];
    });
    expect(grad(f)(0.5).item()).toBeCloseTo(2 * Math.cos(0.5), 6);
    expect(calls).toBe(1);
    expect(jit(grad(f))(-0.5).item()).toBe(-2);
    expect(calls).toBe(2);
    expect(vmap(grad(f))(np.array([0.5, -1])).js()).toEqual([expect.closeTo(2 * Math.cos(0.5), 6), -2]);
    expect(calls).toBe(4);
  });

  test("an ioCallback of constants differs from round to round, also where derivatives are taken", () => {
    let n = 0;
    const f = (x: NDArray): NDArray =>
      lax.scan((c: NDArray) => [c.mul(ioCallback(() => ++n, f32)), null], x, null, { length: 4 })[0];
    expect(grad(f)(1).item()).toBe(24);
    n = 0;
    expect(jit(grad(f))(1).item()).toBe(24);
  });

  test("are seen in jaxprs, and through everything that holds jaxprs", () => {
    const say = (x: NDArray): NDArray => {
      debug.print("{}", x);
      return x;
    };
    const bodies: Readonly<Record<string, (x: NDArray) => unknown>> = {
      jit: jit(say) as (x: NDArray) => NDArray,
      cond: (x) => lax.cond(x.greater(0), say, (y: NDArray) => y, x),
      scan: (x) => lax.scan((c: NDArray) => [say(c), null], x, null, { length: 2 }),
      while: (x) => lax.whileLoop((c: NDArray) => c.less(0), say, x),
      checkpoint: checkpoint(say),
      custom: (() => {
        const f = customJvp(say);
        f.defjvp(([x], [t]) => [x, t]);
        return f;
      })(),
    };
    for (const [name, body] of Object.entries(bodies)) {
      const { jaxpr } = jit(body).lower(1);
      expect([...jaxpr.jaxpr.effects], name).toEqual(["Debug"]);
    }
    const ordered = jit((x: NDArray) => {
      ioCallback(() => undefined, null, x, { ordered: true });
      debug.print("{}", x, { ordered: true });
      return x;
    }).lower(1);
    expect([...ordered.jaxpr.jaxpr.effects].sort()).toEqual(["OrderedDebug", "OrderedIO"]);
    expect(ordered.asText()).toContain("io_callback[");
    expect(ordered.asText()).toContain('debug_print[fmt="{}" ordered=True]');
  });

  test("tracing runs nothing", () => {
    const run = vi.fn();
    const f = jit((x: NDArray) => {
      debug.callback(run, x);
      return x;
    });
    f.lower(1).compile();
    expect(run).not.toHaveBeenCalled();
    f.lower(1).compile()(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("the barrier has nothing to wait for where devices compute at once", async () => {
    const run = vi.fn();
    jit((x: NDArray) => debug.callback(run, x))(1);
    expect(run).toHaveBeenCalledTimes(1);
    await effectsBarrier();
  });
});
