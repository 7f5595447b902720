import { describe, expect, it } from "vitest";
import { type DType, grad, jit, makeJaxpr, type NDArray, np } from "./imports.js";

const typed = (dtype: DType): NDArray => np.array([1, 0, 1], { dtype });
const typeOf = (x: NDArray): string => (x.weakType ? `${x.dtype}*` : x.dtype);

describe("promotion of arrays", () => {
  it("follows JAX's lattice", () => {
    const expected: readonly (readonly [DType, DType, string])[] = [
      ["bool", "bool", "bool"],
      ["bool", "int32", "int32"],
      ["bool", "float32", "float32"],
      ["int32", "uint32", "int32"],
      ["int32", "float32", "float32"],
      ["uint32", "float32", "float32"],
      ["float32", "float64", "float64"],
      ["int32", "float64", "float64"],
    ];
    for (const [a, b, result] of expected) {
      expect(typeOf(np.multiply(typed(a), typed(b)))).toBe(result);
      expect(typeOf(np.maximum(typed(b), typed(a)))).toBe(result);
    }
  });

  it("computes integers in float32 where a function needs floats", () => {
    for (const dtype of ["bool", "int32", "uint32"] as const) {
      expect(np.sin(typed(dtype)).dtype).toBe("float32");
      expect(np.divide(typed(dtype), typed(dtype)).dtype).toBe("float32");
      expect(np.mean(typed(dtype)).dtype).toBe("float32");
      expect(np.sum(typed(dtype)).dtype).toBe(dtype === "uint32" ? "uint32" : "int32");
    }
  });

  it("broadcasts shapes, and leaves scalars to the primitives", () => {
    const jaxpr = String(makeJaxpr((x: NDArray, s: NDArray) => x.add(s).mul(2))(np.ones([2, 3]), np.array(1)));
    expect(jaxpr).not.toMatch(/broadcast/);
    expect(np.add(np.ones([2, 1]), np.ones([3])).shape).toEqual([2, 3]);
    expect(np.where(np.array(true), np.ones([2, 1]), np.zeros([3])).shape).toEqual([2, 3]);
    expect(() => np.add(np.ones([2]), np.ones([3]))).toThrow(/shapes do not broadcast/);
  });
});

describe("numbers", () => {
  const i = (): NDArray => typed("int32");
  const u = (): NDArray => typed("uint32");
  const f = (): NDArray => typed("float32");
  const b = (): NDArray => typed("bool");

  it("integral ones are Python's int, others its float", () => {
    expect(typeOf(np.add(i(), 2))).toBe("int32");
    expect(typeOf(np.add(i(), 2.5))).toBe("float32*");
    expect(typeOf(np.add(f(), 2))).toBe("float32");
    expect(typeOf(np.add(b(), 2))).toBe("int32*");
    expect(typeOf(np.add(u(), 2))).toBe("uint32");
    expect(typeOf(np.add(1, 2))).toBe("int32*");
    expect(typeOf(np.add(1, 0.5))).toBe("float32*");
    expect(typeOf(np.add(true, true))).toBe("bool");
  });

  it("−0 is a float", () => {
    expect(typeOf(np.add(i(), -0))).toBe("float32*");
    expect(Object.is(np.multiply(1, -0).item(), -0)).toBe(true);
  });

  it("beyond int32 it is the other operand's integer where that holds it, else a float", () => {
    expect(np.add(u(), 3000000000).js()).toEqual([3000000001, 3000000000, 3000000001]);
    expect(typeOf(np.add(u(), 3000000000))).toBe("uint32");
    expect(np.add(i(), 3000000000).dtype).toBe("float32");
    expect(np.add(u(), 5000000000).dtype).toBe("float32");
    expect(np.add(b(), 3000000000).dtype).toBe("float32");
    expect(np.add(f(), 3000000000).dtype).toBe("float32");
  });

  it("wrap in unsigned integers", () => {
    expect(np.add(u(), -1).js()).toEqual([0, 4294967295, 0]);
  });

  it("decide the dtype of full and arange, but not of array", () => {
    expect(np.full([2], 7).dtype).toBe("int32");
    expect(np.full([2], 0.5).dtype).toBe("float32");
    expect(np.full([2], true).dtype).toBe("bool");
    expect(np.arange(5).dtype).toBe("int32");
    expect(np.arange(0, 1, 0.25).js()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(np.array(1).dtype).toBe("float32");
    expect(np.array([1, 2]).dtype).toBe("float32");
    expect(np.array([true]).dtype).toBe("bool");
    expect(np.array([1, 2], "int32").dtype).toBe("int32");
  });

  it("become weak traced scalars as arguments of jit", () => {
    expect(typeOf(jit((x: NDArray, n: NDArray) => x.add(n))(i(), 2))).toBe("int32");
    expect(typeOf(jit((x: NDArray, n: NDArray) => x.add(n))(i(), 2.5))).toBe("float32*");
  });

  it("in the place of an exponent are multiplied out", () => {
    expect(np.power(typed("int32"), 3).dtype).toBe("int32");
    expect(np.power(np.array([-2, 3]), 3).js()).toEqual([-8, 27]);
    expect(grad((x: NDArray) => np.power(x, 2))(0).item()).toBe(0);
    expect(grad((x: NDArray) => np.power(x, 0))(0).item()).toBe(0);
    expect(np.power(0, 0).item()).toBe(1);
    expect(String(makeJaxpr((x: NDArray) => x.pow(3))(f()))).toMatch(/integer_pow/);
  });
});

describe("lists of arrays", () => {
  it("are stacked by array, also when traced", () => {
    const f = (x: NDArray): NDArray =>
      np.array([
        [x, x.mul(2)],
        [0, 1],
      ]);
    expect(f(np.array(3)).js()).toEqual([
      [3, 6],
      [0, 1],
    ]);
    expect(jit(f)(3).js()).toEqual([
      [3, 6],
      [0, 1],
    ]);
    expect(grad((x: NDArray) => f(x).sum())(3).item()).toBe(3);
    expect(np.array([np.ones([2]), np.zeros([2])]).shape).toEqual([2, 2]);
    expect(() => np.array([np.ones([2]), np.zeros([3])])).toThrow(/one shape/);
  });
});
