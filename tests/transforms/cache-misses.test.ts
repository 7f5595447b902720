import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  config,
  defaultDevice,
  explainCacheMisses,
  grad,
  jit,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

const home = { log: config.log, device: defaultDevice() };
let said: string[] = [];
beforeEach(() => {
  said = [];
  config.update("log", (message) => said.push(message));
});
afterEach(() => {
  config.update("log", home.log);
  setDefaultDevice(home.device);
});
/** What is said of one call, without the line it comes from. */
const saidOf = (call: () => unknown): string[] => {
  said = [];
  explainCacheMisses(call);
  return said.map((s) => s.replace(/called from .*/, "called from here"));
};
const miss = (name: string, ...lines: string[]): string =>
  [`trace-cache miss: ${name} is traced, called from here`, ...lines.map((l) => `  ${l}`)].join("\n");
const nearest = "compared with the nearest call that was traced before:";

describe("explainCacheMisses", () => {
  const scaled = (): ((x: NDArray, y: NDArray) => NDArray) => {
    return jit(function scale(x: NDArray, y: NDArray) {
      return x.mul(y);
    });
  };
  test("what is new about the types", () => {
    const f = scaled();
    expect(saidOf(() => f(np.ones([2]), 1 as never))).toEqual([miss("scale", "this function was not traced before")]);
    expect(said[0]).toMatch(/called from .*cache-misses\.test\.ts:\d+:\d+/);
    expect(saidOf(() => f(np.ones([2]), 2 as never))).toEqual([]);
    expect(saidOf(() => f(np.ones([3]), 1 as never))).toEqual([
      miss("scale", nearest, "* x: now f32[3], before f32[2] (shape)"),
    ]);
    expect(saidOf(() => f(np.ones([3], { dtype: "int32" }), 1 as never))).toEqual([
      miss("scale", nearest, "* x: now i32[3], before f32[3] (dtype)"),
    ]);
    expect(saidOf(() => f(np.ones([3]), np.array(1, { dtype: "int32" })))).toEqual([
      miss("scale", nearest, "* y: now i32[], before i32[] of weak type (weak type: a JS number here, an array there)"),
    ]);
    // the nearest of those before, not the last
    expect(saidOf(() => f(np.ones([7]), 1 as never))).toEqual([
      miss("scale", nearest, "* x: now f32[7], before f32[2] (shape)"),
    ]);
  });
  test("paths within arguments, and structures", () => {
    const f = jit((params: { w: NDArray; b?: NDArray }, x: NDArray) => x.mul(params.w));
    saidOf(() => f({ w: np.ones([2]) }, 1));
    expect(saidOf(() => f({ w: np.ones([3]) }, 1))).toEqual([
      miss("the function", nearest, "* params.w: now f32[3], before f32[2] (shape)"),
    ]);
    expect(saidOf(() => f({ w: np.ones([2]), b: np.ones([2]) }, 1))).toEqual([
      miss("the function", nearest, '* params: now {"b": *, "w": *}, before {"w": *} (another structure)'),
    ]);
  });
  test("static values", () => {
    const f = jit((x: NDArray, n: number, g: (y: NDArray) => NDArray) => g(x.mul(n)), { staticArgnums: [1, 2] });
    const g = (y: NDArray): NDArray => y;
    const h = (y: NDArray): NDArray => y;
    saidOf(() => f(1, 2, g));
    expect(saidOf(() => f(1, 3, g))).toEqual([
      miss("the function", nearest, "* static n: now number 3, before number 2"),
    ]);
    expect(saidOf(() => f(1, 2, h))).toEqual([
      miss(
        "the function",
        nearest,
        "* static g: now the function h, before the function g (objects count by identity)",
      ),
    ]);
  });
  test("a function that is defined anew each time", () => {
    const calls = saidOf(() => {
      for (let i = 0; i < 2; i++)
        jit(function step(x: NDArray) {
          return x.add(1);
        })(1);
    });
    expect(calls).toEqual([
      miss("step", "this function was not traced before"),
      miss(
        "step",
        "this function was not traced before, but another one of the same name and text was:",
        "it may be defined anew each time, in a loop or in a function that is called again; define it, and call jit, once outside",
      ),
    ]);
  });
  test("settings", () => {
    const f = scaled();
    saidOf(() => f(np.ones([2]), np.ones([2])));
    setDefaultDevice("reference");
    const x = np.ones([2]);
    expect(saidOf(() => f(x, x))).toEqual([miss("scale", nearest, "* the default device: now reference, before wasm")]);
  });
  test("what captures a traced value is traced each time", () => {
    const outer = (x: NDArray): NDArray => {
      const inner = cached((): ((y: NDArray) => NDArray) =>
        jit(function withX(y: NDArray) {
          return y.mul(current!);
        }),
      );
      current = x;
      return inner(np.ones([2])).sum();
    };
    let current: NDArray | undefined;
    let kept: ((y: NDArray) => NDArray) | undefined;
    const cached = (make: () => (y: NDArray) => NDArray): ((y: NDArray) => NDArray) => (kept ??= make());
    saidOf(() => grad(outer)(np.array(2)));
    expect(saidOf(() => grad(outer)(np.array(2)))).toEqual([
      miss(
        "withX",
        "its traces are not kept: it captures values of a transformation that is running; pass them as arguments",
      ),
    ]);
  });
  test("nothing is said of calls that hit, nor while it is off", () => {
    const f = scaled();
    f(np.ones([2]), np.ones([2]));
    expect(said).toEqual([]);
    expect(saidOf(() => [f(np.ones([2]), np.ones([2])), vmap(f)(np.ones([4, 2]), np.ones([4, 2]))])).toEqual([]);
  });
});
