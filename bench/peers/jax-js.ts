import { defaultDevice, grad, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { DEVICE } from "../device.js";
import * as problem from "../rows.js";
import type { Library, Prepared } from "../rows.js";
import { loopRows } from "./jax-js-loops.js";

await init(DEVICE);
defaultDevice(DEVICE);

type Array = np.Array;

const array = (values: Float32Array<ArrayBuffer>, ...shape: number[]): Array => np.array(values, { shape });

// Its arrays are reference counted by hand: an operation consumes its operands, `x.ref` keeps x for another.

/** Results wait until somebody asks for them; asking for none of their elements computes them and copies nothing. */
function prepared(f: () => Array | Array[]): Prepared {
  return {
    async run() {
      const out = f();
      if (!globalThis.Array.isArray(out)) {
        (await out.blockUntilReady()).dispose();
        return;
      }
      for (const x of out) (await x.blockUntilReady()).dispose();
    },
    result: () => (DEVICE === "wasm" ? elements(f()) : elementsLater(f())),
  };
}

/** Small results are read, which for them is quicker than to wait. */
function preparedSmall(f: () => Array): Prepared {
  return { run: () => void f().dataSync(), result: () => elements(f()) };
}

function elements(out: Array | Array[]): ArrayLike<number> {
  if (!globalThis.Array.isArray(out)) return out.dataSync();
  return out.flatMap((x) => globalThis.Array.from(x.dataSync()));
}

async function elementsLater(out: Array | Array[]): Promise<ArrayLike<number>> {
  const parts = await Promise.all([out].flat().map((x) => x.data()));
  return parts.length === 1 ? parts[0]! : parts.flatMap((part) => globalThis.Array.from(part));
}

const product = (n: number) => (): Prepared => {
  const [a, b] = [array(problem.data(n * n), n, n), array(problem.data(n * n, 2), n, n)];
  const f = jit((x: Array, y: Array) => np.matmul(x, y));
  return prepared(() => f(a.ref, b.ref));
};

const crossEntropy = (logits: Array, y: Array): Array => np.mean(np.sum(y.mul(nn.logSoftmax(logits, -1)), -1)).neg();

function mlp(): Prepared {
  type Weights = [w1: Array, b1: Array, w2: Array, b2: Array];
  const loss = ([w1, b1, w2, b2]: Weights, x: Array, y: Array): Array =>
    crossEntropy(np.matmul(nn.relu(np.matmul(x, w1).add(b1)), w2).add(b2), y);
  const step = jit((weights: Weights, x: Array, y: Array, rate: Array) => {
    const kept = weights.map((w) => w.ref) as Weights;
    const [value, gradients] = valueAndGrad(loss)(kept, x, y);
    const updated = weights.map((w, i) => w.sub(gradients[i]!.mul(rate.ref)));
    rate.dispose();
    return [value, ...updated];
  });
  const weights = problem.mlpWeights().map(([shape, values]) => array(values, ...shape)) as Weights;
  const [x, y] = [
    array(problem.images(), problem.BATCH, problem.PIXELS),
    array(problem.oneHotLabels(), problem.BATCH, problem.CLASSES),
  ];
  const rate = np.array(problem.RATE);
  return prepared(() => step(weights.map((w) => w.ref) as Weights, x.ref, y.ref, rate.ref));
}

export const library: Library = {
  rows: {
    ...loopRows(prepared),
    "softmax-regression step, 128×784×10": () => {
      const loss = (w: Array, x: Array, y: Array): Array => crossEntropy(np.matmul(x, w), y);
      const step = jit((w: Array, x: Array, y: Array, rate: Array) => w.ref.sub(grad(loss)(w, x, y).mul(rate)));
      const w = array(problem.softmaxWeights(), problem.PIXELS, problem.CLASSES);
      const [x, y] = [
        array(problem.images(), problem.BATCH, problem.PIXELS),
        array(problem.oneHotLabels(), problem.BATCH, problem.CLASSES),
      ];
      const rate = np.array(problem.RATE);
      return prepared(() => step(w.ref, x.ref, y.ref, rate.ref));
    },
    "MLP step, 784-128-10, batch 128": mlp,
    "matmul 128": product(128),
    "matmul 256": product(256),
    "matmul 512": product(512),
    "matmul 1024": product(1024),
    "tanh/exp chain, 4M": () => {
      const x = array(problem.data(problem.CHAIN), problem.CHAIN);
      const f = jit((v: Array) => np.tanh(v.ref).mul(2).add(np.exp(v.neg())));
      return prepared(() => f(x.ref));
    },
    "sum, 4M": () => {
      const x = array(problem.data(problem.CHAIN), problem.CHAIN);
      const f = jit((v: Array) => np.sum(v));
      return prepared(() => f(x.ref));
    },
    "softmax, 4096×1000": () => {
      const x = array(problem.data(problem.SOFTMAX[0] * problem.SOFTMAX[1]), ...problem.SOFTMAX);
      const f = jit((v: Array) => nn.softmax(v, -1));
      return prepared(() => f(x.ref));
    },
    "warm jitted call, scalar": () => {
      const x = np.array(1.5);
      const f = jit((v: Array) => v.mul(2).add(1));
      return preparedSmall(() => f(x.ref));
    },
    "eager add, 1000": () => {
      const [a, b] = [
        array(problem.data(problem.EAGER), problem.EAGER),
        array(problem.data(problem.EAGER, 2), problem.EAGER),
      ];
      return preparedSmall(() => a.ref.add(b.ref));
    },
    "eager chain over 200 new shapes": () => {
      const values = problem.data(1 << 16);
      let next = 0;
      const chain = (): number[] =>
        globalThis.Array.from({ length: problem.SHAPES }, () => {
          const shape = problem.newShape(next++);
          const x = array(values.slice(0, shape[0] * shape[1]), ...shape);
          return np.sum(np.tanh(x.ref.add(x.ref).mul(x))).item() as number;
        });
      return { run: () => void chain(), result: chain };
    },
    "first call of the MLP step": mlp,
    "2000-operation function, trace and compile": () => {
      const x = array(problem.data(problem.LONG.length), problem.LONG.length);
      let variant = 0;
      return preparedSmall(() => {
        const c = problem.longConstant(variant++);
        const f = jit((v: Array) => {
          let y = v.ref;
          for (let k = 0; k < problem.LONG.operations; k += 4) {
            y = np.sin(np.tanh(y.add(v.ref).mul(c)));
            if (k % problem.LONG.meanEvery === 0) y = y.ref.add(np.mean(y));
          }
          v.dispose();
          return y;
        });
        return f(x.ref);
      });
    },
    "loop allocating 20 GB, peak memory": () => {
      const [zeros, ones] = [np.zeros([problem.LOOP.length]), np.ones([problem.LOOP.length])];
      let sum = zeros.ref;
      return {
        run() {
          for (let k = 0; k < problem.LOOP.steps; k++) {
            sum = sum.add(ones.ref);
            // What is never asked for is never computed, and every array remembers what it waits for.
            if (k % 16 === 0) sum.ref.dataSync();
          }
        },
        result: () => sum.ref.dataSync(),
      };
    },
  },
};
