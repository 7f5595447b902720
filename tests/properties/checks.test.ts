import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numpy as np } from "../../src/index.js";
import { disagreement } from "./agreement.js";
import { movementNames, moving } from "./movements.js";
import { computing } from "./operations.js";
import { evaluate, makeInputs, programs } from "./programs.js";
import type { Value } from "./values.js";

describe("the checks themselves", () => {
  const value = (elements: number[], error: number): Value => ({
    x: np.array(elements),
    name: "v",
    bound: 4,
    error,
    finite: true,
  });

  it("values must agree within their estimated error, exact ones exactly", () => {
    expect(disagreement(value([1, NaN], 0), np.array([1, NaN]))).toBeUndefined();
    expect(disagreement(value([1, 2], 0), np.array([1, 2.000001]))).toMatch(/v\[1\]: 2 became 2\.00000/);
    expect(disagreement(value([1, 2], 4), np.array([1, 2.000001]))).toBeUndefined();
    expect(disagreement(value([1, 2], 4), np.array([1, 2.01]))).toMatch(/v\[1\]/);
    expect(disagreement(value([1, 2], 4), np.array([1, NaN]))).toMatch(/became NaN/);
    expect(disagreement(value([1, 2], 4), np.array([[1, 2]]))).toMatch(/float32\[2\] became float32\[1,2\]/);
    expect(disagreement(value([1, 2], 4), np.array([1, 2], { dtype: "float64" }))).toMatch(/became float64/);
  });

  it("programs use every operation, are finite, and most results can tell", () => {
    const sample = fc.sample(programs(), { numRuns: 300, seed: 1 });
    const texts = sample.map((program) => evaluate(program, makeInputs(program)));
    const code = texts.flatMap(({ lines }) => lines).join("\n");
    const words =
      "sin tanh exp sqrt log1p reciprocal clip square sign mod floorDivide astype add sub mul div where any argmax";
    const more = "mean sum cumsum cummax sort argsort matmul tensordot outer logicalAnd less countNonzero at";
    const absent = [...`${words} ${more}`.split(" "), ...movementNames].filter(
      (name) => !new RegExp(`\\b${name}\\(`).test(code),
    );
    expect(absent).toEqual([]);
    const results = texts.flatMap(({ results: values }) => values);
    expect(results.every(({ x }) => Array.from(x.dataSync()).every(Number.isFinite))).toBe(true);
    const sharp = results.filter(({ error, bound }) => error * 2 ** -23 <= 1e-3 * bound);
    expect(sharp.length / results.length).toBeGreaterThan(0.95);
    expect(Object.keys({ ...computing, ...moving }).length).toBeGreaterThan(15);
  });
});
