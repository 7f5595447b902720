import { beforeEach, describe, expect, test } from "vitest";
import {
  config,
  defaultDevice,
  grad,
  hessian,
  jacfwd,
  jit,
  jvp,
  lax,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  stopGradient,
  vjp,
  vmap,
} from "../../src/index.js";

const js = (x: unknown): unknown => (Array.isArray(x) ? x.map(js) : (x as NDArray).js());
const i32 = (v: number | number[]): NDArray => np.array(v, { dtype: "int32" });
const close = (got: unknown, expected: unknown, digits = 5): void => {
  const flat = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flat) : [Number(x)]);
  const [a, b] = [flat(js(got)), flat(expected)];
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => expect(Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))).toBeLessThan(10 ** -digits));
};

/** c·x four times, from 1. */
const geometric = (c: NDArray): [NDArray, NDArray] =>
  lax.scan((x: NDArray) => [x.mul(c), x], np.array(1.0), null, { length: 4 });
const product = (xs: NDArray): NDArray => lax.scan((y: NDArray, x: NDArray) => [y.mul(x), null], np.array(1.0), xs)[0];
const rnn = (w: NDArray, xs: NDArray): NDArray =>
  lax.scan(
    (h: NDArray, x: NDArray) => {
      const next = np.tanh(h.mul(w).add(x));
      return [next, next];
    },
    np.array(0.0),
    xs,
  )[1];
const powerByWhile = (x: NDArray, n: NDArray | number = 3): NDArray =>
  lax.whileLoop(
    ([i]) => np.less(i, n),
    ([i, v]) => [i.add(1), v.mul(x)] as [NDArray, NDArray],
    [0, np.onesLike(x)] as [number, NDArray],
  )[1];
const positiveRoot = (x: NDArray): NDArray =>
  lax.cond(
    x.greater(0),
    (v: NDArray) => np.sqrt(v),
    (v: NDArray) => v.mul(0),
    x,
  );
const collatz = (n: NDArray): NDArray =>
  lax.whileLoop(
    ([m]) => m.notEqual(1),
    ([m, k]) => [np.where(m.mod(2).equal(0), m.floorDivide(2), m.mul(3).add(1)), k.add(1)] as [NDArray, NDArray],
    [n, 0] as [NDArray, number],
  )[1];

describe.each(["reference", "wasm"])("control flow on %s", (device) => {
  beforeEach(() => {
    const before = defaultDevice();
    setDefaultDevice(device);
    return () => setDefaultDevice(before);
  });
  const both = (f: (x: NDArray) => NDArray): readonly ((x: NDArray) => NDArray)[] => [f, jit(f) as typeof f];

  test("scan: values, derivatives of order 1 to 3, Hessian", () => {
    for (const f of both((c) => geometric(c)[0])) {
      close(grad(f)(2), 32);
      close(grad(grad(grad(f)))(2), 48);
      close(jacfwd(f)(2), 32);
    }
    for (const f of both((c) => np.sum(geometric(c)[1]))) close(grad(f)(2), 17);
    for (const f of both(product))
      close(hessian(f)(np.array([2, 3, 4])), [
        [0, 4, 3],
        [4, 0, 2],
        [3, 2, 0],
      ]);
  });
  test("cond: results are as weak as those of the first branch", () => {
    const chosen = (no: number | NDArray, yes: number | NDArray): boolean =>
      jit((p: NDArray) =>
        lax.cond<[], number | NDArray>(
          p,
          () => yes,
          () => no,
        ),
      )(true).weakType;
    const strong = np.array(1).astype("float32");
    expect([chosen(2.5, strong), chosen(strong, 2.5), chosen(2.5, 1.5)]).toEqual([true, false, true]);
  });
  test("scan: a weak carry takes the type of the body, others must keep theirs", () => {
    const [c] = lax.scan((x: NDArray) => [x.mul(1.5), null], 1, null, { length: 2 });
    expect([c.item(), c.dtype]).toEqual([2.25, "float32"]);
    expect(() => lax.scan((x: NDArray) => [x.mul(1.5), null], i32(1), null, { length: 2 })).toThrow(
      /carry +begins as i32\[\], the body gives ~f32\[\]/,
    );
    expect(() =>
      lax.scan(((a: { p: NDArray }) => [{ p: a.p, q: a.p }, null]) as never, { p: np.zeros([2]) }, null, { length: 2 }),
    ).toThrow(/begins as +\{"p": \*\} +carry\.p: f32\[2\][^]*body gives +\{"p": \*, "q": \*\}/);
  });
  test("scan: trees, nothing to scan, reverse, unroll", () => {
    const xs = { a: np.arange(7), b: [np.ones([7, 2])] as const };
    const run = (reverse: boolean, unroll: number | boolean): unknown => {
      const [carry, ys] = lax.scan(
        (c: { n: NDArray; v: NDArray }, x: { a: NDArray; b: readonly [NDArray] }) => [
          { n: c.n.mul(2).add(x.a), v: c.v.add(x.b[0]) },
          [c.n, { sum: np.sum(c.v) }] as const,
        ],
        { n: 0, v: np.zeros([2]) },
        xs as never,
        { reverse, unroll },
      );
      return [js(carry.n), js(carry.v), js(ys[0]), js(ys[1].sum)];
    };
    for (const reverse of [false, true]) {
      const plain = run(reverse, 1);
      for (const unroll of [2, 3, 7, 9, true]) expect(run(reverse, unroll)).toEqual(plain);
    }
    expect(run(false, 1)).toEqual([120, [7, 7], [0, 0, 1, 4, 11, 26, 57], [0, 2, 4, 6, 8, 10, 12]]);
    const [c, ys] = lax.scan((s: NDArray, x: NDArray) => [s.add(x), s], 5, np.zeros([0]));
    expect([c.item(), ys.shape]).toEqual([5, [0]]);
  });
  test("the body of a scan is staged once, however long it is, and not again for its derivatives", () => {
    let traces = 0;
    const body = (c: NDArray, x: NDArray): readonly [NDArray, NDArray] => {
      traces++;
      return [c.mul(x), c];
    };
    const f = (x: NDArray): NDArray => np.sum(lax.scan(body, x, np.ones([100]))[1]);
    f(np.array(2.0));
    grad(f)(np.array(2.0));
    expect(traces).toBe(1);
    expect(makeJaxpr(f)(np.array(2.0)).jaxpr.eqns.length).toBeLessThan(5);
  });
  test("what is the same in all rounds is no residual of a round", () => {
    const w = np.ones([8, 8]);
    const f = (v: NDArray): NDArray =>
      np.sum(lax.scan((c: NDArray) => [np.dot(np.exp(w), c), null], v, null, { length: 5 })[0]);
    const text = makeJaxpr(grad(f))(np.ones([8])).toString();
    expect(text).not.toMatch(/\[5,8,8\]/);
  });
  test("recurrent network", () => {
    const f = (w: NDArray): NDArray => np.sum(rnn(w, np.array([1, 2, 3])));
    const ones = (w: NDArray): NDArray =>
      np.sum(
        lax.scan(
          (h: NDArray) => {
            const next = np.tanh(h.mul(w).add(0.1));
            return [next, next];
          },
          np.array(0.5),
          null,
          { length: 3 },
        )[1],
      );
    for (const g of [f, ones]) {
      const step = 1e-2;
      const slope = (g(np.array(0.5 + step)).item() - g(np.array(0.5 - step)).item()) / (2 * step);
      close(grad(g)(0.5), slope, 3);
      close(jit(grad(g))(0.5), slope, 3);
    }
  });
  test("while: forward mode, batches whose examples end one by one, no reverse mode", () => {
    for (const f of both((x) => powerByWhile(x))) {
      close(jvp(f, [2], [1]), [8, 12]);
      close(linearize(f, 2)[1](1), 12);
      expect(() => grad(f)(2)).toThrow(/scan.*boundedWhile/);
    }
    for (const f of both((n) => vmap(collatz)(n)))
      expect(js(f(i32([1, 2, 3, 6, 7, 27])))).toEqual([0, 1, 7, 8, 16, 111]);
    const until = (x: NDArray): NDArray =>
      lax.whileLoop(
        (v) => v.less(100),
        (v) => v.mul(x),
        x,
      );
    close(jacfwd(until)(3), 405);
    const mapped = (x: NDArray): NDArray =>
      vmap(powerByWhile as (x: NDArray, n: NDArray) => NDArray)(x, i32([1, 2, 0]));
    close(jvp(mapped, [np.array([2, 3, 5])], [np.ones([3])]), [
      [2, 9, 1],
      [1, 6, 0],
    ]);
    close(jvp(jit(mapped), [np.array([2, 3, 5])], [np.ones([3])]), [
      [2, 9, 1],
      [1, 6, 0],
    ]);
    expect(() =>
      lax.whileLoop(
        () => np.ones([2]).greater(0),
        (x) => x,
        1,
      ),
    ).toThrow(/one bool scalar/);
  });
  test("foriLoop: bounds that are numbers have reverse mode, others have not", () => {
    const f = (x: NDArray): NDArray => lax.foriLoop(0, 3, (_, v) => v.mul(x), np.array(1.0));
    close(grad(f)(2), 12);
    const traced = (n: NDArray, x: NDArray): NDArray => lax.foriLoop(0, n, (_, v) => v.mul(x), np.array(1.0));
    const compiled = jit(traced);
    close(compiled(i32(3), 2), 8);
    close(compiled(i32(-1), 2), 1);
    expect(() => jit(grad(traced, 1))(i32(3), 2)).toThrow(/boundedWhile/);
    close(vmap(traced, { inAxes: [0, null] })(i32([0, 1, 4]), 2), [1, 2, 16]);
    expect(lax.foriLoop(3, 1, (i, v) => v.add(i), 7).item()).toBe(7);
    expect(lax.foriLoop(2, 5, (i, v) => v.add(i), 0).item()).toBe(9);
  });
  test("cond: derivatives of the branch that is taken, without NaN from the other", () => {
    close(vmap(grad(positiveRoot))(np.array([4, 0])), [0.25, 0]);
    close(grad((x: NDArray) => np.sum(vmap(positiveRoot)(x)))(np.array([4, 0])), [0.25, 0]);
    close(jit(grad(positiveRoot))(4), 0.25);
    close(grad(positiveRoot)(-1), 0);
    expect(
      lax
        .cond(
          true,
          () => 1,
          () => 2,
        )
        .item(),
    ).toBe(1);
    expect(() =>
      lax.cond(
        true,
        () => np.zeros([2]),
        () => np.zeros([3]),
      ),
    ).toThrow(/falseFun.*f32\[3\][^]*trueFun.*f32\[2\]/);
    expect(() =>
      lax.cond(
        true,
        () => i32(1),
        () => np.array(1.5),
      ),
    ).toThrow(/same structure and types/);
    expect(() =>
      lax.cond(
        np.ones([2]),
        () => 1,
        () => 2,
      ),
    ).toThrow(/scalar/);
  });
  test("switch clamps its index, mapped or not", () => {
    const f = (i: NDArray | number, x: NDArray | number): NDArray =>
      lax.switch(i, [(v: NDArray) => v, (v: NDArray) => v.mul(2), (v: NDArray) => v.mul(v)], x);
    close(
      [-5, 0, 1, 2, 9].map((i) => f(i, 3.0)),
      [3, 3, 6, 9, 9],
    );
    close(vmap(f as never, { inAxes: [0, null] })(i32([-5, 0, 1, 2, 9]), 3.0), [3, 3, 6, 9, 9]);
    close(
      [0, 1, 2].map((i) => grad((x: NDArray) => f(i32(i), x))(3)),
      [1, 2, 6],
    );
    close(vmap(grad((x: NDArray, i: NDArray) => f(i, x)))(np.array([3, 3, 3]), i32([0, 1, 2])), [1, 2, 6]);
    expect(js(lax.switch(np.array(4294967295, { dtype: "uint32" }), [() => 1, () => 2]))).toBe(2);
  });
  test("only the branch that is taken runs", () => {
    // the other would never end
    const f = jit((x: NDArray) =>
      lax.cond(
        x.greater(0),
        (v: NDArray) => v,
        (v: NDArray) =>
          lax.whileLoop(
            () => np.array(true),
            (w) => w,
            v,
          ),
        x,
      ),
    );
    expect(f(2.5).item()).toBe(2.5);
  });
  test("map in batches, associative scan", () => {
    const squares = [0, 1, 4, 9, 16, 25, 36];
    for (const batchSize of [undefined, 1, 3, 7, 10])
      close(
        lax.map((x: NDArray) => x.mul(x), np.arange(7), batchSize === undefined ? {} : { batchSize }),
        squares,
      );
    for (let n = 1; n < 10; n++) {
      const sums = (from: number[]): number[] => from.map((_, i) => from.slice(0, i + 1).reduce((a, b) => a + b, 0));
      const list = Array.from({ length: n }, (_, i) => i + 1);
      close(
        lax.associativeScan((a, b) => a.add(b), np.array(list)),
        sums(list),
      );
      close(
        lax.associativeScan((a, b) => a.add(b), np.array(list), { reverse: true }),
        sums([...list].reverse()).reverse(),
      );
    }
    const [m, v] = lax.associativeScan(
      ([a, x], [b, y]) => [a.mul(b), x.mul(b).add(y)] as [NDArray, NDArray],
      [np.array([[2, 3, 4]]), np.array([[1, 1, 1]])] as [NDArray, NDArray],
      { axis: 1 },
    );
    close(
      [m, v],
      [
        [2, 6, 24],
        [1, 4, 17],
      ],
    );
  });
  test("boundedWhile has derivatives of any order, and stops where whileLoop does", () => {
    const root = (a: NDArray): NDArray =>
      lax.boundedWhile(
        (x) => np.abs(x.mul(x).sub(a)).greater(1e-5),
        (x) => x.add(a.div(x)).mul(0.5),
        a,
        { maxSteps: 20 },
      );
    for (const f of both(root)) {
      close(f(np.array(4)), 2);
      close(grad(f)(4), 0.25, 4);
      close(grad(grad(f))(4), -1 / 32, 4);
      close(vmap(grad(f))(np.array([2, 4, 9])), [0.5 / Math.sqrt(2), 0.25, 1 / 6], 4);
    }
    const counted = (maxSteps: number): number =>
      lax
        .boundedWhile(
          (n) => n.less(100),
          (n) => n.add(1),
          0,
          { maxSteps },
        )
        .item();
    expect([0, 1, 7, 99, 100, 101, 1000].map(counted)).toEqual([0, 1, 7, 99, 100, 100, 100]);
  });
  test("jvp of vjp of vmap of jit of scan", () => {
    const f = jit(rnn);
    const loss = (w: NDArray, xs: NDArray): NDArray => np.sum(vmap(f, { inAxes: [null, 0] })(w, xs));
    const xs = np.array([
      [0.1, 0.2, 0.3],
      [0.4, -0.5, 0.6],
    ]);
    const slope = (w: NDArray): NDArray => vjp(loss, w, xs)[1](1.0)[0];
    const [first, second] = jvp(slope, [0.5], [1.0]);
    const at = (w: number): number => grad((v: NDArray) => loss(v, xs))(w).item();
    close(first, at(0.5));
    close(second, (at(0.5 + 1e-2) - at(0.5 - 1e-2)) / 2e-2, 3);
    close(jvp(jit(slope), [0.5], [1.0]), [at(0.5), second.item()]);
  });
  test("vmap of what scans over rows, at any axis, is a loop", () => {
    const xs = np.array([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    close(vmap(product)(xs), [2, 12, 30]);
    close(vmap(product, { inAxes: 1 })(xs), [15, 48]);
    close(
      vmap(rnn, { inAxes: [0, null] })(np.array([0.1, 0.2]), np.array([1, 2])),
      [0.1, 0.2].map((w) => js(rnn(np.array(w), np.array([1, 2]))) as number[]),
    );
  });
  test("linear loops have transposes, also with a counter", () => {
    const f = (x: NDArray): NDArray => lax.foriLoop(0, 3, (i, v) => v.mul(i.add(1)), x);
    close(linearTranspose(f, np.array([1.0, 2.0]))(np.array([1, 10])), [[6, 60]]);
    const g = (x: NDArray): NDArray =>
      lax.scan((c: NDArray, y: NDArray) => [c.mul(2).add(y), c], x.mul(3), np.stack([x, x]))[0];
    close(linearTranspose(g, np.array(1.0))(1), [15]);
  });
  test("control flow within control flow", () => {
    const f = (x: NDArray): NDArray =>
      lax.foriLoop(
        0,
        4,
        (i, v) =>
          lax.cond(
            i.mod(2).equal(0),
            (u: NDArray) => lax.scan((c: NDArray, y: NDArray) => [c.add(y.mul(u)), null], u, np.array([1, 2]))[0],
            (u: NDArray) => np.sin(u),
            v,
          ),
        x,
      );
    const plain = (x: number): number => Math.sin(4 * Math.sin(4 * x));
    for (const g of both(f)) {
      close(g(np.array(0.3)), plain(0.3));
      close(grad(g)(0.3), (plain(0.3 + 1e-5) - plain(0.3 - 1e-5)) / 2e-5, 4);
      close(
        vmap(grad(g))(np.array([0.3, 0.1])),
        [0.3, 0.1].map((x) => (plain(x + 1e-5) - plain(x - 1e-5)) / 2e-5),
        4,
      );
    }
  });
  test("stopGradient and whole numbers in the carry", () => {
    const f = (x: NDArray): NDArray =>
      lax.scan(
        ([n, v]: readonly [NDArray, NDArray]) => [[n.add(1), v.mul(x).add(stopGradient(v))] as const, n],
        [0, x] as const,
        null,
        { length: 2 },
      )[0][1] as NDArray;
    // v1 = x·x + x', v2 = v1·x + v1' where the primed are constants: at 2, d v1 = 4, d v2 = 4·2 + 6
    close(grad(f)(2), 14);
  });
});

describe("loops on wasm", () => {
  test("a million small steps stay in the module; the first call of a scan does not depend on its length", () => {
    const a = np.array([
      [0.999, 0.01],
      [-0.01, 0.999],
    ]);
    const run = (length: number): { first: number; again: number } => {
      const f = jit((x: NDArray) => lax.scan((c: NDArray) => [np.dot(a, c), null], x, null, { length })[0]);
      const start = performance.now();
      f(np.ones([2])).dataSync();
      const middle = performance.now();
      f(np.ones([2])).dataSync();
      return { first: middle - start, again: performance.now() - middle };
    };
    run(10);
    const long = run(1_000_000);
    expect(long.again).toBeLessThan(2000);
    expect(long.first - long.again).toBeLessThan(2000);
  });
  test("dtypes of 8 bytes: slices and carries", () => {
    const before = config.enableX64;
    config.enableX64 = true;
    try {
      const xs = np.array(new Float64Array([1, 2, 3]));
      const [c, ys] = lax.scan(
        (s: NDArray, x: NDArray) => [s.add(x), s],
        np.array(new Float64Array([0.5]), { shape: [] }),
        xs,
      );
      expect([c.dtype, c.item(), js(ys)]).toEqual(["float64", 6.5, [0.5, 1.5, 3.5]]);
    } finally {
      config.enableX64 = before;
    }
  });
});
