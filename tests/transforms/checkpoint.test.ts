import fc from "fast-check";
import { describe, expect, it, test, vi } from "vitest";
import {
  checkpoint,
  checkpointName,
  checkpointPolicies,
  defaultDevice,
  grad,
  hessian,
  jit,
  jvp,
  lax,
  linearize,
  listDevices,
  makeJaxpr,
  type NDArray,
  numpy as np,
  printSavedResiduals,
  random,
  remat,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

const f64 = (x: number | number[] | number[][]): NDArray => np.array(x, { dtype: "float64" });
const sines = (x: NDArray): NDArray => np.sin(np.sin(x));
const count = (text: string, op: string): number => text.split(` ${op} `).length - 1;
const numbers = (x: NDArray): number[] => [x.js()].flat(9) as number[];
const close = (x: NDArray, y: NDArray, digits = 9): void => {
  const expected = numbers(y);
  expect(x.shape).toEqual(y.shape);
  numbers(x).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
};

describe("checkpoint", () => {
  it("computes again in the backward pass: three sines, not two", () => {
    expect(count(String(makeJaxpr(grad(checkpoint(sines)))(f64(1))), "sin")).toBe(3);
    expect(count(String(makeJaxpr(grad(sines))(f64(1))), "sin")).toBe(2);
    expect(remat).toBe(checkpoint);
  });

  it("has the derivatives of the function, in every nest", () => {
    const at = f64(0.7);
    const f = checkpoint(sines);
    type D = (g: typeof sines) => (x: NDArray) => NDArray;
    const nests: D[] = [
      (g) => grad(g),
      (g) => grad(grad(g)),
      (g) => grad(grad(grad(g))),
      (g) => jit(grad(grad(g))),
      (g) => grad(jit(grad(jit(g)))),
      (g) => hessian(g),
      (g) => (x) => jvp(g, [x], [f64(2)])[1],
      (g) => (x) => jvp(jit(grad(g)), [x], [f64(2)])[1],
      (g) => (x) => linearize(g, x)[1](f64(3)),
      (g) => (x) => vmap(grad(grad(g)))(np.stack([x, x.mul(2)])),
      (g) => (x) => grad((y: NDArray) => np.sum(vmap(g)(np.stack([y, y.mul(y)]))))(x),
      (g) => grad((x: NDArray) => np.sum(np.square(vmap(jit(g))(np.stack([x, x.mul(3)]))))),
    ];
    for (const d of nests) close(d(f)(at), d(sines)(at));
  });

  it("takes pytrees, static arguments and captured values", () => {
    const f = checkpoint((p: { w: NDArray; b: NDArray }, n: number) => ({ y: p.w.mul(n).add(p.b), n: np.array(n) }), {
      staticArgnums: 1,
    });
    const g = grad((p: { w: NDArray; b: NDArray }) => np.square(f(p, 3).y))({ w: f64(2), b: f64(1) });
    expect([g.w.item(), g.b.item()]).toEqual([42, 14]);
    const captured = (a: NDArray): NDArray => checkpoint((x: NDArray) => np.sin(x).mul(a))(f64(0.5)).mul(a);
    const plain = (a: NDArray): NDArray => np.sin(f64(0.5)).mul(a).mul(a);
    close(grad(captured)(f64(3)), grad(plain)(f64(3)));
    close(jit(grad(grad(captured)))(f64(3)), grad(grad(plain))(f64(3)));
  });

  it("works in a scan, and with a scan inside", () => {
    const step = (c: NDArray, x: NDArray, a: NDArray): NDArray => np.sin(c.mul(a).add(x));
    const xs = f64([0.1, 0.2, 0.3, 0.4]);
    const outside =
      (wrap: <F extends (c: NDArray, x: NDArray) => readonly [NDArray, NDArray]>(f: F) => F) => (a: NDArray) => {
        const [c, ys] = lax.scan(
          wrap((c: NDArray, x: NDArray) => [step(c, x, a), c] as const),
          f64(0.5),
          xs,
        );
        return c.add(np.sum(ys));
      };
    const [f, g] = [outside((h) => checkpoint(h) as unknown as typeof h), outside((h) => h)];
    const inside = checkpoint(g);
    for (const h of [f, inside]) {
      close(grad(h)(f64(0.9)), grad(g)(f64(0.9)));
      close(jit(grad(h))(f64(0.9)), grad(g)(f64(0.9)));
      close(vmap(grad(h))(f64([0.9, 1.4])), vmap(grad(g))(f64([0.9, 1.4])));
      close(grad(grad(h))(f64(0.9)), grad(grad(g))(f64(0.9)));
    }
  });

  it("is traced once for operands of one type", () => {
    let traces = 0;
    const f = checkpoint((x: NDArray) => {
      traces++;
      return np.sin(x);
    });
    for (let i = 0; i < 3; i++) grad(f)(f64(i));
    expect(traces).toBe(1);
    grad((x: NDArray) => np.sum(f(x)))(f64([1, 2]));
    expect(traces).toBe(2);
  });

  it("refuses what is no policy", () => {
    expect(() => checkpoint(sines, { policy: "dots" as never })).toThrow(/checkpoint-policy[\s\S]*checkpointPolicies/);
    expect(() => checkpointPolicies.saveOnlyTheseNames(3 as never)).toThrow(/checkpoint-names/);
    expect(() => checkpointName(f64(1), 3 as never)).toThrow(/checkpoint-names/);
    expect(() => checkpoint(sines, { staticArgnums: 4 })(f64(1))).toThrow(/argnums/);
  });
});

describe("policies", () => {
  const [x, w] = [np.ones([3, 4]), np.ones([4, 5])];
  const f = (a: NDArray, b: NDArray): NDArray => np.sin(checkpointName<NDArray>(np.sin(np.dot(a, b)), "inner"));
  const saved = (policy: (typeof checkpointPolicies)["dotsSaveable"] | undefined): string[] => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    try {
      const wrapped = policy ? checkpoint(f, { policy }) : checkpoint(f);
      printSavedResiduals((a: NDArray, b: NDArray) => np.sum(wrapped(a, b)), x, w);
      return (log.mock.calls[0]![0] as string).split("\n");
    } finally {
      log.mockRestore();
    }
  };
  const args = ["f32[3,4] from the argument [0]", "f32[4,5] from the argument [1]"];
  const p = checkpointPolicies;
  test.each([
    ["none", undefined, args],
    ["nothingSaveable", p.nothingSaveable, args],
    ["dotsSaveable", p.dotsSaveable, [...args, "f32[3,5] output of dot_general"]],
    ["dotsWithNoBatchDimsSaveable", p.dotsWithNoBatchDimsSaveable, [...args, "f32[3,5] output of dot_general"]],
    ["saveOnlyTheseNames", p.saveOnlyTheseNames("inner"), [...args, "f32[3,5] named 'inner'"]],
    ["saveOnlyTheseNames of another", p.saveOnlyTheseNames("outer"), args],
    ["saveAnyNamesButThese", p.saveAnyNamesButThese("inner"), args],
    ["saveAnyNamesButThese of another", p.saveAnyNamesButThese("outer"), [...args, "f32[3,5] named 'inner'"]],
    [
      "saveFromBothPolicies",
      p.saveFromBothPolicies(p.dotsSaveable, p.saveOnlyTheseNames("inner")),
      [...args, "f32[3,5] named 'inner'", "f32[3,5] output of dot_general"],
    ],
    ["everythingSaveable", p.everythingSaveable, [...args, "f32[3,5] output of cos", "f32[3,5] output of cos"]],
  ] as const)("%s keeps what it says", (_name, policy, expected) => {
    expect(saved(policy).sort()).toEqual([...expected].sort());
  });

  test("a product over examples has a batch axis", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const g = checkpoint(
      vmap((a: NDArray, b: NDArray) => np.sin(np.dot(a, b))),
      { policy: p.dotsWithNoBatchDimsSaveable },
    );
    printSavedResiduals((a: NDArray, b: NDArray) => np.sum(g(a, b)), np.ones([2, 3, 4]), np.ones([2, 4, 5]));
    expect(log.mock.calls[0]![0]).not.toMatch(/dot_general/);
    log.mockRestore();
  });

  test.each(Object.entries(p).filter(([k]) => /^(nothing|everything|dots)/.test(k)))(
    "derivatives under %s",
    (_name, policy) => {
      const h = checkpoint(f, { policy: policy as typeof p.dotsSaveable });
      const [a, b] = [random.normal(random.key(0), [3, 4]), random.normal(random.key(1), [4, 5])];
      const loss = (k: typeof f) => (u: NDArray, v: NDArray) => np.sum(np.square(k(u, v)));
      const nests = [
        (k: typeof f) => grad(loss(k), 1)(a, b),
        (k: typeof f) => jit(grad(loss(k)))(a, b),
        (k: typeof f) => grad((u: NDArray) => np.sum(np.square(grad(loss(k))(u, b))))(a),
        (k: typeof f) => jit(vmap(grad(loss(k)), { inAxes: [0, null] }))(np.stack([a, a.mul(2)]), b),
      ];
      for (const d of nests) close(d(h), d(f), 4);
    },
  );
});

test("checkpoint = plain, for random chains", () => {
  const ops: ((x: NDArray, w: NDArray) => NDArray)[] = [
    (x) => np.sin(x),
    (x, w) => np.tanh(np.dot(w, x)),
    (x, w) => x.mul(np.sum(w, 0)),
    (x) => np.cumsum(x).mul(0.3),
    (x) => x.add(np.exp(np.sin(x).mul(0.1))),
    (x) => lax.scan((c: NDArray, e: NDArray) => [np.sin(c.add(e)), c.mul(e)], f64(0.1), x)[1],
  ];
  const policies = [undefined, checkpointPolicies.dotsSaveable, checkpointPolicies.everythingSaveable];
  const w = f64([
    [0.3, -0.2, 0.5],
    [0.1, 0.4, -0.6],
    [0.2, 0.2, 0.1],
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.nat(ops.length - 1), { minLength: 1, maxLength: 6 }),
      fc.nat(policies.length - 1),
      fc.boolean(),
      (chain, k, compiled) => {
        const f = (x: NDArray): NDArray => chain.reduce((y, i) => ops[i]!(y, w), x);
        const policy = policies[k];
        const g = policy ? checkpoint(f, { policy }) : checkpoint(f);
        const loss = (h: typeof f) => (x: NDArray) => np.sum(np.square(h(x)));
        const d = (h: typeof f) => (compiled ? jit(grad(loss(h))) : grad(loss(h)));
        close(d(g)(f64([0.5, -0.3, 0.8])), d(f)(f64([0.5, -0.3, 0.8])), 8);
      },
    ),
    { numRuns: 25, seed: 7 },
  );
});

describe("memory of the gradient of a network of 100 layers", () => {
  const [layers, batch, width] = [100, 64, 32];
  const activation = batch * width * 4;
  const ws = Array.from({ length: layers }, (_, i) => random.normal(random.key(i), [width, width]).mul(0.2));
  const x = random.normal(random.key(1), [batch, width]);
  type Block = (ws: NDArray[], x: NDArray) => NDArray;
  const network = (size: number, wrap: (f: Block) => Block) => {
    const block = wrap((some, y) => some.reduce((z, w) => np.tanh(np.matmul(z, w)), y));
    return jit(
      grad((all: NDArray[]) => {
        let y = x;
        for (let i = 0; i < layers; i += size) y = block(all.slice(i, i + size), y);
        return np.sum(np.square(y));
      }),
    );
  };
  it.each(listDevices().filter((d) => d !== "reference"))("goes with its square root on %s", (device) => {
    const before = defaultDevice();
    setDefaultDevice(device);
    try {
      const measure = (size: number, wrap: (f: Block) => Block) => {
        const compiled = network(size, wrap).lower(ws).compile();
        const { argumentBytes, outputBytes, temporaryBytes } = compiled.memoryAnalysis();
        expect([argumentBytes, outputBytes]).toEqual([
          (layers * width * width + batch * width) * 4,
          layers * width * width * 4,
        ]);
        return { gradients: compiled(ws), peak: temporaryBytes / activation };
      };
      const plain = measure(10, (f) => f);
      const blocks = measure(10, (f) => checkpoint(f));
      // each layer keeps two activations: all 100 of them, or ten and the inputs of ten blocks
      expect(plain.peak).toBeGreaterThanOrEqual(190);
      expect(blocks.peak).toBeLessThanOrEqual(35);
      const all = measure(10, (f) => checkpoint(f, { policy: checkpointPolicies.everythingSaveable }));
      expect(all.peak).toBeGreaterThanOrEqual(190);
      blocks.gradients.forEach((g, i) => close(g, plain.gradients[i]!, 4));
    } finally {
      setDefaultDevice(before);
    }
  });
});
