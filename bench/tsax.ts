import { grad, jit, nn, numpy as np, vmap, type NDArray } from "tsax";
import { BATCH, CLASSES, PIXELS, data, oneHotLabels, type Library, type Prepared } from "./cases.js";

const array = (shape: readonly number[], seed?: number): NDArray =>
  np.array(data(shape.reduce((a, b) => a * b, 1), seed), { shape: [...shape] }); // prettier-ignore

/** Programs on the Wasm device are done when the call returns; other devices are waited for by reading an element. */
function prepared(f: () => NDArray): Prepared {
  return {
    run: () => void f(),
    check: async () => Array.from((await np.ravel(f()).slice([0, 4]).data()) as Float32Array),
  };
}

const matmul = (n: number) => (): Prepared => {
  const [a, b] = [array([n, n]), array([n, n], 2)];
  const product = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
  return prepared(() => product(a, b));
};

const exampleLoss = (w: NDArray, x: NDArray, y: NDArray): NDArray => {
  const z = np.dot(x, w);
  return np.sum(y.mul(z.sub(nn.logsumexp(z)))).neg();
};
const loss = (w: NDArray, x: NDArray, y: NDArray): NDArray => np.mean(vmap(exampleLoss, [null, 0, 0])(w, x, y));

export const library: Library = {
  name: "tsax",
  cases: {
    "eager add, 8": () => {
      const [a, b] = [array([8]), array([8], 2)];
      return prepared(() => a.add(b));
    },
    "x·sin(x) + exp(−x²), 1M": () => {
      const x = array([1 << 20]);
      const f = jit((v: NDArray) => v.mul(np.sin(v)).add(np.exp(v.mul(v).neg())));
      return prepared(() => f(x));
    },
    "sum of squares, 4M": () => {
      const x = array([1 << 22]);
      const f = jit((v: NDArray) => np.sum(v.mul(v)).reshape([1]));
      return prepared(() => f(x));
    },
    "softmax of rows, 1024×1000": () => {
      const x = array([1024, 1000]);
      const f = jit((v: NDArray) => nn.softmax(v, -1));
      return prepared(() => f(x));
    },
    "matmul, 512³": matmul(512),
    "matmul, 1024³": matmul(1024),
    "softmax-regression step, 128×784×10": () => {
      const step = jit((w: NDArray, x: NDArray, y: NDArray) => w.sub(grad(loss)(w, x, y).mul(0.5)));
      const w = np.zeros([PIXELS, CLASSES]);
      const x = array([BATCH, PIXELS]);
      const y = np.array(oneHotLabels(), { shape: [BATCH, CLASSES] });
      return prepared(() => step(w, x, y));
    },
  },
};
