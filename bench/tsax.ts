import type * as Tsax from "tsax";
import type { NDArray } from "tsax";
import { DEVICE } from "./device.js";
import * as problem from "./rows.js";
import type { Library, Prepared } from "./rows.js";
import { loopRows } from "./tsax-loops.js";

// The built package, as Node loads it.
const tsax = (await import(new URL("../../dist/node/index.js", import.meta.url).href)) as typeof Tsax;
const { grad, init, jit, nn, numpy: np, setDefaultDevice, valueAndGrad } = tsax;

await init(DEVICE);
setDefaultDevice(DEVICE);

const array = (values: Float32Array, ...shape: number[]): NDArray => np.array(values, { shape });

/** On wasm a call computes all of its results before it returns, on webgpu it only tells what to compute. */
function prepared(f: () => NDArray | readonly NDArray[]): Prepared {
  if (DEVICE === "webgpu") {
    return {
      async run() {
        for (const x of [f()].flat() as NDArray[]) (await x.blockUntilReady()).dispose();
      },
      async result() {
        const parts = await Promise.all(([f()].flat() as NDArray[]).map((x) => x.data()));
        return parts.length === 1
          ? (parts[0] as Float32Array)
          : parts.flatMap((part) => Array.from(part as Float32Array));
      },
    };
  }
  return {
    run: () => void f(),
    result() {
      const out = f();
      const list = Array.isArray(out) ? (out as readonly NDArray[]) : [out as NDArray];
      const parts = list.map((x) => x.dataSync() as Float32Array);
      return parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part));
    },
  };
}

const product = (n: number) => (): Prepared => {
  const [a, b] = [array(problem.data(n * n), n, n), array(problem.data(n * n, 2), n, n)];
  const f = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
  return prepared(() => f(a, b));
};

const crossEntropy = (logits: NDArray, y: NDArray): NDArray =>
  np.mean(np.sum(y.mul(nn.logSoftmax(logits, -1)), -1)).neg();

function mlp(): Prepared {
  type Weights = readonly [w1: NDArray, b1: NDArray, w2: NDArray, b2: NDArray];
  const loss = ([w1, b1, w2, b2]: Weights, x: NDArray, y: NDArray): NDArray =>
    crossEntropy(np.matmul(nn.relu(np.matmul(x, w1).add(b1)), w2).add(b2), y);
  const step = jit((weights: Weights, x: NDArray, y: NDArray, rate: NDArray) => {
    const [value, gradients] = valueAndGrad(loss)(weights, x, y);
    return [value, ...weights.map((w, i) => w.sub(gradients[i]!.mul(rate)))];
  });
  const weights = problem.mlpWeights().map(([shape, values]) => array(values, ...shape)) as unknown as Weights;
  const [x, y] = [
    array(problem.images(), problem.BATCH, problem.PIXELS),
    array(problem.oneHotLabels(), problem.BATCH, problem.CLASSES),
  ];
  return prepared(() => step(weights, x, y, problem.RATE));
}

const { jitted, eager } = loopRows(tsax, prepared);
export const eagerRows = eager;

export const library: Library = {
  rows: {
    ...jitted,
    "softmax-regression step, 128×784×10": () => {
      const loss = (w: NDArray, x: NDArray, y: NDArray): NDArray => crossEntropy(np.matmul(x, w), y);
      const step = jit((w: NDArray, x: NDArray, y: NDArray, rate: NDArray) => w.sub(grad(loss)(w, x, y).mul(rate)));
      const w = array(problem.softmaxWeights(), problem.PIXELS, problem.CLASSES);
      const [x, y] = [
        array(problem.images(), problem.BATCH, problem.PIXELS),
        array(problem.oneHotLabels(), problem.BATCH, problem.CLASSES),
      ];
      return prepared(() => step(w, x, y, problem.RATE));
    },
    "MLP step, 784-128-10, batch 128": mlp,
    "matmul 128": product(128),
    "matmul 256": product(256),
    "matmul 512": product(512),
    "matmul 1024": product(1024),
    "tanh/exp chain, 4M": () => {
      const x = array(problem.data(problem.CHAIN), problem.CHAIN);
      const f = jit((v: NDArray) => np.tanh(v).mul(2).add(np.exp(v.neg())));
      return prepared(() => f(x));
    },
    "sum, 4M": () => {
      const x = array(problem.data(problem.CHAIN), problem.CHAIN);
      const f = jit((v: NDArray) => np.sum(v));
      return prepared(() => f(x));
    },
    "softmax, 4096×1000": () => {
      const x = array(problem.data(problem.SOFTMAX[0] * problem.SOFTMAX[1]), ...problem.SOFTMAX);
      const f = jit((v: NDArray) => nn.softmax(v, -1));
      return prepared(() => f(x));
    },
    "warm jitted call, scalar": () => {
      const x = np.array(1.5);
      const f = jit((v: NDArray) => v.mul(2).add(1));
      return prepared(() => f(x));
    },
    "eager add, 1000": () => {
      const [a, b] = [
        array(problem.data(problem.EAGER), problem.EAGER),
        array(problem.data(problem.EAGER, 2), problem.EAGER),
      ];
      return prepared(() => a.add(b));
    },
    "eager chain over 200 new shapes": () => {
      const values = problem.data(1 << 16);
      let next = 0;
      const chain = (): number[] =>
        Array.from({ length: problem.SHAPES }, () => {
          const shape = problem.newShape(next++);
          const x = array(values.subarray(0, shape[0] * shape[1]), ...shape);
          return np.sum(np.tanh(x.add(x).mul(x))).item();
        });
      return { run: () => void chain(), result: chain };
    },
    "first call of the MLP step": mlp,
    "2000-operation function, trace and compile": () => {
      const x = array(problem.data(problem.LONG.length), problem.LONG.length);
      let variant = 0;
      return prepared(() => {
        const c = problem.longConstant(variant++);
        const f = jit((v: NDArray) => {
          let y = v;
          for (let k = 0; k < problem.LONG.operations; k += 4) {
            y = np.sin(np.tanh(y.add(v).mul(c)));
            if (k % problem.LONG.meanEvery === 0) y = y.add(np.mean(y));
          }
          return y;
        });
        return f(x);
      });
    },
    "loop allocating 20 GB, peak memory": () => {
      const [zeros, ones] = [np.zeros([problem.LOOP.length]), np.ones([problem.LOOP.length])];
      let sum = zeros;
      return {
        run() {
          sum = zeros;
          for (let k = 0; k < problem.LOOP.steps; k++) sum = sum.add(ones);
        },
        result: () => sum.dataSync() as Float32Array,
      };
    },
  },
};
