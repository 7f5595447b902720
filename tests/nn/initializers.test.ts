import { describe, expect, it } from "vitest";
import { jit, type NDArray, nn, random } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

const I = nn.initializers;
const key = random.key(42);

describe("initializers draw JAX's numbers", () => {
  it("glorotUniform", () => {
    expectClose(I.glorotUniform()(key, [2, 3]), [
      [-0.024736095, 0.3939159, 0.2547381],
      [0.13367954, -0.10813224, 0.18812267],
    ]);
    expect(I.xavierUniform).toBe(I.glorotUniform);
  });
  it("heNormal", () => {
    expectClose(I.heNormal()(key, [2, 3]), [
      [-0.030713633, 0.5051931, 0.32045117],
      [0.16655728, -0.13455985, 0.2352222],
    ]);
  });
  it("lecunNormal with axes of a convolution's weights", () => {
    const w = I.lecunNormal({ inAxis: 1, outAxis: 0 })(key, [2, 3, 2]);
    expectClose(
      w.ravel(),
      [
        -0.012538788, 0.20624423, 0.13082364, 0.067996725, -0.05493383, 0.09602906, -0.6105867, 0.33172157, 0.23000912,
        0.3975092, -0.16994877, 0.4928388,
      ],
    );
  });
  it("varianceScaling with a batch axis and the geometric mean", () => {
    const w = I.varianceScaling(3, "fan_geo_avg", "normal", { batchAxis: 0 })(key, [2, 3, 2]);
    expectClose(
      w.ravel(),
      [
        -0.031324208, 0.5169664, 0.32724914, 0.1699265, -0.13726488, 0.24006493, -1.5945947, 0.83649653, 0.57703465,
        1.0072691, -0.42551544, 1.2614219,
      ],
    );
  });
  it("uniform, normal and truncatedNormal", () => {
    expectClose(I.uniform(2)(key, [2]), [0.97741914, 1.3595943]);
    expectClose(I.normal({ stddev: 0.1 })(key, [2]), [-0.0028304616, 0.046713185]);
    expectClose(I.truncatedNormal(0.5)(key, [4]), [-0.013508249, 0.22219041, 0.14093854, 0.073254026]);
  });
});

describe("calling", () => {
  it("constants need no randomness", () => {
    expect(I.zeros(key, [2]).js()).toEqual([0, 0]);
    expect(I.ones(key, [2], "int32").dtype).toBe("int32");
    expect(I.constant(7, "int32")(key, [1]).js()).toEqual([7]);
    expect(I.constant(0.5)(key, []).item()).toBe(0.5);
  });
  it("takes the dtype at either place, the later one wins", () => {
    expect(I.normal(1, "float64")(key, [1]).dtype).toBe("float64");
    expect(I.normal(1, "float64")(key, [1], { dtype: "float32" }).dtype).toBe("float32");
  });
  it("works under jit", () => {
    expectClose(jit((k: NDArray) => I.heNormal()(k, [2, 3]))(key), I.heNormal()(key, [2, 3]));
  });
  it("refuses shapes without fans, and unknown modes", () => {
    expect(codeOf(() => I.heNormal()(key, [3]))).toBe("fans");
    expect(I.heNormal({ inAxis: 0, outAxis: 0 })(key, [3]).shape).toEqual([3]);
    expect(codeOf(() => I.varianceScaling(1, "fan" as never, "normal")(key, [2, 2]))).toBe("fan-mode");
    expect(codeOf(() => I.varianceScaling(1, "fan_in", "cauchy" as never)(key, [2, 2]))).toBe("scaling-distribution");
  });
});
