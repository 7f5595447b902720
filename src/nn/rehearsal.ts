import { jit } from "../transforms/jit.js";
import { valueAndGrad } from "../transforms/grad.js";
import type { NDArray } from "../core/array.js";
import { asarray } from "../numpy/array.js";
import { matmul } from "../numpy/products.js";
import { sum } from "../numpy/reductions.js";
import { mean } from "../numpy/statistics.js";
import { relu } from "./activations.js";
import { logSoftmax } from "./normalization.js";

/**
 * A step of training a classifier far too small to be of use: it takes the way of a program from tracing to machine code once,
 * so that a user's first call finds the way already loaded.
 */
export function rehearse(): void {
  const [batch, inputs, hidden, classes] = [16, 24, 16, 6];
  const loss = ([w1, b1, w2, b2]: readonly NDArray[], x: NDArray, y: NDArray): NDArray => {
    const logits = matmul(relu(matmul(x, w1!).add(b1!)), w2!).add(b2!);
    return mean(sum(y.mul(logSoftmax(logits, -1)), -1)).neg();
  };
  const step = jit((weights: readonly NDArray[], x: NDArray, y: NDArray, rate: NDArray) => {
    const [value, gradients] = valueAndGrad(loss)(weights, x, y);
    return [value, ...weights.map((w, i) => w.sub(gradients[i]!.mul(rate)))];
  });
  const made: NDArray[] = [];
  const filled = (...shape: number[]): NDArray => {
    const x = asarray(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1), { shape });
    made.push(x);
    return x;
  };
  const weights = [filled(inputs, hidden), filled(hidden), filled(hidden, classes), filled(classes)];
  made.push(...step(weights, filled(batch, inputs), filled(batch, classes), 0.1));
  for (const x of made) x.dispose();
}
