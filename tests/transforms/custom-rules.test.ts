import { describe, expect, it, test } from "vitest";
import {
  closureConvert,
  customGradient,
  customJvp,
  customVjp,
  customVmap,
  defaultDevice,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  listDevices,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  setDefaultDevice,
  valueAndGrad,
  vjp,
  vmap,
} from "../../src/index.js";

const f32 = (x: number | number[] | number[][]): NDArray => np.array(x, { dtype: "float32" });
const f64 = (x: number | number[] | number[][]): NDArray => np.array(x, { dtype: "float64" });
const close = (x: NDArray, expected: readonly number[], digits = 5): void =>
  [x.js()].flat(9).forEach((v, i) => expect(v as number).toBeCloseTo(expected[i]!, digits));

const log1pexp = customJvp((x: NDArray) => np.log(np.exp(x).add(1)));
log1pexp.defjvp(([x], [dx]) => [log1pexp(x), nn.sigmoid(x).mul(dx)]);

/** Its derivative is not the true one, so that one sees which rule was used. */
const twice = customJvp((x: NDArray) => np.sin(x));
twice.defjvp(([x], [dx]) => [twice(x), np.cos(x).mul(2).mul(dx)]);
const thrice = customVjp((x: NDArray) => np.sin(x));
thrice.defvjp(
  (x) => [thrice(x), np.cos(x)],
  (c, g) => [c.mul(3).mul(g)],
);

describe.each(listDevices())("documented numbers on %s", (device) => {
  const on = <R>(body: () => R): R => {
    const before = defaultDevice();
    setDefaultDevice(device);
    try {
      return body();
    } finally {
      setDefaultDevice(before);
    }
  };
  test("log1pexp", () =>
    on(() => {
      close(log1pexp(f32(3)), [3.0485873]);
      const plain = (x: NDArray): NDArray => np.log(np.exp(x).add(1));
      expect(grad(plain)(f32(100)).item()).toBeNaN();
      expect(grad(log1pexp)(f32(100)).item()).toBe(1);
      expect(jit(grad(jit(log1pexp)))(f32(100)).item()).toBe(1);
      close(vmap(grad(log1pexp))(f32([0, 1, 2])), [0.5, 0.7310586, 0.8807971]);
      close(jit(vmap(grad(jit(log1pexp))))(f32([0, 1, 2])), [0.5, 0.7310586, 0.8807971]);
    }));
  test("implicit differentiation", () =>
    on(() => {
      const newton = (f: (x: NDArray) => NDArray, x0: NDArray): NDArray => {
        let x = x0;
        for (let i = 0; i < 8; i++) x = x.sub(f(x).div(x.mul(2)));
        return x;
      };
      const sqrt = (a: NDArray): NDArray =>
        lax.customRoot(
          (x: NDArray) => x.mul(x).sub(a),
          f32(1.5),
          newton,
          (g, y) => y.div(g(1)),
        );
      close(sqrt(f32(4)), [2]);
      for (const d of [grad(sqrt), jit(grad(sqrt)), grad(jit(sqrt))]) close(d(f32(4)), [0.25]);
      for (const d of [grad(grad(sqrt)), jit(grad(grad(sqrt))), hessian(sqrt)]) close(d(f32(4)), [-1 / 32]);
      close(vmap(grad(sqrt))(f32([4, 9])), [1 / 4, 1 / 6]);
      close(grad((a: NDArray) => np.sum(vmap(sqrt)(a)))(f32([4, 9])), [1 / 4, 1 / 6]);
    }));
});

describe("customJvp", () => {
  it("uses its rule in every nest of transformations", () => {
    const at = f64(0.5);
    const expected = [2 * Math.cos(0.5)];
    for (const d of [grad(twice), jit(grad(twice)), grad(jit(twice)), jacfwd(twice), jacrev(twice)])
      close(d(at), expected);
    close(jvp(jit(twice), [at], [f64(1)])[1], expected);
    close(vmap(grad(twice))(f64([0.5])), expected);
    close(grad((x: NDArray) => np.sum(vmap(twice)(x)))(f64([0.5])), expected);
    const nested = jit(vmap(jit(grad(jit((x: NDArray) => np.sum(vmap(jit(twice))(x)))))));
    close(nested(f64([[0.5], [0.5]])), [...expected, ...expected]);
  });

  it("differentiates the rule for higher orders", () => {
    // the rule calls the function for its value: d²/dx² = 2·(−sin)
    for (const d of [grad(grad(twice)), jit(grad(grad(twice))), grad(grad(jit(twice))), hessian(twice)])
      close(d(f64(0.5)), [-2 * Math.sin(0.5)]);
    const third = grad(grad(grad(log1pexp)));
    const s = 1 / (1 + Math.exp(-0.5));
    for (const d of [third, jit(third)]) close(d(f64(0.5)), [s * (1 - s) * (1 - 2 * s)]);
  });

  it("works in a scan, differentiated and mapped", () => {
    const chain = (f: (x: NDArray) => NDArray) => (x: NDArray) =>
      lax.scan((c: NDArray) => [f(c), null], x, null, { length: 3 })[0];
    const unrolled = (f: (x: NDArray) => NDArray) => (x: NDArray) => f(f(f(x)));
    for (const f of [twice, thrice] as const) {
      const [a, b] = [grad(chain(f)), grad(unrolled(f))];
      close(a(f64(0.5)), [b(f64(0.5)).item() as number]);
      close(jit(a)(f64(0.5)), [b(f64(0.5)).item() as number]);
      close(vmap(a)(f64([0.5, 1])), vmap(b)(f64([0.5, 1])).js() as number[]);
      close(grad(a)(f64(0.5)), [grad(b)(f64(0.5)).item() as number]);
    }
  });

  it("keeps its rule on the staged equation, and is the function where nothing is differentiated", () => {
    const text = String(makeJaxpr((x: NDArray) => twice(x))(f32(1)));
    expect(text).toContain("custom_jvp_call[");
    close(jit(twice)(f64([0.5])), [Math.sin(0.5)]);
  });

  it("takes arguments that are not differentiated", () => {
    const apply = customJvp((f: (x: NDArray) => NDArray, x: NDArray) => f(x), { nondiffArgnums: [0] });
    apply.defjvp((f, [x], [dx]) => [f(x), np.cos(x).mul(2).mul(dx)]);
    const sin = (x: NDArray): NDArray => np.sin(x);
    close(apply(sin, f64(0.5)), [Math.sin(0.5)]);
    close(grad((x: NDArray) => apply(sin, x).mul(3))(f64(0.5)), [6 * Math.cos(0.5)]);
    close(jit(grad((x: NDArray) => apply(sin, x)))(f64(0.2)), [2 * Math.cos(0.2)]);
  });

  it("takes pytrees, and gives no tangent to integers", () => {
    const f = customJvp((p: { w: NDArray; n: NDArray }, x: NDArray) => ({ y: p.w.mul(x), n: p.n }));
    let seen: unknown;
    f.defjvp(([p, x], [dp, dx]) => {
      seen = dp.n;
      return [f(p, x), { y: dp.w.mul(x).add(p.w.mul(dx)), n: null }] as never;
    });
    const n = np.array(3, { dtype: "int32" });
    const g = grad((w: NDArray) => f({ w, n }, f64(5)).y.mul(2))(f64(2));
    close(g, [10]);
    expect(seen).toBeNull();
  });

  it("takes a rule for each argument", () => {
    const f = customJvp((x: NDArray, y: NDArray) => x.mul(y));
    f.defjvps((dx, _ans, _x, y) => dx.mul(y).mul(10), null);
    const [gx, gy] = grad(f, [0, 1])(f64(2), f64(3));
    close(gx, [30]);
    close(gy, [0]);
    expect(() => customJvp((x: NDArray) => x).defjvps(null, null)(f64(1))).not.toThrow();
    const wrong = customJvp((x: NDArray) => x).defjvps(null, null);
    expect(() => grad(wrong)(f64(1))).toThrow(/defjvps-count/);
  });

  it("lets its function follow values where they are at hand", () => {
    const f = customJvp((x: NDArray) => ((x.item() as number) > 0 ? x : x.neg()));
    f.defjvp(([x], [dx]) => [f(x), np.sign(x).mul(dx)]);
    expect(f(f64(-2)).item()).toBe(2);
    expect(grad(f)(f64(-2)).item()).toBe(-1);
  });

  it("closes over traced values where a rule cannot miss them", () => {
    const times = (c: NDArray): ((x: NDArray) => NDArray) => {
      const f = customJvp((x: NDArray) => x.mul(c));
      f.defjvp(([x], [dx]) => [x.mul(c), dx.mul(c)]);
      return f;
    };
    close(vmap((x: NDArray) => times(x)(x))(f64([0, 1, 2])), [0, 1, 4]);
    close(vmap((x: NDArray) => grad(times(x))(x))(f64([0, 1, 2])), [0, 1, 2]);
    close(jit(vmap((x: NDArray) => times(x)(x)))(f64([0, 1, 2])), [0, 1, 4]);
    close(jit((x: NDArray) => times(x)(x))(f64(3)), [9]);
    const needs = /custom-closure[\s\S]*make the value an argument/;
    expect(() => grad((x: NDArray) => times(x)(x))(f64(3))).toThrow(needs);
    expect(() => grad((x: NDArray) => times(x)(f64(2)))(f64(3))).toThrow(needs);
    expect(() => grad(jit((x: NDArray) => times(x)(x)))(f64(3))).toThrow(needs);
  });

  it("refuses rules that do not fit", () => {
    const one = f64(1);
    const given = (rule: (...args: never[]) => unknown) =>
      grad(customJvp((x: NDArray) => x).defjvp(rule as never))(one);
    expect(() => given(([x]: NDArray[]) => x)).toThrow(/custom-pair/);
    expect(() => given(([x]: NDArray[], [t]: NDArray[]) => [x, [t]])).toThrow(
      /custom-structure[\s\S]*expected[\s\S]*got/,
    );
    expect(() => given(([x]: NDArray[]) => [x, np.ones([2])])).toThrow(/custom-type/);
    expect(() => given(() => [np.ones([2]), np.ones([2])])).toThrow(/grad-output/);
    expect(() => customJvp((x: NDArray) => x)(one)).toThrow(/custom-rule-missing[\s\S]*defjvp/);
    expect(() => customJvp(3 as never)).toThrow(/not-a-function/);
    const staged = customJvp((x: NDArray) => x);
    staged.defjvp(([x], [t]) => [np.stack([x, x]), np.stack([t, t])]);
    expect(() => grad(jit((x: NDArray) => np.sum(staged(x))))(one)).toThrow(/custom-types/);
  });
});

describe("customVjp", () => {
  it("uses its rules in every nest of transformations", () => {
    const expected = [3 * Math.cos(0.5)];
    for (const d of [grad(thrice), jit(grad(thrice)), grad(jit(thrice)), jit(grad(jit(thrice))), jacrev(thrice)])
      close(d(f64(0.5)), expected);
    close(vmap(grad(thrice))(f64([0.5])), expected);
    close(vmap(grad(jit(thrice)))(f64([0.5])), expected);
    close(grad((x: NDArray) => np.sum(vmap(thrice)(x)))(f64([0.5])), expected);
    close(grad((x: NDArray) => np.sum(vmap(jit(thrice))(x)))(f64([0.5])), expected);
    const second = [-3 * Math.sin(0.5)];
    for (const d of [
      grad(grad(thrice)),
      jit(grad(grad(thrice))),
      grad(grad(jit(thrice))),
      grad(jit(grad(jit(thrice)))),
    ])
      close(d(f64(0.5)), second);
    close(vjp(thrice, f64(0.5))[1](f64(2))[0], [6 * Math.cos(0.5)]);
  });

  it("refuses forward mode", () => {
    expect(() => jvp(thrice, [f64(1)], [f64(1)])).toThrow(/custom-vjp-jvp[\s\S]*customJvp/);
    expect(() => jvp(jit(thrice), [f64(1)], [f64(1)])).toThrow(/forward-mode differentiation/);
    expect(() => jacfwd(thrice)(f64(1))).toThrow(/forward-mode differentiation/);
  });

  it("keeps pytrees and static values as residuals", () => {
    const f = customVjp((p: { w: NDArray; b: NDArray }, x: NDArray) => [p.w.mul(np.sin(x)), np.sum(x)] as const);
    f.defvjp(
      (p, x) => [[p.w.mul(np.sin(x)), np.sum(x)] as const, { c: np.cos(x), p, x, factor: 7, name: "r" }],
      (r, [a, b]) => {
        expect(r.name).toBe("r");
        return [{ w: a.mul(np.sin(r.x)), b: b.mul(r.factor) }, a.mul(r.p.w).mul(r.c).add(b)];
      },
    );
    const loss = (p: { w: NDArray; b: NDArray }, x: NDArray): NDArray => {
      const [a, b] = f(p, x);
      return np.sum(a).mul(b);
    };
    const run = valueAndGrad(loss, { argnums: [0, 1] });
    for (const g of [run, jit(run)]) {
      const [value, [dp, dx]] = g({ w: f32([1, 2]), b: f32(0.5) }, f32([0.3, 0.6]));
      close(value, [1.2823246]);
      close(dp.w, [0.2659682, 0.5081782]);
      close(dp.b, [9.9736366]);
      close(dx, [2.2846081, 2.9104095]);
    }
  });

  it("reads null as no cotangent", () => {
    const f = customVjp((x: NDArray, n: NDArray, p: { a: NDArray; b: NDArray }) => x.mul(p.a).mul(n.astype("float64")));
    f.defvjp(
      (x, n, p) => [f(x, n, p), p.a],
      (a, g) => [g.mul(a), null, null],
    );
    const n = np.array(2, { dtype: "int32" });
    const [gx, gp] = grad(f, [0, 2])(f64(3), n, { a: f64(5), b: f64(1) });
    close(gx, [5]);
    close(gp.a, [0]);
    close(gp.b, [0]);
  });

  it("sums what the examples of a batch share", () => {
    const f = customVjp((w: NDArray, x: NDArray) => w.mul(x));
    f.defvjp(
      (w, x) => [w.mul(x), [w, x] as const],
      ([w, x], g) => [g.mul(x), g.mul(w)],
    );
    const loss = (w: NDArray, x: NDArray): NDArray => np.sum(vmap(f, { inAxes: [null, 0] })(w, x));
    const plain = (w: NDArray, x: NDArray): NDArray => np.sum(w.mul(x));
    for (const l of [loss, jit(loss)]) {
      const [gw, gx] = grad(l, [0, 1])(f64(2), f64([1, 2, 3]));
      const [ew, ex] = grad(plain, [0, 1])(f64(2), f64([1, 2, 3]));
      expect([gw.js(), gx.js()]).toEqual([ew.js(), ex.js()]);
    }
  });

  it("takes functions as arguments that are not differentiated, but no traced values", () => {
    const f = customVjp((g: (x: NDArray) => NDArray, x: NDArray) => g(x), { nondiffArgnums: [0] });
    f.defvjp(
      (g, x) => [g(x), x],
      (g, x, ct) => [g(x).mul(ct)],
    );
    close(grad((x: NDArray) => f((y) => np.exp(y), x))(f64(1)), [Math.E]);
    expect(() => grad((x: NDArray) => f(x as never, x))(f64(1))).toThrow(/nondiff-tracer/);
  });

  it("refuses rules that do not fit, showing both structures", () => {
    const one = f64(1);
    const bwd = (backward: (...args: never[]) => unknown) =>
      grad(customVjp((x: NDArray) => x).defvjp(((x: NDArray) => [x, null]) as never, backward as never))(one);
    expect(() => bwd((_r, g) => g)).toThrow(/custom-arity[\s\S]*arguments {2}\[\*\]/);
    expect(() => bwd((_r, g) => [g, g])).toThrow(/custom-arity[\s\S]*arguments {2}\[\*\][\s\S]*got {8}\[\*, \*\]/);
    expect(() => bwd((_r, g) => [{ a: g }])).toThrow(
      /custom-structure[\s\S]*expected {2}\[\*\][\s\S]*got {7}\[\{"a": \*\}\]/,
    );
    expect(() => bwd(() => [np.ones([3])])).toThrow(/custom-type[\s\S]*f64\[\][\s\S]*f32\[3\]/);
    const fwd = (forward: (...args: never[]) => unknown, f = customVjp((x: NDArray) => x)) =>
      f.defvjp(forward as never, ((_: never, g: NDArray) => [g]) as never);
    expect(() => grad(fwd((x: NDArray) => x))(one)).toThrow(/custom-pair/);
    expect(() =>
      grad(jit((x: NDArray) => np.sum(fwd(((x: NDArray) => [np.stack([x, x]), null]) as never)(x))))(one),
    ).toThrow(/custom-types/);
    expect(() => customVjp((x: NDArray) => x)(one)).toThrow(/custom-rule-missing[\s\S]*defvjp/);
  });

  it("refuses to be differentiated in what it closes over", () => {
    const times = (c: NDArray): ((x: NDArray) => NDArray) => {
      const f = customVjp((x: NDArray) => x.mul(c));
      f.defvjp(
        (x) => [x.mul(c), null],
        (_, g) => [g.mul(c)],
      );
      return f;
    };
    expect(() => grad((x: NDArray) => times(x)(x))(f64(3))).toThrow(/custom-closure/);
    expect(() => grad(jit((x: NDArray) => times(x)(x)))(f64(3))).toThrow(/custom-closure/);
    close(vmap((x: NDArray, y: NDArray) => grad(times(x))(y))(f64([0, 1, 2]), f64([5, 5, 5])), [0, 1, 2]);
  });
});

describe("customGradient", () => {
  const f = customGradient(
    (x: NDArray, y: NDArray) => [x.mul(y), (g: NDArray) => [g.mul(y).mul(2), g.mul(x)]] as const,
  );
  it("uses the gradient that comes with the value", () => {
    for (const d of [grad(f, [0, 1]), jit(grad(f, [0, 1])), grad(jit(f), [0, 1])]) {
      const [gx, gy] = d(f64(2), f64(3));
      expect([gx.item(), gy.item()]).toEqual([6, 2]);
    }
    close(vmap(grad(f), { inAxes: [0, null] })(f64([1, 2]), f64(3)), [6, 6]);
    const cube = customGradient((x: NDArray) => [x.mul(x), (g: NDArray) => g.mul(3).mul(x)] as const);
    expect(grad(cube)(f64(2)).item()).toBe(6);
    expect(grad(grad(cube))(f64(2)).item()).toBe(3);
    expect(jit(grad(grad(cube)))(f64(2)).item()).toBe(3);
  });
});

describe("customVmap", () => {
  it("uses its rule where it is mapped, and its function elsewhere", () => {
    const seen: unknown[] = [];
    const f = customVmap((x: NDArray, y: NDArray) => np.sin(x).mul(y));
    f.defVmap((size, isBatched, x, y) => {
      seen.push([size, isBatched, x.shape]);
      return [np.sin(x).mul(y).mul(2), true];
    });
    close(f(f64(0.5), f64(3)), [3 * Math.sin(0.5)]);
    const rows = { inAxes: [0, null] } as const;
    const expected = [2 * Math.sin(0.5), 2 * Math.sin(1)];
    for (const g of [vmap(f, rows), jit(vmap(f, rows)), vmap(jit(f), rows)]) close(g(f64([0.5, 1]), f64(1)), expected);
    expect(seen[0]).toEqual([2, [true, false], [2]]);
    close(grad((x: NDArray) => np.sum(vmap(f, rows)(x, f64(1))))(f64([0.5])), [2 * Math.cos(0.5)]);
    close(jit(grad(f))(f64(0.5), f64(3)), [3 * Math.cos(0.5)]);
    expect(() => customVmap((x: NDArray) => x)(f64(1))).toThrow(/custom-rule-missing/);
  });
});

describe("closureConvert", () => {
  it("makes arguments of what is differentiated", () => {
    let count = 0;
    const run = (a: NDArray): NDArray => {
      const [g, values] = closureConvert((x: NDArray) => x.mul(a), f64(1));
      count = values.length;
      return g(f64(3), ...values);
    };
    expect(grad(run)(f64(2)).item()).toBe(3);
    expect(count).toBe(1);
    const [g, none] = closureConvert((x: NDArray) => x.mul(f64(2)), f64(1));
    expect([g(f64(3)).item(), none.length]).toEqual([6, 0]);
  });
});

describe("customLinearSolve", () => {
  const solve2 = (m: NDArray, b: NDArray): NDArray => {
    const at = (i: number, j: number): NDArray => m.slice(i, j);
    const det = at(0, 0)
      .mul(at(1, 1))
      .sub(at(0, 1).mul(at(1, 0)));
    const [p, q] = [b.slice(0), b.slice(1)];
    return np.stack([at(1, 1).mul(p).sub(at(0, 1).mul(q)), at(0, 0).mul(q).sub(at(1, 0).mul(p))]).div(det);
  };
  const systems = {
    symmetric: [
      [4, 1],
      [1, 3],
    ],
    general: [
      [4, 1],
      [2, 3],
    ],
  } as const;
  it.each(["symmetric", "general"] as const)("has the derivatives of a %s solve", (kind) => {
    const m = f64(systems[kind].map((r) => [...r]));
    const options =
      kind === "symmetric"
        ? () => ({ symmetric: true })
        : (a: NDArray) => ({ transposeSolve: (_: unknown, b: NDArray) => solve2(a.T, b) });
    const f = (s: NDArray, b: NDArray): NDArray => {
      const a = m.mul(s);
      return lax.customLinearSolve(
        (x: NDArray) => np.matmul(a, x),
        b,
        (_, c) => solve2(a, c),
        options(a),
      );
    };
    const plain = (s: NDArray, b: NDArray): NDArray => solve2(m.mul(s), b);
    const loss = (h: typeof f) => (s: NDArray, b: NDArray) => np.sum(np.square(h(s, b)));
    const [s, b] = [f64(1.5), f64([1, -2])];
    const results = (h: typeof f): unknown[] => {
      const l = loss(h);
      const [t, u] = [f64([1.5, 2]), np.stack([b, b.mul(2)])];
      return [
        h(s, b),
        jit(h)(s, b),
        grad(l)(s, b),
        jit(grad(l, 1))(s, b),
        jvp(h, [s, b], [f64(1), b])[1],
        grad(grad(l))(s, b),
        jit(hessian(l, 1))(s, b),
        vmap(h, { inAxes: [0, null] })(t, b),
        vmap(grad(l, 1), { inAxes: [null, 0] })(s, u),
        vmap(jit(grad(grad(l))))(t, u),
      ].map((x) => x.js());
    };
    const flat = (x: unknown): number[] => [x].flat(9) as number[];
    const [got, expected] = [flat(results(f)), flat(results(plain))];
    got.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 9));
  });

  it("passes on auxiliary results, and says what reverse mode needs", () => {
    const d = f64([2, 4]);
    const [x, aux] = lax.customLinearSolve(
      (v: NDArray) => v.mul(d),
      f64([1, 1]),
      (_, b) => [b.div(d), { n: np.sum(b) }] as const,
      {
        hasAux: true,
      },
    );
    close(x, [0.5, 0.25]);
    expect((aux as { n: NDArray }).n.item()).toBe(2);
    const f = (b: NDArray): NDArray =>
      np.sum(
        lax.customLinearSolve(
          (v: NDArray) => v.mul(d),
          b,
          (_, c) => c.div(d),
        ),
      );
    close(jvp(f, [f64([1, 1])], [f64([1, 1])])[1], [0.75]);
    expect(() => grad(f)(f64([1, 1]))).toThrow(/no-transpose-solve[\s\S]*symmetric/);
  });
});
