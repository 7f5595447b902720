import { afterAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compiler/index.js";
import type { NDArray } from "../../src/index.js";
import {
  defaultDevice,
  grad,
  jit,
  makeJaxpr,
  nn,
  numpy as np,
  random,
  setDefaultDevice,
  tree,
  valueAndGrad,
} from "../../src/index.js";
import type { Kernel } from "../../src/kernel-ir/kernel.js";
import type { BufferRef, Program } from "../../src/kernel-ir/program.js";
import { gpu, interpretedDevices } from "./devices.js";

const home = defaultDevice();
const [device] = interpretedDevices() as [string, string];
afterAll(() => setDefaultDevice(home));

type F = (...args: NDArray[]) => unknown;

interface Launch {
  readonly kernel: Kernel;
  /** What its buffers are, by place; arguments of functions that are called are theirs. */
  readonly args: readonly BufferRef[];
}

/** The launches of a call of a program, in order: functions that are called count each time. */
function launches(p: Program, fn = 0): Launch[] {
  return p.functions[fn]!.steps.flatMap((s) => {
    if (s.kind === "launch") return [{ kernel: p.kernels[s.kernel]!, args: s.args }];
    if (s.kind === "call") return launches(p, s.fn);
    throw new Error(`a step of kind ${s.kind}`);
  });
}

function programOf(f: F, args: readonly NDArray[], donated?: readonly boolean[]): Program {
  const { jaxpr } = makeJaxpr(f)(...args);
  return compile(jaxpr, { name: "main", traits: gpu, ...(donated && { donated }) });
}

/** Words that launches read and write, each buffer once a launch; of a result written in pieces the piece. */
const moved = (list: readonly Launch[]): number =>
  list.reduce((sum, { kernel }) => {
    const points = kernel.kind === "nest" ? size([...kernel.parallel, ...kernel.reduced]) : Infinity;
    return sum + kernel.buffers.reduce((n, b) => n + (b.access === "read" ? b.length : Math.min(b.length, points)), 0);
  }, 0);

/** Words that no fusion of what is between products saves: operands and sums of products, other inputs and results. */
function compulsory(p: Program, list: readonly Launch[]): number {
  const { inputs, outputs } = p.functions[0]!;
  const counted = new Set<string>();
  let words = 0;
  for (const { kernel, args } of list) {
    if (kernel.kind !== "dot") continue;
    words += kernel.buffers[0]!.length + kernel.buffers[1]!.length + size([...kernel.batch, kernel.m, kernel.n]);
    for (const ref of args.slice(0, 3)) if (ref.kind !== "arena") counted.add(`${ref.kind}${ref.index}`);
  }
  inputs.forEach((b, i) => (words += counted.has(`input${i}`) ? 0 : b.bytes / 4));
  outputs.forEach((b, i) => (words += counted.has(`output${i}`) ? 0 : b.bytes / 4));
  return words;
}
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const noise = (seed: number, ...shape: number[]): NDArray => random.normal(random.key(seed), shape).mul(0.5);
const labels = (rows: number, classes: number): NDArray => nn.oneHot(np.arange(rows).mod(classes), classes);

const crossEntropy = (z: NDArray, y: NDArray): NDArray => np.mean(np.sum(y.mul(nn.logSoftmax(z, -1)), -1)).neg();
const dense = (x: NDArray, w: NDArray, b: NDArray): NDArray => np.matmul(x, w).add(b);

const regression = (w: NDArray, b: NDArray, x: NDArray, y: NDArray): NDArray => crossEntropy(dense(x, w, b), y);
const network = (w: NDArray, b: NDArray, v: NDArray, c: NDArray, x: NDArray, y: NDArray): NDArray =>
  crossEntropy(dense(nn.relu(dense(x, w, b)), v, c), y);
const smooth = (w: NDArray, b: NDArray, v: NDArray, c: NDArray, x: NDArray, y: NDArray): NDArray =>
  crossEntropy(dense(nn.gelu(dense(x, w, b)), v, c), y);
const normalized = (x: NDArray): NDArray =>
  x.sub(np.mean(x, -1, { keepdims: true })).div(np.sqrt(np.var_(x, -1, { keepdims: true }).add(1e-5)));
const attention = (q: NDArray, k: NDArray, v: NDArray): NDArray =>
  np.matmul(nn.softmax(np.matmul(q, np.swapaxes(k, -1, -2)).div(Math.sqrt(q.shape.at(-1)!)), -1), v);

/** Heads side by side in one matrix; a product of weights before and after. */
function manyHeads(x: NDArray, wq: NDArray, wk: NDArray, wv: NDArray, wo: NDArray): NDArray {
  const [b, t, d] = x.shape as [number, number, number];
  const split = (y: NDArray): NDArray => np.transpose(y.reshape([b, t, 2, d / 2]), [0, 2, 1, 3]);
  const y = attention(split(np.matmul(x, wq)), split(np.matmul(x, wk)), split(np.matmul(x, wv)));
  return x.add(np.matmul(np.transpose(y, [0, 2, 1, 3]).reshape([b, t, d]), wo));
}
const headArgs = (seed: number, small: boolean): NDArray => {
  const [b, t, d] = small ? [2, 3, 4] : [2, 64, 32];
  return seed === 7 ? noise(seed, b, t, d) : noise(seed, d, d);
};

/** One step of Adam for one tensor; t counts steps. */
function adam(p: NDArray, g: NDArray, m: NDArray, v: NDArray, t: NDArray): NDArray[] {
  const m1 = m.mul(0.9).add(g.mul(0.1));
  const v1 = v.mul(0.999).add(np.square(g).mul(0.001));
  const mean = m1.div(np.subtract(1, np.power(0.9, t)));
  const variance = v1.div(np.subtract(1, np.power(0.999, t)));
  return [p.sub(mean.div(np.sqrt(variance).add(1e-8)).mul(1e-3)), m1, v1];
}

/** A step of gradient descent: losses and new weights. */
function descent(w: NDArray, b: NDArray, x: NDArray, y: NDArray, rate: NDArray): NDArray[] {
  const [loss, [dw, db]] = valueAndGrad(regression as F, [0, 1])(w, b, x, y) as unknown as [
    NDArray,
    [NDArray, NDArray],
  ];
  return [loss, w.sub(dw.mul(rate)), b.sub(db.mul(rate))];
}

/** Name, function, operands for a size, launches at most. */
type Golden = readonly [string, F, (small: boolean) => NDArray[], number];
const regressionArgs = (small: boolean): NDArray[] => {
  const [n, d, c] = small ? [6, 9, 4] : [128, 784, 10];
  return [noise(0, d, c), noise(1, c), noise(2, n, d), labels(n, c)];
};
const networkArgs = (small: boolean): NDArray[] => {
  const [n, d, h, c] = small ? [6, 9, 5, 4] : [128, 784, 64, 10];
  return [noise(0, d, h), noise(1, h), noise(2, h, c), noise(3, c), noise(4, n, d), labels(n, c)];
};
const matrix = (small: boolean): NDArray => (small ? noise(5, 5, 7) : noise(5, 128, 784));
const heads = (small: boolean): NDArray[] =>
  [6, 7, 8].map((seed) => (small ? noise(seed, 2, 5, 4) : noise(seed, 4, 128, 64)));
const adamArgs = (small: boolean): NDArray[] => {
  const shape = small ? [5, 3] : [784, 64];
  const [p, g, m, v] = [9, 10, 11, 12].map((seed) => noise(seed, ...shape)) as [NDArray, NDArray, NDArray, NDArray];
  return [p, g, m, np.square(v), np.array(3)];
};

const goldens: Golden[] = [
  ["softmax-regression gradient", grad(regression as F, [0, 1]) as F, regressionArgs, 4],
  ["softmax-regression value and gradient", valueAndGrad(regression as F, [0, 1]) as F, regressionArgs, 5],
  ["a step of gradient descent", descent as F, (s) => [...regressionArgs(s), np.array(0.1)], 5],
  ["two-layer network, value and gradient", valueAndGrad(network as F, [0, 1, 2, 3]) as F, networkArgs, 9],
  ["a dense layer with relu", ((x, w, b) => nn.relu(dense(x!, w!, b!))) as F, (s) => layerArgs(s), 1],
  ["softmax", (x) => nn.softmax(x!, -1), (s) => [matrix(s)], 1],
  ["layernorm", (x) => normalized(x!), (s) => [matrix(s)], 1],
  ["layernorm gradient", grad((x: NDArray) => np.sum(np.square(normalized(x)).mul(x))) as F, (s) => [matrix(s)], 1],
  ["attention", attention as F, heads, 3],
  ["an Adam update", adam as F, adamArgs, 1],
  ["random.normal", () => random.normal(random.key(0), [1000]), () => [], 1],
  ["sin and cos", (x) => [np.sin(x!), np.cos(x!)], (s) => [matrix(s)], 1],
  ["two means", (x, y) => [np.mean(np.square(x!)), np.mean(y!)], (s) => [matrix(s), matrix(s).add(1)], 1],
  ["padding", (x) => np.pad(x!, 1).mul(2), (s) => [matrix(s)], 1],
  ["joining", (x, y) => np.sin(np.concatenate([x!, y!, x!], 0)), (s) => [matrix(s), matrix(s).add(1)], 1],
  [
    "a step of Adam for two tensors",
    (...xs) => [adam(xs[0]!, xs[1]!, xs[2]!, xs[3]!, xs[8]!), adam(xs[4]!, xs[5]!, xs[6]!, xs[7]!, xs[8]!)],
    (s) => [...adamArgs(s).slice(0, 4), ...adamArgs(s)],
    2,
  ],
  ["two layers with gelu, gradient", grad(smooth as F, [0, 1, 2, 3]) as F, networkArgs, 9],
  [
    "a part of what another kernel computes",
    (x) => {
      const z = x!.sub(np.max(x!, 1, { keepdims: true }));
      return [
        z,
        np
          .sin(z)
          .slice([0, x!.shape[0]! - 1])
          .mul(2),
      ];
    },
    (s) => [matrix(s)],
    2,
  ],
  ["attention of heads", manyHeads as F, (s) => [7, 8, 9, 10, 11].map((seed) => headArgs(seed, s)), 7],
  ["joining twenty", (...xs) => np.stack(xs, 1), (s) => Array.from({ length: 20 }, (_, k) => matrix(s).add(k)), 3],
  ["summing twenty", (...xs) => xs.reduce((a, b) => a.add(b)), (s) => Array.from({ length: 20 }, () => matrix(s)), 4],
];
function layerArgs(small: boolean): NDArray[] {
  const [w, b, x] = regressionArgs(small) as [NDArray, NDArray, NDArray];
  return [x, w, b];
}

describe("how few launches a GPU needs", () => {
  it.each(goldens)("%s", (_, f, args, most) => {
    for (const small of [true, false]) expect(launches(programOf(f, args(small))).length).toBeLessThanOrEqual(most);
  });

  it.each(goldens)("%s: bytes", (_, f, args) => {
    const p = programOf(f, args(false));
    const list = launches(p);
    expect(moved(list) / compulsory(p, list)).toBeLessThanOrEqual(1.5);
  });

  it.each(goldens)("%s: values", (_, f, args) => {
    const [expected, got] = ["reference", device].map((d) => {
      setDefaultDevice(d);
      const here = args(true);
      return tree.leaves(jit(f)(...here)).map((y) => (y as NDArray).dataSync());
    });
    setDefaultDevice(home);
    expected!.forEach((data, i) =>
      data.forEach((v, k) =>
        expect(Math.abs(Number(got![i]![k]) - Number(v)), `result ${i}, element ${k}`).toBeLessThanOrEqual(
          2e-5 * Math.max(1, Math.abs(Number(v))),
        ),
      ),
    );
  });

  it("keeps one array for a derivative that is made of it, and computes the rest again", () => {
    const [first] = launches(programOf(grad(smooth as F, [0, 1, 2, 3]) as F, networkArgs(false)));
    // what gelu is taken of, and its result
    expect(first!.kernel.buffers.filter((b) => b.access === "write").length).toBe(2);
  });

  it("steps in place where weights are donated", () => {
    const args = [...regressionArgs(false), np.array(0.1)];
    const p = programOf(descent as F, args, [true, true, false, false, false]);
    expect(p.functions[0]!.outputReusesInput).toEqual([null, 0, 1]);
    expect(launches(p).at(-1)!.kernel).toMatchObject({ kind: "dot", epilogue: [{ kind: "store", buffer: 2 }] });
  });
});
