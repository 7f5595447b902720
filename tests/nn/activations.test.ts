import { describe, expect, it } from "vitest";
import { grad, type NDArray, nn, numpy as np, TsaxError, vmap } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

const inf = Infinity;
const each = (f: (x: NDArray) => NDArray, xs: readonly number[], order = 1): NDArray => {
  let g: (x: NDArray) => NDArray = f;
  for (let i = 0; i < order; i++) g = grad(g) as (x: NDArray) => NDArray;
  return vmap(g)(np.array(xs));
};

describe("kinks", () => {
  it("relu keeps NaN and infinities, and has no derivative at 0 and NaN", () => {
    expectClose(nn.relu(np.array([-inf, -1.5, 0, 2, inf, NaN])), [0, 0, 0, 2, inf, NaN]);
    expectClose(each(nn.relu, [-inf, -1.5, 0, 2, inf, NaN]), [0, 0, 0, 1, 1, 0]);
    expectClose(
      each((x) => np.square(nn.relu(x)), [-1, 0, 2], 2),
      [0, 0, 2],
    );
  });
  it("relu6 has no derivative at 0 and 6", () => {
    expectClose(each(nn.relu6, [-1, 0, 3, 6, 7, NaN]), [0, 0, 1, 0, 0, 0]);
  });
  it("relu of integers and booleans stays integral", () => {
    expect(nn.relu(np.array([-2, 3], { dtype: "int32" })).dtype).toBe("int32");
    expect(nn.relu(np.array([3], { dtype: "uint32" })).dtype).toBe("uint32");
    expect(nn.hardTanh(np.array([-2, 3], { dtype: "int32" })).js()).toEqual([-1, 1]);
    expect(nn.gelu(np.array([1], { dtype: "int32" })).dtype).toBe("float32");
  });
});

describe("second derivatives at −1.5, 0 and 1 are JAX's", () => {
  it.each<readonly [string, (x: NDArray) => NDArray, readonly number[]]>([
    ["softplus", nn.softplus, [0.14914645, 0.25, 0.19661196]],
    ["silu", nn.silu, [0.15619759, 0.5, 0.3023661]],
    ["gelu", (x) => nn.gelu(x), [-0.030518219, 0.7978846, 0.24214809]],
    ["elu", (x) => nn.elu(x), [0.22313017, 1, 0]],
    ["selu", nn.selu, [0.392285, 1.7580993, 0]],
    ["celu", (x) => nn.celu(x), [0.22313017, 0.25, 0]],
    ["mish", nn.mish, [0.15461476, 0.64, 0.18468562]],
    ["logSigmoid", nn.logSigmoid, [-0.14914644, -0.25, -0.19661193]],
    ["softSign", nn.softSign, [0.128, -2, -0.25]],
    ["squareplus", (x) => nn.squareplus(x), [0.128, 0.25, 0.17888543]],
    ["sparsePlus", nn.sparsePlus, [0, 0.5, 0]],
    ["hardSilu", nn.hardSilu, [1 / 3, 1 / 3, 1 / 3]],
    ["leakyRelu", (x) => nn.leakyRelu(x), [0, 0, 0]],
  ])("%s", (_, f, expected) => {
    expectClose(each(f, [-1.5, 0, 1], 2), expected, 3e-6);
  });
});

describe("log1mexp", () => {
  it("is accurate near 0 and far from it, with its derivative", () => {
    const xs = [0, 1e-6, 0.5, 3, 80];
    expectClose(nn.log1mexp(np.array(xs)), [-inf, -13.815511, -0.93275213, -0.051069178, -1.8048513e-35], 1e-6, 0);
    expectClose(each(nn.log1mexp, xs), [inf, 999999.56, 1.541494, 0.052395698, 1.8048513e-35], 2e-6, 0);
  });
});

describe("calling", () => {
  it("takes parameters by position or by name", () => {
    const x = np.array([-1, 2]);
    expectClose(nn.elu(x, 2), nn.elu(x, { alpha: 2 }));
    expectClose(nn.leakyRelu(x, 0.5), [-0.5, 2]);
    expectClose(nn.gelu(x, false), nn.gelu(x, { approximate: false }));
    expectClose(nn.celu(x, np.array([1, 2])), nn.celu(x, { alpha: np.array([1, 2]) }));
  });
  it("refuses what it does not know", () => {
    expect(codeOf(() => nn.elu(np.array([1]), { beta: 1 } as never))).toBe("option-unknown");
    expect(codeOf(() => nn.relu([1, 2] as never))).toBe("not-an-array");
    expect(() => nn.relu([1, 2] as never)).toThrow(TsaxError);
  });
});
