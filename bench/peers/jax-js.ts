import { defaultDevice, grad, init, jit, nn, numpy as np } from "@jax-js/jax";
import { BATCH, CLASSES, PIXELS, data, oneHotLabels, type Library, type Prepared } from "../cases.js";

await init("wasm");
defaultDevice("wasm");

type Array = np.Array;

const array = (shape: number[], seed?: number): Array =>
  np.array(
    data(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    { shape },
  );

// Its arrays are reference counted by hand: `x.ref` takes a reference that the operation then consumes.
function prepared(f: () => Array): Prepared {
  return {
    run: async () => (await f().blockUntilReady()).dispose(),
    check: async () => Array.from((await f().data()).slice(0, 4)),
  };
}

const matmul = (n: number) => (): Prepared => {
  const [a, b] = [array([n, n]), array([n, n], 2)];
  const product = jit((x: Array, y: Array) => np.matmul(x, y));
  return prepared(() => product(a.ref, b.ref));
};

// It has the batch written out, which is the faster of the two there.
const loss = (w: Array, x: Array, y: Array): Array =>
  np.mean(np.sum(y.mul(nn.logSoftmax(np.matmul(x, w), -1)), -1)).neg();

export const library: Library = {
  name: "jax-js",
  cases: {
    "eager add, 8": () => {
      const [a, b] = [array([8]), array([8], 2)];
      return prepared(() => a.ref.add(b.ref));
    },
    "x·sin(x) + exp(−x²), 1M": () => {
      const x = array([1 << 20]);
      const f = jit((v: Array) => v.ref.mul(np.sin(v.ref)).add(np.exp(v.ref.mul(v).neg())));
      return prepared(() => f(x.ref));
    },
    "sum of squares, 4M": () => {
      const x = array([1 << 22]);
      const f = jit((v: Array) => np.sum(v.ref.mul(v)).reshape([1]));
      return prepared(() => f(x.ref));
    },
    "softmax of rows, 1024×1000": () => {
      const x = array([1024, 1000]);
      const f = jit((v: Array) => nn.softmax(v, -1));
      return prepared(() => f(x.ref));
    },
    "matmul, 512³": matmul(512),
    "matmul, 1024³": matmul(1024),
    "softmax-regression step, 128×784×10": () => {
      const step = jit((w: Array, x: Array, y: Array) => w.ref.sub(grad(loss)(w, x, y).mul(0.5)));
      const w = np.zeros([PIXELS, CLASSES]);
      const x = array([BATCH, PIXELS]);
      const y = np.array(oneHotLabels(), { shape: [BATCH, CLASSES] });
      return prepared(() => step(w.ref, x.ref, y.ref));
    },
  },
};
