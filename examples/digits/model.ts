import { jit, nn, numpy as np, random, tree, valueAndGrad, vmap, type NDArray } from "tsax";
import { CLASSES, PIXELS } from "./examples.js";
import type { ModelName } from "./options.js";

/** One dense layer: `w: float32[inputs outputs]`, `b: float32[outputs]`. */
export interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}

/** Softmax regression is one layer; the network has a hidden one before it. */
export type Params = readonly Layer[];

/** The widths of each model, from pixels to classes. */
const WIDTHS: Readonly<Record<ModelName, readonly number[]>> = {
  softmax: [PIXELS, CLASSES],
  mlp: [PIXELS, 128, CLASSES],
};

/** The shapes of each layer's weights. */
export function layerShapes(model: ModelName): readonly { readonly w: [number, number]; readonly b: [number] }[] {
  const widths = WIDTHS[model];
  return widths.slice(1).map((outputs, i) => ({ w: [widths[i] ?? 0, outputs], b: [outputs] }));
}

/**
 * Draws initial weights. Softmax regression: all of them from N(0, scale²). The network: weights from
 * N(0, scale² · 2 / inputs), which keeps the size of what a relu layer passes on (He et al. 2015), and biases 0.
 */
export function initialParams(model: ModelName, key: NDArray, scale: number): Params {
  return layerShapes(model).map(({ w, b }, layer) => {
    const [weightKey, biasKey] = random.split(random.foldIn(key, layer));
    if (model === "softmax") {
      return { w: random.normal(weightKey, w).mul(scale), b: random.normal(biasKey, b).mul(scale) };
    }
    return { w: random.normal(weightKey, w).mul(scale * Math.sqrt(2 / w[0])), b: np.zeros(b) };
  });
}

/** Log probabilities of the ten classes for one image `x: float32[784]`: z − logsumexp(z) of the logits z. */
export function predict(params: Params, x: NDArray): NDArray {
  let z = x;
  params.forEach(({ w, b }, layer) => {
    z = np.dot(layer === 0 ? z : nn.relu(z), w).add(b);
  });
  // nn.logsumexp subtracts the largest logit before it exponentiates, so nothing overflows.
  return z.sub(nn.logsumexp(z));
}

/** Cross-entropy of one example: −Σ y · log p, with y the one-hot vector of its label (int32[]). */
export function exampleLoss(params: Params, x: NDArray, label: NDArray): NDArray {
  return np.sum(nn.oneHot(label, CLASSES).mul(predict(params, x))).neg();
}

/** Losses of a batch, `float32[batch]`, from `x: float32[batch 784]` and `labels: int32[batch]`. */
const batchLosses = vmap(exampleLoss, [null, 0, 0]);

function meanLoss(params: Params, x: NDArray, labels: NDArray): NDArray {
  return np.mean(batchLosses(params, x, labels));
}

/** Examples on the device: `images: float32[count 784]`, `labels: int32[count]`. */
export interface DeviceExamples {
  readonly images: NDArray;
  readonly labels: NDArray;
}

/**
 * One step of gradient descent on the minibatch of the examples at `indices: int32[batch]`. Gives the new weights and the
 * sum of the losses so far, which stays on the device until somebody looks. The step size is an argument, so that
 * another one compiles nothing.
 */
export const trainStep = jit(
  (
    params: Params,
    lossSum: NDArray,
    { images, labels }: DeviceExamples,
    indices: NDArray,
    lr: NDArray,
  ): readonly [Params, NDArray] => {
    const x = np.take(images, indices, 0, { mode: "clip" });
    const y = np.take(labels, indices, 0, { mode: "clip" });
    const [loss, gradient] = valueAndGrad(meanLoss)(params, x, y);
    const next = tree.map((p: NDArray, g: NDArray) => p.sub(lr.mul(g)), params, gradient);
    return [next, lossSum.add(loss)];
  },
);

/** The mean loss of all examples, and the most probable class of each image. */
export const evaluateAll = jit((params: Params, { images, labels }: DeviceExamples): readonly [NDArray, NDArray] => {
  const logProbabilities = vmap(predict, [null, 0])(params, images);
  return [meanLoss(params, images, labels), np.argmax(logProbabilities, 1)];
});

/** Probabilities of the ten classes for one image, `float32[10]`. */
export const classify = jit((params: Params, x: NDArray): NDArray => np.exp(predict(params, x)));
