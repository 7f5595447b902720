import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as Tf from "@tensorflow/tfjs";
import type * as TfWasm from "@tensorflow/tfjs-backend-wasm";
import { DEVICE } from "../device.js";
import * as problem from "../rows.js";
import type { Library, Prepared } from "../rows.js";
import { loopRows } from "./tfjs-loops.js";

// Its CommonJS builds are the ones that load in Node.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs") as typeof Tf;
const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof TfWasm;
wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
if (DEVICE === "webgpu") require("@tensorflow/tfjs-backend-webgpu");
await tf.setBackend(DEVICE);

/** Operations on wasm compute at once, those on webgpu when they are read; `tidy` frees what lies between. */
function prepared(f: () => Tf.Tensor | Tf.Tensor[]): Prepared {
  if (DEVICE === "webgpu") {
    const elements = async (): Promise<ArrayLike<number>> => {
      const out = tf.tidy(f);
      const parts = await Promise.all([out].flat().map((x) => x.data()));
      tf.dispose(out);
      return parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part));
    };
    return { run: () => elements().then(() => undefined), result: elements };
  }
  return {
    run: () => tf.dispose(tf.tidy(f)),
    result() {
      const out = tf.tidy(f);
      const parts = (Array.isArray(out) ? out : [out]).map((x) => x.dataSync());
      tf.dispose(out);
      return parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part));
    },
  };
}

const product = (n: number) => (): Prepared => {
  const [a, b] = [tf.tensor2d(problem.data(n * n), [n, n]), tf.tensor2d(problem.data(n * n, 2), [n, n])];
  return prepared(() => tf.matMul(a, b));
};

// Written out: its own `softmaxCrossEntropy` takes longer.
const crossEntropy = (logits: Tf.Tensor, y: Tf.Tensor): Tf.Scalar =>
  tf.mean(tf.sum(y.mul(tf.logSoftmax(logits)), -1)).neg() as Tf.Scalar;

function mlp(): Prepared {
  const x = tf.tensor2d(problem.images(), [problem.BATCH, problem.PIXELS]);
  const y = tf.tensor2d(problem.oneHotLabels(), [problem.BATCH, problem.CLASSES]);
  const weights = problem.mlpWeights().map(([shape, values]) => tf.tensor(values, shape));
  const valueAndGrads = tf.valueAndGrads((w1: Tf.Tensor, b1: Tf.Tensor, w2: Tf.Tensor, b2: Tf.Tensor) => {
    const hidden = tf.relu(tf.matMul(x, w1).add(b1));
    return crossEntropy(tf.matMul(hidden, w2).add(b2), y);
  });
  return prepared(() => {
    const { value, grads } = valueAndGrads(weights);
    return [value, ...weights.map((w, i) => w.sub(grads[i]!.mul(problem.RATE)))];
  });
}

export const library: Library = {
  rows: {
    ...loopRows(tf, prepared),
    "softmax-regression step, 128×784×10": () => {
      const w = tf.tensor2d(problem.softmaxWeights(), [problem.PIXELS, problem.CLASSES]);
      const x = tf.tensor2d(problem.images(), [problem.BATCH, problem.PIXELS]);
      const y = tf.tensor2d(problem.oneHotLabels(), [problem.BATCH, problem.CLASSES]);
      const gradient = tf.grad((v: Tf.Tensor) => crossEntropy(tf.matMul(x, v), y));
      return prepared(() => w.sub(gradient(w).mul(problem.RATE)));
    },
    "MLP step, 784-128-10, batch 128": mlp,
    "matmul 128": product(128),
    "matmul 256": product(256),
    "matmul 512": product(512),
    "matmul 1024": product(1024),
    "tanh/exp chain, 4M": () => {
      const x = tf.tensor1d(problem.data(problem.CHAIN));
      return prepared(() => tf.tanh(x).mul(2).add(tf.exp(x.neg())));
    },
    "sum, 4M": () => {
      const x = tf.tensor1d(problem.data(problem.CHAIN));
      return prepared(() => tf.sum(x));
    },
    "softmax, 4096×1000": () => {
      const x = tf.tensor2d(problem.data(problem.SOFTMAX[0] * problem.SOFTMAX[1]), problem.SOFTMAX);
      return prepared(() => tf.softmax(x));
    },
    "warm jitted call, scalar": () => {
      const x = tf.scalar(1.5);
      return prepared(() => x.mul(2).add(1));
    },
    "eager add, 1000": () => {
      const [a, b] = [tf.tensor1d(problem.data(problem.EAGER)), tf.tensor1d(problem.data(problem.EAGER, 2))];
      return prepared(() => tf.add(a, b));
    },
    "eager chain over 200 new shapes": () => {
      const values = problem.data(1 << 16);
      let next = 0;
      const sum = (shape: [number, number]): number => {
        const scalar = tf.tidy(() => {
          const x = tf.tensor2d(values.subarray(0, shape[0] * shape[1]), shape);
          return tf.sum(tf.tanh(x.add(x).mul(x)));
        });
        const value = scalar.dataSync()[0]!;
        scalar.dispose();
        return value;
      };
      const chain = (): number[] => Array.from({ length: problem.SHAPES }, () => sum(problem.newShape(next++)));
      return { run: () => void chain(), result: chain };
    },
    "first call of the MLP step": mlp,
    // It does not trace: the row of the long function has no counterpart.
    "loop allocating 20 GB, peak memory": () => {
      const [zeros, ones] = [tf.zeros([problem.LOOP.length]), tf.ones([problem.LOOP.length])];
      let sum = zeros.clone();
      return {
        run() {
          for (let k = 0; k < problem.LOOP.steps; k++) {
            const next = tf.add(sum, ones);
            sum.dispose();
            sum = next;
          }
        },
        result: () => sum.dataSync(),
      };
    },
  },
};
