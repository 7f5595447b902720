import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  config,
  defaultDevice,
  disableJit,
  grad,
  jit,
  lax,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

describe.each(["reference", "wasm"])("disableJit on %s", (device) => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(home));
  afterEach(() => config.update("disableJit", false));
  const f32 = (x: number[]): NDArray => np.array(x);

  test("a jitted function is called as it is, each time, on arrays", () => {
    const seen: unknown[] = [];
    const f = jit(
      (x: NDArray, mode: string, y: { a: NDArray }) => {
        seen.push([x.item(), mode, y.a.item()]);
        return { sum: x.add(y.a), half: 0.5 };
      },
      { staticArgnums: 1 },
    );
    const outs = disableJit(() => [f(1, "up", { a: np.array(2) }), f(3, "up", { a: np.array(4) })]);
    expect(seen).toEqual([
      [1, "up", 2],
      [3, "up", 4],
    ]);
    expect(outs.map((o) => [o.sum.item(), o.half.item()])).toEqual([
      [3, 0.5],
      [7, 0.5],
    ]);
    expect(f.traceCount).toBe(0);
    expect(() => f(1, "up", { a: np.array(2) })).toThrow("tracer-read");
  });
  test("by config; grad and vmap go through", () => {
    const f = jit((x: NDArray) => x.mul(x.item() > 0 ? 3 : 5));
    config.update("disableJit", true);
    expect(f(np.array(2)).item()).toBe(6);
    expect(grad(f)(np.array(-2)).item()).toBe(5);
    expect(vmap(jit((x: NDArray) => x.mul(2)))(f32([1, 2])).js()).toEqual([2, 4]);
    expect(disableJit(() => jit((x: NDArray) => x.add(1))(1).item(), false)).toBe(2);
  });
  test("cond and switch call one branch", () => {
    const seen: string[] = [];
    const say =
      (what: string, by: number) =>
      (x: NDArray): NDArray => {
        seen.push(`${what} ${x.item()}`);
        return x.mul(by);
      };
    const run = (): number[] => [
      lax.cond(true, say("yes", 2), say("no", 3), 1).item(),
      lax.cond(np.array(1).greater(2), say("yes", 2), say("no", 3), 1).item(),
      lax.switch(7, [say("a", 4), say("b", 5)], 1).item(),
    ];
    expect(disableJit(run)).toEqual([2, 3, 5]);
    expect(seen).toEqual(["yes 1", "no 1", "b 1"]);
  });
  test("whileLoop, foriLoop and boundedWhile are JavaScript's", () => {
    const seen: number[] = [];
    const note = (x: NDArray): NDArray => {
      seen.push(x.item());
      return x;
    };
    const results = disableJit(() => [
      lax.whileLoop(
        (x: NDArray) => x.less(20),
        (x: NDArray) => note(x).mul(3),
        np.array(1),
      ),
      lax.foriLoop(0, 3, (i, x: NDArray) => note(x).add(i), np.array(10)),
      lax.foriLoop(np.array(1, { dtype: "int32" }), 3, (i, x: NDArray) => note(x).add(i), np.array(50)),
      lax.boundedWhile(
        (x: NDArray) => x.less(100),
        (x: NDArray) => note(x).mul(2),
        np.array(3),
        { maxSteps: 2 },
      ),
    ]);
    expect(results.map((x) => x.item())).toEqual([27, 13, 53, 12]);
    expect(seen).toEqual([1, 3, 9, 10, 10, 11, 50, 51, 3, 6]);
  });
  test("scan, with what the compiled one gives", () => {
    const seen: number[] = [];
    const run = (reverse: boolean): unknown[] => {
      const [carry, ys] = lax.scan(
        ([s, n]: [NDArray, NDArray], x: { v: NDArray }) => {
          if (config.disableJit) seen.push(x.v.item());
          return [[s.mul(2).add(x.v), n.add(1)] as [NDArray, NDArray], { y: s, twice: [x.v.mul(2)] }];
        },
        [np.array(0), np.array(0, { dtype: "int32" })] as [NDArray, NDArray],
        { v: f32([1, 2, 3]) },
        { reverse },
      );
      return [...carry, ys.y, ys.twice[0]!].map((x) => x.js());
    };
    for (const reverse of [false, true]) expect(disableJit(() => run(reverse))).toEqual(run(reverse));
    expect(seen).toEqual([1, 2, 3, 3, 2, 1]);
    expect(
      disableJit(() => lax.scan((c: NDArray, x: NDArray) => [c, x], np.array(1), np.zeros([0, 2]))[1].shape),
    ).toEqual([0, 2]);
    expect(disableJit(() => lax.map((x: NDArray) => x.mul(x.item()), f32([1, 2, 3])).js())).toEqual([1, 4, 9]);
  });
  test("derivatives go through the loops; examples that are mapped stay a program", () => {
    const cube = (x: NDArray): NDArray => lax.foriLoop(0, 2, (_, y: NDArray) => y.mul(x.item()).mul(x.div(x)), x);
    expect(disableJit(() => grad(cube)(np.array(2)).item())).toBe(4);
    const root = (x: NDArray): NDArray =>
      lax.cond(
        x.greater(0),
        (y: NDArray) => np.sqrt(y),
        (y: NDArray) => y.neg(),
        x,
      );
    expect(disableJit(() => vmap(root)(f32([4, -3])).js())).toEqual([2, 3]);
    const reach = (x: NDArray): NDArray =>
      lax.whileLoop(
        (y: NDArray) => y.less(10),
        (y: NDArray) => y.mul(2),
        x,
      );
    expect(disableJit(() => vmap(reach)(f32([1, 3])).js())).toEqual([16, 12]);
  });
});
