import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { asyncDevice, AsyncBackend } from "../runtime/async-backend.js";
import { registerDevice } from "../../src/runtime/devices.js";
import {
  checkpoint,
  config,
  debugInfs,
  debugNans,
  defaultDevice,
  FloatingPointError,
  grad,
  jit,
  jvp,
  lax,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

/** The line of this file on which a function stands. */
const here = (name: string): RegExp => new RegExp(`line +${name} .*debug-nans\\.test\\.ts:\\d+:\\d+`);

function errorOf(call: () => unknown): FloatingPointError {
  try {
    call();
  } catch (e) {
    expect(e).toBeInstanceOf(FloatingPointError);
    return e as FloatingPointError;
  }
  throw new Error("nothing was thrown");
}
/** The message without the file's place. */
const textOf = (call: () => unknown): string => errorOf(call).message.replace(/\n +line .*/, "");

function logOfNegative(x: NDArray): NDArray {
  return np.log(x);
}
const f = (x: NDArray): NDArray => logOfNegative(x.mul(2)).add(1);
function rootOfSquare(x: NDArray): NDArray {
  return np.sqrt(x.mul(x));
}
const decay = (x: NDArray): NDArray =>
  lax.scan((s: NDArray, t: NDArray) => [logOfNegative(s).add(t), s], x, np.ones([3]))[0];

const inLog = `invalid value (nan) encountered in log [nan-made]
  operand 0  f32[2] (2, -2)
  result     f32[2] (0.6931472, NaN)`;

describe.each(["reference", "wasm"])("debugNans on %s", (device) => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(home));
  afterEach(() => config.update("debugNans", false));
  const x = (): NDArray => np.array([1, -1]);

  test("the operation, its operands and the user's line: eager and under jit", () => {
    for (const g of [f, jit(f), vmap(jit(f)), jit(vmap(f)), jit(f, { donateArgnums: 0 }), checkpoint(f)]) {
      const call = (): unknown => debugNans(() => g(x()));
      expect(textOf(call)).toBe(inLog);
      expect(errorOf(call).message).toMatch(here("logOfNegative"));
      expect(errorOf(call).code).toBe("nan-made");
    }
  });
  test("what has no NaN is computed as ever", () => {
    expect(debugNans(() => jit(f)(np.array([0.5, 0.5])).js())).toEqual([1, 1]);
    expect(jit(f)(x()).js()).toEqual([expect.closeTo(1.693147), NaN]);
    expect(debugNans(() => debugNans(() => f(x()).js(), false))).toEqual([expect.closeTo(1.693147), NaN]);
    expect(config.debugNans).toBe(false);
  });
  test("by config", () => {
    const g = jit((y: NDArray) => f(y));
    expect(Number.isNaN(np.sum(g(x())).item())).toBe(true);
    config.update("debugNans", true);
    // traced again, with lines
    expect(errorOf(() => g(x())).message).toMatch(here("logOfNegative"));
    expect(g.traceCount).toBe(2);
  });
  test("in the backward pass: its operation, and the line of the forward one", () => {
    const text = `invalid value (nan) encountered in mul, in the backward pass of mul [nan-made]
  operand 0  f32[] 0
  operand 1  f32[] Infinity
  result     f32[] NaN`;
    for (const g of [grad(rootOfSquare), jit(grad(rootOfSquare)), grad(jit(rootOfSquare))]) {
      const error = errorOf(() => debugNans(() => g(np.array(0))));
      expect(error.message).toContain("encountered in mul, in the backward pass of");
      expect(error.message).toContain("operand 1  f32[] Infinity");
      expect(error.message).toMatch(here("rootOfSquare"));
      expect(error.hint).toContain("np.where");
    }
    expect(textOf(() => debugNans(() => grad(rootOfSquare)(np.array(0)))).split("\nhint")[0]).toBe(text);
  });
  test("in forward mode: the operation of the rule and the one it comes of", () => {
    const error = errorOf(() => debugNans(() => jvp(rootOfSquare, [0], [0])));
    expect(error.message).toMatch(/encountered in \w+, which comes of sqrt \[nan-made\]/);
    expect(error.message).toMatch(here("rootOfSquare"));
  });
  test("inside of loops and branches", () => {
    const branch = (y: NDArray): NDArray =>
      lax.cond(
        y.less(0),
        (z: NDArray) => logOfNegative(z),
        (z: NDArray) => z,
        y,
      );
    const repeated = (y: NDArray): NDArray =>
      lax.whileLoop(
        (s: NDArray) => s.greater(-100),
        (s: NDArray) => np.sqrt(s.sub(1)),
        y,
      );
    for (const g of [decay, jit(decay)]) {
      const error = errorOf(() => debugNans(() => g(np.array(0.5))));
      expect(error.message).toMatch(/encountered in log \[nan-made\]\n +operand 0 +f32\[\] -0\.1813/);
      expect(error.message).toMatch(here("logOfNegative"));
    }
    expect(textOf(() => debugNans(() => jit(branch)(np.array(-1))))).toContain("encountered in log ");
    expect(debugNans(() => jit(branch)(np.array(2)).item())).toBe(2);
    expect(textOf(() => debugNans(() => jit(repeated)(np.array(3))))).toContain("encountered in sqrt ");
  });
  test("infinities", () => {
    expect(textOf(() => debugInfs(() => np.log(np.array([1, 0]))))).toBe(
      "invalid value (inf) encountered in log [inf-made]\n  operand 0  f32[2] (1, 0)\n  result     f32[2] (0, -Infinity)",
    );
    expect(debugNans(() => np.log(np.array([1, 0])).js())).toEqual([0, -Infinity]);
  });
  test("many elements are summed up", () => {
    expect(textOf(() => debugNans(() => np.log(np.array([1, -8, 2, 3, -4, 5]))))).toBe(
      "invalid value (nan) encountered in log [nan-made]\n  operand 0  f32[6] from -8 to 5\n  result     f32[6] from 0 to 1.609438, 2 of 6 NaN",
    );
  });
  test("a NaN that was given, and goes through a function as it is", () => {
    const error = errorOf(() => debugNans(() => jit((y: NDArray) => [y])(np.array([NaN]))));
    expect(error.message).toContain("encountered in the results of a jitted function [nan-made]");
    expect(error.hint).toContain("it was given to the function");
  });
});

test("a device that can only be awaited refuses, and says what to do", () => {
  const home = defaultDevice();
  registerDevice(asyncDevice(new AsyncBackend("later")), true);
  setDefaultDevice("later");
  try {
    expect(() => debugNans(() => np.log(np.array([1, -1])))).toThrow(
      /device "later" can only be awaited \[debug-nans-device\]/,
    );
    expect(() => debugNans(() => jit(f)(np.array([1, -1])))).toThrow(/checkify\(f, checkify.nanChecks\)/);
    expect(debugNans(() => np.arange(3).add(1).shape)).toEqual([3]);
  } finally {
    setDefaultDevice(home);
  }
});
