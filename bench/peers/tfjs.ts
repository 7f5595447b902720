import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as Tf from "@tensorflow/tfjs";
import type * as TfWasm from "@tensorflow/tfjs-backend-wasm";
import { BATCH, CLASSES, PIXELS, data, oneHotLabels, type Library, type Prepared } from "../cases.js";

// Its CommonJS builds are the ones that load in Node.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs") as typeof Tf;
const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof TfWasm;
wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
await tf.setBackend("wasm");

const tensor = (shape: number[], seed?: number): Tf.Tensor =>
  tf.tensor(
    data(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );

function prepared(f: () => Tf.Tensor): Prepared {
  return {
    run: () => void tf.tidy(f).dispose(),
    check: async () => Array.from((await tf.tidy(f).data()).slice(0, 4)),
  };
}

const matmul = (n: number) => (): Prepared => {
  const [a, b] = [tensor([n, n]), tensor([n, n], 2)];
  return prepared(() => tf.matMul(a, b));
};

export const library: Library = {
  name: "tfjs-wasm",
  cases: {
    "eager add, 8": () => {
      const [a, b] = [tensor([8]), tensor([8], 2)];
      return prepared(() => tf.add(a, b));
    },
    "x·sin(x) + exp(−x²), 1M": () => {
      const x = tensor([1 << 20]);
      return prepared(() => x.mul(tf.sin(x)).add(tf.exp(x.mul(x).neg())));
    },
    "sum of squares, 4M": () => {
      const x = tensor([1 << 22]);
      return prepared(() => tf.sum(x.mul(x)).reshape([1]));
    },
    "softmax of rows, 1024×1000": () => {
      const x = tensor([1024, 1000]);
      return prepared(() => tf.softmax(x));
    },
    "matmul, 512³": matmul(512),
    "matmul, 1024³": matmul(1024),
    "softmax-regression step, 128×784×10": () => {
      const w = tf.zeros([PIXELS, CLASSES]);
      const x = tensor([BATCH, PIXELS]) as Tf.Tensor2D;
      const y = tf.tensor(oneHotLabels(), [BATCH, CLASSES]);
      const loss = (v: Tf.Tensor): Tf.Scalar =>
        tf.mean(tf.sum(y.mul(tf.logSoftmax(tf.matMul(x, v as Tf.Tensor2D))), -1)).neg();
      const gradient = tf.grad(loss);
      return prepared(() => w.sub(gradient(w).mul(0.5)));
    },
  },
};
