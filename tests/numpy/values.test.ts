import { describe, expect, it } from "vitest";
import { type DType, grad, jit, jvp, makeJaxpr, type NDArray, np, vjp, vmap } from "./imports.js";

const a = (v: readonly unknown[], dtype?: DType): NDArray => np.array(v as number[], dtype);
const close = (x: NDArray, expected: number, digits = 5): void => expect(x.item()).toBeCloseTo(expected, digits);

describe("kinks and limits, as JAX has them", () => {
  it("ties share derivatives", () => {
    expect(grad((x: NDArray) => np.max(x))(a([1, 3, 3, 2])).js()).toEqual([0, 0.5, 0.5, 0]);
    expect(grad((x: NDArray) => np.maximum(x, 0))(0).item()).toBe(0.5);
    expect(grad((x: NDArray) => np.clip(x, 0, 1))(1).item()).toBe(0.5);
    const [gx, gy] = grad((x: NDArray, y: NDArray) => np.logaddexp(x, y), [0, 1])(2, 2);
    expect([gx.item(), gy.item()]).toEqual([0.5, 0.5]);
  });

  it("products with zeros have finite derivatives", () => {
    expect(grad((x: NDArray) => np.prod(x))(a([0, 2, 3])).js()).toEqual([6, 0, 0]);
    expect(grad((x: NDArray) => np.cumprod(x).sum())(a([2, 0, 3])).js()).toEqual([1, 8, 0]);
  });

  it("sinc, i0, logaddexp and remainders", () => {
    close(np.sinc(0), 1);
    close(grad(grad((x: NDArray) => np.sinc(x)))(0.0), -3.2898684);
    close(grad(grad(grad(grad((x: NDArray) => np.sinc(x)))))(0.0), Math.PI ** 4 / 5, 3);
    close(np.i0(1), 1.2660658);
    close(grad((x: NDArray) => np.i0(x))(0), 0);
    close(np.logaddexp(1000, 1000), 1000.6932, 3);
    expect(np.logaddexp(-Infinity, -Infinity).item()).toBe(-Infinity);
    expect(np.logaddexp(Infinity, Infinity).item()).toBe(Infinity);
    const [gx, gy] = grad((x: NDArray, y: NDArray) => np.mod(x, y), [0, 1])(-5.5, 2);
    expect([gx.item(), gy.item()]).toEqual([1, 3]);
  });

  it("powers", () => {
    const [gx, gy] = grad((x: NDArray, y: NDArray) => np.power(x, y), [0, 1])(np.array(-2), np.array(3));
    expect(gx.item()).toBe(12);
    expect(gy.item()).toBeNaN();
    expect(grad((x: NDArray) => np.sum(np.power(x, np.arange(4))))(np.array(0)).item()).toBe(1);
    expect(grad((x: NDArray) => np.sum(np.power(x, np.arange(4))))(np.array(2)).item()).toBe(17);
    expect(np.power(a([2, 0, -3], "int32"), a([10, 0, 3], "int32")).js()).toEqual([1024, 1, -27]);
  });

  it("frexp and ldexp are exact and differentiable in the mantissa", () => {
    const [m, e] = np.frexp(a([0, 1, -3, 1e-40, Infinity]));
    expect(m.js()).toEqual([0, 0.5, -0.75, Math.fround(Math.fround(1e-40) * 2 ** 132), Infinity]);
    expect(e.js()).toEqual([0, 1, 2, -132, 0]);
    expect(np.ldexp(m, e).js()).toEqual([0, 1, -3, Math.fround(1e-40), Infinity]);
    expect(grad((x: NDArray) => np.frexp(x)[0])(6).item()).toBe(1 / 8);
    expect(grad((x: NDArray) => np.ldexp(x, 3))(1).item()).toBe(8);
  });
});

describe("integers", () => {
  it("divide and take remainders as Python", () => {
    const x = a([7, -7, 7, -7], "int32");
    const y = a([2, 2, -2, -2], "int32");
    expect(np.floorDivide(x, y).js()).toEqual([3, -4, -4, 3]);
    expect(np.mod(x, y).js()).toEqual([1, 1, -1, -1]);
    expect(np.fmod(x, y).js()).toEqual([1, -1, 1, -1]);
    expect(np.gcd(a([12, 0, -8], "int32"), a([18, 5, 12], "int32")).js()).toEqual([6, 5, 4]);
    expect(np.lcm(a([4, 0], "int32"), a([6, 5], "int32")).js()).toEqual([12, 0]);
    expect(() => np.gcd(a([1.5]), 2)).toThrow(/takes integers/);
  });

  it("are counted, averaged and compared", () => {
    const b = a([true, true, false]);
    expect(np.sum(b).item()).toBe(2);
    expect(np.mean(b).dtype).toBe("float32");
    expect(np.max(b).item()).toBe(true);
    expect(np.add(b, b).dtype).toBe("bool");
    expect(np.argmax(a([NaN, 5, 7])).item()).toBe(0);
  });
});

describe("einsum", () => {
  const x = np.reshape(np.arange(6), [2, 3]).astype("float32");
  it("reads explicit, implicit, elliptic and interleaved equations", () => {
    expect(np.einsum("ij->ji", x).js()).toEqual(x.T.js());
    expect(np.einsum("ba", x).js()).toEqual(x.T.js());
    expect(np.einsum("...j->...", x).js()).toEqual(np.sum(x, -1).js());
    expect(np.einsum("ij,kj->ik", x, x).js()).toEqual(np.matmul(x, x.T).js());
    expect(np.einsum(x as never, [0, 1] as never, x as never, [2, 1] as never, [0, 2] as never).js()).toEqual(
      np.matmul(x, x.T).js(),
    );
    expect(np.einsum("ii", np.eye(3)).item()).toBe(3);
    expect(np.einsum("ii->i", np.eye(3)).js()).toEqual([1, 1, 1]);
  });
  it("contracts many operands pair by pair", () => {
    const chain = np.einsum(
      "ij,jk,kl,lm->im",
      np.ones([2, 50]),
      np.ones([50, 50]),
      np.ones([50, 50]),
      np.ones([50, 3]),
    );
    expect(chain.js()).toEqual([
      [125000, 125000, 125000],
      [125000, 125000, 125000],
    ]);
  });
  it("says what is wrong", () => {
    expect(() => np.einsum("ij,jk", x)).toThrow(/2 terms for 1 operands/);
    expect(() => np.einsum("ijk", x)).toThrow(/the operand has 2 dimensions/);
    expect(() => np.einsum("ij,jk->ik", x, x)).toThrow(/axis j has lengths 3 and 2/);
    expect(() => np.einsum("ij->ik", x)).toThrow(/no operand has the axis k/);
    expect(() => np.einsum("i;j", x)).toThrow(/does not fit/);
  });
});

describe("under transformations", () => {
  it("options that hold arrays are traced", () => {
    const x = a([1, 2, 3, 4]);
    const f = (x: NDArray, mask: NDArray): NDArray => np.mean(x, { where: mask });
    const mask = a([true, false, true, false]);
    expect(f(x, mask).item()).toBe(2);
    expect(jit(f)(x, mask).item()).toBe(2);
    expect(vmap(f, [null, 0])(x, np.stack([mask, np.logicalNot(mask)])).js()).toEqual([2, 3]);
    const [, pull] = vjp((w: NDArray) => np.average(x, { weights: w }), a([1, 1, 1, 1]));
    expect((pull(np.array(1))[0] as NDArray).js()).toEqual([-0.375, -0.125, 0.125, 0.375]);
    expect(jvp((lo: NDArray) => np.sum(np.clip(x, { min: lo })), [np.array(2.5)], [np.array(1)])[1].item()).toBe(2);
  });

  it("a scalar operand costs no broadcast, and a gradient through astype passes", () => {
    expect(String(makeJaxpr((x: NDArray) => np.subtract(1, x))(np.ones([3])))).not.toMatch(/broadcast|convert/);
    expect(grad((x: NDArray) => np.sum(x.astype("float64").mul(2)))(np.ones([2])).js()).toEqual([2, 2]);
  });
});

describe("errors", () => {
  it("name the function, the operands and a way out", () => {
    expect(() => np.reshape(np.ones([2, 3]), [4, -1])).toThrow(/6 elements do not fill the shape \[4, -1\]/);
    expect(() => np.concatenate([np.ones([2, 3]), np.ones([3, 2])])).toThrow(
      /concatenate: shapes must be equal but for axis 0/,
    );
    expect(() => np.max(np.zeros([0]))).toThrow(/initial/);
    expect(() => np.sum(np.ones([2]), 1)).toThrow(/axis 1 is out of bounds/);
    expect(() => np.matmul(np.ones([2, 3]), np.ones([2, 3]))).toThrow(/has length 3, axis 0 of the right one 2/);
    expect(() => np.repeat(np.ones([2]), np.array([1, 2], "int32"), { totalRepeatLength: 3 })).not.toThrow();
    expect(() => jit((n: NDArray) => np.repeat(np.ones([2]), n))(np.array([1, 2], "int32"))).toThrow(
      /totalRepeatLength/,
    );
    expect(() => jit((n: NDArray) => np.arange(n))(3)).toThrow(/decides a shape/);
    expect(() => np.subtract(np.array(true), np.array(true))).toThrow(/bool/);
  });
});
