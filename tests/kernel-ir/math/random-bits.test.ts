import { describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import { asFunction } from "./evaluate.js";

describe("threefry2x32", () => {
  const types = ["u32", "u32", "u32", "u32"] as const;
  const first = asFunction((k0, k1, x0, x1) => math.threefry2x32(k0!, k1!, x0!, x1!)[0], types);
  const second = asFunction((k0, k1, x0, x1) => math.threefry2x32(k0!, k1!, x0!, x1!)[1], types);
  const encrypt = (...words: readonly number[]): number[] => [first(...words), second(...words)];

  test("known answers of the paper", () => {
    const ones = 0xffffffff;
    expect(encrypt(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
    expect(encrypt(ones, ones, ones, ones)).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(encrypt(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
  });
  test("JAX's split of key(42) and its random bits", () => {
    expect(encrypt(0, 42, 0, 0)).toEqual([1832780943, 270669613]);
    expect(encrypt(0, 42, 0, 1)).toEqual([64467757, 2916123636]);
    const bits = [0, 1, 2, 3].map((i) => {
      const [a, b] = encrypt(0, 42, 0, i);
      return (a! ^ b!) >>> 0;
    });
    expect(bits).toEqual([2098992034, 2919706841, 2646866425, 2409546199]);
    const uniform = asFunction(math.uniformFromBits32, ["u32"]);
    expect(bits.map((b) => uniform(b))).toEqual([0.48870957, 0.6797972, 0.6162715, 0.5610161].map(Math.fround));
  });
});

test("float64 uniforms from two words", () => {
  const f = asFunction(math.uniformFromBits64, ["u32", "u32"]);
  expect([f(0, 0), f(0x80000000, 0), f(0xffffffff, 0xffffffff), f(0, 0x1000)]).toEqual([
    0,
    0.5,
    1 - 2 ** -52,
    2 ** -52,
  ]);
});
