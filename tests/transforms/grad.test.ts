import { describe, expect, it } from "vitest";
import {
  checkGrads,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jvp,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  stopGradient,
  valueAndGrad,
  vjp,
  vjpAux,
  vmap,
} from "../../src/index.js";

const f64 = (x: number | number[] | number[][]): NDArray => np.array(x, { dtype: "float64" });

describe("grad", () => {
  it("follows JavaScript's branches, loops, recursion and closures", () => {
    const pow = (x: NDArray, n: number): NDArray => (n === 0 ? np.onesLike(x) : x.mul(pow(x, n - 1)));
    expect(grad((x: NDArray) => pow(x, 3))(2).item()).toBe(12);
    const branch = (x: NDArray): NDArray => (x.greater(0).item() ? x.mul(x) : x.neg());
    expect(grad(branch)(3).item()).toBe(6);
    expect(grad(branch)(-3).item()).toBe(-1);
  });

  it("keeps the structure of what is differentiated", () => {
    const loss = (p: { w: NDArray; layers: NDArray[] }): NDArray =>
      np.sum(p.w.mul(p.w)).add(np.sum(p.layers[0]!).mul(3));
    const g = grad(loss)({ w: np.array([1, 2]), layers: [np.array([5])] });
    expect(g.w.js()).toEqual([2, 4]);
    expect(g.layers[0]!.js()).toEqual([3]);
  });

  it("takes argnums and hasAux, by position or by name", () => {
    const f = (x: NDArray, y: NDArray): NDArray => x.mul(y);
    const [two, five] = [np.array(2), np.array(5)];
    expect(grad(f, 1)(two, five).item()).toBe(2);
    expect(grad(f, { argnums: -1 })(two, 5).item()).toBe(2);
    const [gx, gy] = grad(f, [0, 1])(2, 5);
    expect([gx.item(), gy.item()]).toEqual([5, 2]);
    const [g, aux] = grad((x: NDArray) => [x.mul(x), { twice: x.mul(2) }] as const, { hasAux: true })(3);
    expect(g.item()).toBe(6);
    expect(aux.twice.item()).toBe(6);
    const [[value, extra], gradient] = valueAndGrad((x: NDArray) => [x.mul(x), x] as const, { hasAux: true })(3);
    expect([value.item(), extra.item(), gradient.item()]).toEqual([9, 3, 6]);
    expect(() => grad(f, { argnum: 1 } as never)).toThrow(/option-unknown[\s\S]*argnums/);
  });

  it("throws JAX's way", () => {
    expect(() => grad((x: NDArray) => np.sum(x))(np.array([1, 2], { dtype: "int32" }))).toThrow(/grad-dtype/);
    expect(() => grad((x: NDArray) => x.mul(2))(np.array([1, 2]))).toThrow(/grad-output/);
    expect(() => grad((x: NDArray) => x.astype("int32"))(1)).toThrow(/grad-dtype/);
    expect(() => grad((x: NDArray) => ({ x }) as unknown as NDArray)(1)).toThrow(/grad-output/);
    expect(() => grad((x: NDArray) => x, 1)(1)).toThrow(/argnums/);
    expect(() => jvp(np.sin, [1], [np.ones([2])])).toThrow(/tangent-shape/);
    expect(() => vjp(np.sin, 1)[1](np.ones([2]) as never)).toThrow(/tangent-shape/);
    expect(() => jvp((x: { a: NDArray }) => x.a, [{ a: 1 }], [{ b: 1 }] as never)).toThrow(/tree-mismatch/);
  });

  it("treats JS numbers as floats where it differentiates", () => {
    expect(grad((x: NDArray) => x.mul(x))(3).item()).toBe(6);
    expect(jvp((x: NDArray) => x.mul(x), [3], [1])[1].item()).toBe(6);
  });

  it("stops gradients", () => {
    expect(grad((x: NDArray) => x.mul(stopGradient<NDArray>(x)))(3).item()).toBe(3);
  });
});

describe("vjp, linearize, linearTranspose", () => {
  it("results that are no floats may have null as cotangent", () => {
    const [[y, n], pull] = vjp((a: NDArray) => [a.mul(a), np.arange(3, { dtype: "int32" })], 3);
    expect(n.dtype).toBe("int32");
    expect(pull([y, null as never])[0].item()).toBe(54);
    expect(pull([y, n])[0].item()).toBe(54);
    expect(() => pull([null as never, n])).toThrow(/tree-mismatch/);
  });
  it("pulls back lists, one entry an argument", () => {
    const [y, pull] = vjp((a: NDArray, b: NDArray) => a.mul(b), 2, 5);
    expect(y.item()).toBe(10);
    expect(pull(1).map((g) => g.item())).toEqual([5, 2]);
    const [, pullAux, aux] = vjpAux((a: NDArray) => [a.mul(a), "extra".length] as const, 3);
    expect(pullAux(1)[0].item()).toBe(6);
    expect(Number(aux as unknown)).toBe(5);
  });

  it("linearizes once and pushes often", () => {
    let calls = 0;
    const [y, push] = linearize((x: NDArray) => {
      calls++;
      return np.sin(x);
    }, f64(0.5));
    expect(y.item()).toBeCloseTo(Math.sin(0.5), 12);
    expect(push(f64(2)).item()).toBeCloseTo(2 * Math.cos(0.5), 12);
    expect(push(f64(1)).item()).toBeCloseTo(Math.cos(0.5), 12);
    expect(calls).toBe(1);
  });

  it("transposes linear functions, and refuses others", () => {
    const t = linearTranspose(
      (x: NDArray) =>
        np.dot(
          f64([
            [1, 2],
            [3, 4],
          ]),
          x,
        ),
      f64([0, 0]),
    );
    expect(t(f64([1, 10]))[0].js()).toEqual([31, 42]);
    expect(() => linearTranspose((x: NDArray) => np.sin(x), f64(0))(f64(1))).toThrow(/no-rule/);
  });
});

describe("Jacobians", () => {
  const f = (x: NDArray): NDArray => np.stack([x.slice(0).mul(x.slice(1)), np.sin(x.slice(2))]);
  it("of functions that are not square", () => {
    const x = f64([2, 3, 0]);
    const expected = [
      [3, 2, 0],
      [0, 0, 1],
    ];
    expect((jacfwd(f)(x) as NDArray).js()).toEqual(expected);
    expect((jacrev(f)(x) as NDArray).js()).toEqual(expected);
  });

  it("of pytrees, and Hessians", () => {
    const g = (p: { a: NDArray; b: NDArray }): { s: NDArray } => ({ s: np.sum(p.a).mul(p.b) });
    const j = jacrev(g)({ a: f64([1, 2]), b: f64(3) });
    expect(j.s.a.js()).toEqual([3, 3]);
    expect(j.s.b.js()).toBe(3);
    const h = hessian((p: { a: NDArray; b: NDArray }) => np.sum(p.a.mul(p.a)).mul(p.b))({ a: f64([1, 2]), b: f64(3) });
    expect(h.a.a.js()).toEqual([
      [6, 0],
      [0, 6],
    ]);
    expect(h.a.b.js()).toEqual([2, 4]);
    expect(h.b.b.js()).toBe(0);
  });
});

describe("vmap", () => {
  it("maps arguments over axes, pytree prefixes included", () => {
    const f = vmap((p: { w: NDArray; b: NDArray }, x: NDArray) => np.dot(p.w, x).add(p.b), {
      inAxes: [{ w: null, b: 0 }, 1],
      outAxes: 0,
    });
    const out = f(
      {
        w: np.array([
          [1, 0],
          [0, 2],
        ]),
        b: np.array([10, 20, 30]),
      },
      np.array([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expect((out as NDArray).js()).toEqual([
      [11, 18],
      [22, 30],
      [33, 42],
    ]);
  });

  it("places results with outAxes and repeats what is not mapped", () => {
    expect(
      (
        vmap(
          (x: NDArray) => x.mul(2),
          0,
          1,
        )(
          np.array([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ) as NDArray
      ).shape,
    ).toEqual([3, 2]);
    expect((vmap((_: NDArray) => np.array(7))(np.ones([3])) as NDArray).js()).toEqual([7, 7, 7]);
    expect((vmap(() => np.array(7), { axisSize: 2 })() as NDArray).js()).toEqual([7, 7]);
    expect((vmap((_: NDArray) => np.array(7), { outAxes: null })(np.ones([3])) as NDArray).js()).toBe(7);
  });

  it("says what is wrong with axes", () => {
    expect(() => vmap((x: NDArray, y: NDArray) => x.add(y))(np.ones([2]), np.ones([3]))).toThrow(/vmap-sizes/);
    expect(() => vmap((x: NDArray) => x, 2)(np.ones([2]))).toThrow(/axis-range/);
    expect(() => vmap((x: NDArray) => x, { inAxes: [0, 0] })(np.ones([2]))).toThrow(/vmap-axes/);
    expect(() => vmap((x: NDArray) => x, null)(np.ones([2]))).toThrow(/vmap-axes/);
    expect(() => vmap((x: NDArray) => x, 0, null)(np.ones([2]))).toThrow(/vmap-out-axes/);
    expect(() => vmap((p: { a: NDArray }) => p.a, { inAxes: [{ b: 0 }] })({ a: np.ones([2]) })).toThrow(/tree-prefix/);
    expect(() => vmap((p: NDArray[]) => p[0]!, { inAxes: [{ a: 0 }] as never })([np.ones([2])])).toThrow(/tree-prefix/);
  });
});

describe("looking at functions", () => {
  it("prints jaxprs in JAX's notation", () => {
    expect(String(makeJaxpr((x: NDArray) => np.sin(x).mul(2))(np.ones([3])))).toMatchInlineSnapshot(`
      "{ lambda ; a:f32[3]. let
          b:f32[3] = sin a
          c:f32[3] = mul b 2.0:f32[]
        in (c,) }"
    `);
    expect(evalShape((x: NDArray) => np.dot(x, x.T), { shape: [2, 3], dtype: "float32" })).toEqual({
      shape: [2, 2],
      dtype: "float32",
    });
  });

  it("checks derivatives against finite differences", () => {
    checkGrads((x: NDArray) => np.sum(np.sin(x).mul(np.exp(x))), [f64([0.3, -0.2])]);
    const wrong = (x: NDArray): NDArray => x.mul(stopGradient<NDArray>(x));
    expect(() => checkGrads(wrong, [f64([0.5])])).toThrow(/check-grads/);
  });
});
