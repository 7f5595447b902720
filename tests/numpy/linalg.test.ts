import { describe, expect, it } from "vitest";
import { codeOf, expectClose } from "../numbers.js";
import { grad, type NDArray, np } from "./imports.js";

const inf = Infinity;
const { linalg } = np;

describe("norms", () => {
  const m = np.array([
    [3, -4],
    [1, 2],
  ]);
  const v = np.array([3, -4, 0]);
  it.each([
    [null, 5.477226],
    ["fro", 5.477226],
    [1, 6],
    [-1, 4],
    [inf, 7],
    [-inf, 3],
  ] as const)("of a matrix, order %s", (ord, expected) => {
    expectClose(linalg.norm(m, ord), expected);
    expectClose(linalg.norm(np.stack([m, m]), ord, [1, 2], true), [
      [[linalg.norm(m, ord).item()]],
      [[linalg.norm(m, ord).item()]],
    ]);
    expectClose(linalg.norm(m.T, ord, [1, 0]), expected);
  });
  it.each([
    [null, 5],
    [0, 2],
    [1, 7],
    [2, 5],
    [3, 4.4979415],
    [0.5, 13.928204],
    [-1, 0],
    [inf, 4],
    [-inf, 0],
  ] as const)("of a vector, order %s", (ord, expected) => {
    expectClose(linalg.norm(v, ord), expected);
    expectClose(linalg.vectorNorm(v.reshape(1, 3), ord === null ? {} : { ord }), expected);
  });
  it.each([
    [1, [1, -1, 1]],
    [2, [0.6, -0.8, 0]],
    [3, [0.44485143, -0.790847, 0]],
    [inf, [0, -1, 0]],
  ] as const)("gradient of order %s", (ord, expected) => {
    expectClose(grad((x: NDArray) => linalg.norm(x, ord))(v), expected);
  });
  it("of integers is a float; of a matrix's rows with an axis", () => {
    expectClose(
      linalg.norm(
        np.array(
          [
            [3, 4],
            [6, 8],
          ],
          { dtype: "int32" },
        ),
        { axis: 1 },
      ),
      [5, 10],
    );
    expectClose(linalg.matrixNorm(np.ones([2, 3, 3]), { ord: 1, keepdims: true }), [[[3]], [[3]]]);
  });
  it("says what it lacks", () => {
    expect(codeOf(() => linalg.norm(m, 2))).toBe("decomposition-absent");
    expect(codeOf(() => linalg.norm(m, "nuc"))).toBe("decomposition-absent");
    expect(codeOf(() => linalg.norm(m, 3))).toBe("norm-order");
    expect(codeOf(() => linalg.norm(v, "fro"))).toBe("norm-order");
    expect(codeOf(() => linalg.norm(np.ones([2, 2, 2]), 1))).toBe("norm-axes");
  });
});

describe("products", () => {
  it("matrixPower multiplies by squares", () => {
    const fibonacci = np.array(
      [
        [1, 1],
        [1, 0],
      ],
      { dtype: "int32" },
    );
    expect(linalg.matrixPower(fibonacci, 10).js()).toEqual([
      [89, 55],
      [55, 34],
    ]);
    for (let n = 1; n < 12; n++) {
      let expected: NDArray = fibonacci;
      for (let i = 1; i < n; i++) expected = expected.matmul(fibonacci);
      expect(linalg.matrixPower(fibonacci, n).js()).toEqual(expected.js());
    }
    expect(linalg.matrixPower(np.zeros([2, 1, 1]), 0).js()).toEqual([[[1]], [[1]]]);
    expect(codeOf(() => linalg.matrixPower(fibonacci, -1))).toBe("decomposition-absent");
    expect(codeOf(() => linalg.matrixPower(np.ones([2, 3]), 2))).toBe("square");
    expect(codeOf(() => linalg.matrixPower(fibonacci, 0.5))).toBe("integer-needed");
  });
  it("multiDot takes a good order, and vectors at the ends", () => {
    const [a, b, c] = [np.ones([10, 2]), np.ones([2, 30]), np.ones([30, 3])];
    expectClose(linalg.multiDot([a, b, c]), np.full([10, 3], 60));
    expectClose(linalg.multiDot([np.ones([2]), b, c, np.ones([3])]), 180);
    expect(codeOf(() => linalg.multiDot([a]))).toBe("chain-length");
    expect(codeOf(() => linalg.multiDot([a, c]))).toBe("contract-length");
    expect(codeOf(() => linalg.multiDot([a, np.ones([2]), c]))).toBe("rank");
  });
  it("work on the last axes", () => {
    const x = np.arange(8).reshape(2, 2, 2);
    expect(linalg.trace(x).js()).toEqual([3, 11]);
    expect(linalg.diagonal(x, { offset: 1 }).js()).toEqual([[1], [5]]);
    expect(linalg.outer(np.array([1, 2]), np.array([3])).js()).toEqual([[3], [6]]);
    expect(codeOf(() => linalg.outer(np.ones([1, 2]), np.ones([2])))).toBe("rank");
    expect(linalg.cross(np.array([1, 0, 0]), np.array([0, 1, 0])).js()).toEqual([0, 0, 1]);
    expect(codeOf(() => linalg.cross(np.ones([2]), np.ones([2])))).toBe("cross-length");
  });
});
