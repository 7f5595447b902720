import { describe, expect, it } from "vitest";
import { grad, hessian, jit, type NDArray, nn, numpy as np } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

const inf = Infinity;
const bool = (x: unknown): NDArray => np.array(x as boolean[], { dtype: "bool" });
const rows = np.array([
  [1, 2, 3],
  [4, NaN, inf],
]);
const mask = bool([
  [true, false, true],
  [false, false, false],
]);

describe("softmax", () => {
  it("gives masked elements, and rows that are masked altogether, weight 0", () => {
    const expected = [
      [0.11920291, 0, 0.880797],
      [0, 0, 0],
    ];
    expectClose(nn.softmax(rows, { where: mask }), expected);
    expectClose(jit((x: NDArray, where: NDArray) => nn.softmax(x, -1, where))(rows, mask), expected);
  });
  it("has derivatives without NaN where elements are masked", () => {
    const loss = (x: NDArray): NDArray => np.sum(nn.softmax(x, { where: mask }).mul(np.array([1, 2, 4])));
    const expected = [
      [-0.31498072, 0, 0.31498075],
      [0, 0, 0],
    ];
    expectClose(grad(loss)(rows), expected, 1e-6, 1e-6);
    expectClose(jit(grad(loss))(rows), expected, 1e-6, 1e-6);
  });
  it("is NaN of rows with +∞, or of −∞ only, as in JAX", () => {
    expectClose(nn.softmax(np.array([-inf, -inf])), [NaN, NaN]);
    expectClose(nn.softmax(np.array([1, inf])), [NaN, NaN]);
    expectClose(nn.softmax(np.array([-inf, 0])), [0, 1]);
  });
  it("works over several axes, and none are left out by null", () => {
    const x = np.array([
      [0, 1],
      [2, 3],
    ]);
    expect(nn.softmax(x, null).sum().item()).toBeCloseTo(1, 6);
    expectClose(nn.softmax(x, [0, 1]), nn.softmax(x, null));
    expectClose(nn.softmax(x, { axis: 0 }).sum(0), [1, 1]);
    expect(nn.softmax(np.zeros([0, 3])).shape).toEqual([0, 3]);
  });
});

describe("logSoftmax", () => {
  it("does not overflow", () => {
    expectClose(nn.logSoftmax(np.array([1000, 0, -1000])), [0, -1000, -2000]);
  });
  it("has derivatives without NaN where elements are masked", () => {
    const where = bool([true, false, true]);
    const loss = (x: NDArray): NDArray =>
      np.sum(np.where(where, nn.logSoftmax(x, { where }), 0).mul(np.array([1, 2, 4])));
    expectClose(grad(loss)(np.array([1, NaN, 3])), [0.40398544, 0, -0.40398502], 2e-6);
  });
});

describe("logsumexp", () => {
  it("does not overflow, and its derivative is softmax", () => {
    expectClose(nn.logsumexp(np.array([1000, 0, -1000])), 1000);
    expectClose(grad((x: NDArray) => nn.logsumexp(x))(np.array([1000, 0, -1000])), [1, 0, 0]);
    expectClose(
      hessian((x: NDArray) => nn.logsumexp(x))(np.array([0, 1])) as NDArray,
      [
        [0.19661196, -0.19661197],
        [-0.19661197, 0.19661188],
      ],
      1e-6,
    );
  });
  it("of infinities is JAX's", () => {
    expectClose(nn.logsumexp(np.array([-inf, -inf])), -inf);
    expectClose(grad((x: NDArray) => nn.logsumexp(x))(np.array([-inf, -inf])), [NaN, NaN]);
    expectClose(grad((x: NDArray) => nn.logsumexp(x))(np.array([-inf, 1, inf])), [0, 0, NaN]);
    expectClose(nn.logsumexp(np.zeros([0])), -inf);
  });
  it("takes factors, and gives signs", () => {
    const [a, b] = [np.array([1, 2]), np.array([1, -1])];
    expectClose(nn.logsumexp(a, { b }), NaN);
    const [log, sign] = nn.logsumexp(a, { b, returnSign: true });
    expectClose(log, 1.5413249);
    expectClose(sign, -1);
    expectClose(nn.logsumexp(np.array([1, inf]), { b: np.array([1, 0]) }), 1);
    const [da, db] = grad((x: NDArray, y: NDArray) => nn.logsumexp(x, { b: y }), [0, 1])(a, np.array([2, 0]));
    expectClose(da, [1, 0]);
    expectClose(db, [0.5, 0]);
  });
  it("leaves out what is masked", () => {
    const where = bool([true, true, false]);
    const x = np.array([1, 2, NaN]);
    expectClose(nn.logsumexp(x, { where }), 2.3132615);
    expectClose(grad((y: NDArray) => nn.logsumexp(y, { where }))(x), [0.26894143, 0.7310586, 0]);
    expectClose(nn.logsumexp(x, { where: false }), -inf);
  });
  it("keeps axes", () => {
    expect(nn.logsumexp(np.zeros([2, 3, 4]), [0, -1], { keepdims: true }).shape).toEqual([1, 3, 1]);
    expect(nn.logmeanexp(np.ones([2, 3]), 1).js()).toEqual([1, 1]);
  });
});

describe("others", () => {
  it("standardize takes either algorithm, and known moments", () => {
    const x = np.array([1, 2, 4]);
    const expected = [-1.0690416, -0.2672605, 1.3363016];
    expectClose(nn.standardize(x), expected, 3e-6);
    expectClose(nn.standardize(x, { algorithm: "stable" }), expected, 3e-6);
    expectClose(nn.standardize(x, { mean: 1, variance: 4, epsilon: 0 }), [0, 0.5, 1.5]);
    expect(codeOf(() => nn.standardize(x, { algorithm: "slow" as never }))).toBe("algorithm");
  });
  it("oneHot puts the classes on any axis, and knows no others", () => {
    const x = np.array([0, 5, -1], { dtype: "int32" });
    expect(nn.oneHot(x, 3, { axis: 0, dtype: "int32" }).js()).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(nn.oneHot(x, 2).dtype).toBe("float32");
    expect(codeOf(() => nn.oneHot(x, 1.5))).toBe("count");
    expect(codeOf(() => nn.oneHot(x, 2, { axis: 2 }))).toBe("axis-range");
  });
  it("glu needs an even axis", () => {
    expectClose(nn.glu(np.array([2, 0])), [1]);
    expect(codeOf(() => nn.glu(np.ones([3])))).toBe("glu-length");
  });
});
