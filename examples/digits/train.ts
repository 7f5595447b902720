import { numpy as np, random, type NDArray } from "tsax";
import { PIXELS, type Examples } from "./data.js";
import { DigitsError } from "./errors.js";
import { evaluateBatch, trainStep, type Params } from "./model.js";

export interface TrainOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  /** Gives each epoch's order. */
  readonly key: NDArray;
}

export interface TrainHooks {
  /** Called now and then within an epoch with the mean loss of its steps so far. */
  onSteps?(epoch: number, done: number, total: number, loss: number): void;
  /** Called after each epoch; its time does not count as training. */
  onEpoch?(epoch: number, params: Params, loss: number, seconds: number): Promise<void>;
  /** Ends training at the next step when it answers true. */
  stopped?(): boolean;
}

export interface TrainResult {
  readonly params: Params;
  /** Whole epochs done. */
  readonly epochs: number;
  readonly steps: number;
  /** Time in steps and in fetching their data, the one compilation included, evaluation not. */
  readonly seconds: number;
}

/** How often the loop looks up from its work: reads the loss, lets signals in. */
const LOOK_UP_MS = 50;

/**
 * Trains by minibatch gradient descent. Every epoch goes through the training set in a new order; what is left
 * beyond whole batches (another part each time) sits the epoch out, so that all steps have one shape and compile once.
 */
export async function train(
  initial: Params,
  examples: Examples,
  options: TrainOptions,
  hooks: TrainHooks = {},
): Promise<TrainResult> {
  const batch = Math.min(options.batch, examples.count);
  const stepsPerEpoch = Math.floor(examples.count / batch);
  const pixels = new Float32Array(batch * PIXELS);
  const labels = new Int32Array(batch);
  let params = initial;
  let steps = 0;
  let seconds = 0;
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const started = performance.now();
    let lookedUp = started;
    let lossSum = np.zeros([]);
    const order = await random.permutation(random.foldIn(options.key, epoch), examples.count).data();
    for (let step = 1; step <= stepsPerEpoch; step++) {
      gather(examples, order as ArrayLike<number>, (step - 1) * batch, pixels, labels);
      const x = np.array(pixels, { shape: [batch, PIXELS] });
      const y = np.array(labels, { shape: [batch] });
      [params, lossSum] = trainStep(params, lossSum, x, y, options.lr);
      steps += 1;
      if (performance.now() - lookedUp > LOOK_UP_MS || step === stepsPerEpoch) {
        const loss = (await scalar(lossSum)) / step;
        checkFinite(loss, epoch, step);
        hooks.onSteps?.(epoch, step, stepsPerEpoch, loss);
        await new Promise((resolve) => setImmediate(resolve));
        lookedUp = performance.now();
      }
      if (hooks.stopped?.() === true) {
        seconds += (performance.now() - started) / 1000;
        return { params, epochs: step === stepsPerEpoch ? epoch : epoch - 1, steps, seconds };
      }
    }
    const epochSeconds = (performance.now() - started) / 1000;
    seconds += epochSeconds;
    await hooks.onEpoch?.(epoch, params, (await scalar(lossSum)) / stepsPerEpoch, epochSeconds);
  }
  return { params, epochs: options.epochs, steps, seconds };
}

function gather(
  examples: Examples,
  order: ArrayLike<number>,
  start: number,
  pixels: Float32Array,
  labels: Int32Array,
): void {
  for (let i = 0; i < labels.length; i++) {
    const at = order[start + i] ?? 0;
    pixels.set(examples.images.subarray(at * PIXELS, (at + 1) * PIXELS), i * PIXELS);
    labels[i] = examples.labels[at] ?? 0;
  }
}

function checkFinite(loss: number, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new DigitsError(
    "diverged",
    `training diverged: the loss is ${loss} at step ${step} of epoch ${epoch}; try a smaller --lr or --init-scale`,
  );
}

async function scalar(x: NDArray): Promise<number> {
  return Number((await x.data())[0]);
}

export interface Evaluation {
  readonly meanLoss: number;
  readonly predicted: Int32Array;
}

/** The largest number of examples evaluated at once. */
const EVALUATE_AT_ONCE = 10_000;

/** Mean loss and predictions over all examples. */
export async function evaluate(params: Params, examples: Examples): Promise<Evaluation> {
  const predicted = new Int32Array(examples.count);
  let lossSum = 0;
  for (let start = 0; start < examples.count; start += EVALUATE_AT_ONCE) {
    const end = Math.min(examples.count, start + EVALUATE_AT_ONCE);
    const x = np.array(examples.images.subarray(start * PIXELS, end * PIXELS), { shape: [end - start, PIXELS] });
    const y = np.array(examples.labels.subarray(start, end), { shape: [end - start] });
    const [losses, classes] = evaluateBatch(params, x, y);
    lossSum += await scalar(losses);
    predicted.set((await classes.data()) as Int32Array, start);
  }
  return { meanLoss: lossSum / examples.count, predicted };
}
