import { numpy as np, random, type NDArray } from "tsax";
import { PIXELS, type Examples } from "./examples.js";
import { DigitsError } from "./errors.js";
import { evaluateAll, trainStep, type DeviceExamples, type Params } from "./model.js";

export interface TrainOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  /** Gives each epoch's order. */
  readonly key: NDArray;
  /** How long the loop works, in milliseconds, before it looks up: reads the loss, lets signals in (50). */
  readonly lookUpEvery?: number;
}

export interface TrainHooks {
  /** Called now and then within an epoch with the mean loss of its steps so far, and the weights. */
  onSteps?(epoch: number, done: number, total: number, loss: number, params: Params): void;
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
  /** Time in steps and in shuffling, the one compilation included, evaluation not. */
  readonly seconds: number;
}

/** Uploads examples, once: minibatches are then picked on the device. */
export function toDevice({ count, images, labels }: Examples): DeviceExamples {
  return { images: np.array(images, { shape: [count, PIXELS] }), labels: np.array(labels) };
}

/** Says when a loop of steps looks up from its work. */
class Pace {
  #started = performance.now();
  #steps = 0;
  #most = Infinity;

  /** `every`: milliseconds. */
  constructor(private readonly every: number) {}

  /** Counts a step, and tells whether to look up after it. */
  due(): boolean {
    this.#steps += 1;
    return this.#steps >= this.#most || performance.now() - this.#started > this.every;
  }

  /** Begins anew, when all steps so far are done: a device that works on its own is handed no more than it does in the time. */
  start(): void {
    const now = performance.now();
    this.#most = Math.max(1, (2 * this.#steps * this.every) / (now - this.#started));
    this.#started = now;
    this.#steps = 0;
  }
}

/** Lets whatever waits run: signals in Node, a person's hand and the screen in a browser. */
const othersTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * Trains by minibatch gradient descent. Every epoch goes through the training set in a new order; what is left
 * beyond whole batches (another part each time) sits the epoch out, so that all steps have one shape and compile once.
 */
export async function train(
  initial: Params,
  examples: DeviceExamples,
  options: TrainOptions,
  hooks: TrainHooks = {},
): Promise<TrainResult> {
  const count = examples.labels.size;
  const batch = Math.min(options.batch, count);
  const pace = new Pace(options.lookUpEvery ?? 50);
  const stepsPerEpoch = Math.floor(count / batch);
  let params = initial;
  let steps = 0;
  let seconds = 0;
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const started = performance.now();
    let lossSum = np.zeros([]);
    const order = (await random.permutation(random.foldIn(options.key, epoch), count).data()) as Int32Array;
    for (let step = 1; step <= stepsPerEpoch; step++) {
      const indices = np.array(order.subarray((step - 1) * batch, step * batch));
      [params, lossSum] = trainStep(params, lossSum, examples, indices, options.lr);
      steps += 1;
      if (pace.due() || step === stepsPerEpoch) {
        const loss = (await scalar(lossSum)) / step;
        checkFinite(loss, epoch, step);
        hooks.onSteps?.(epoch, step, stepsPerEpoch, loss, params);
        await othersTurn();
        pace.start();
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

/** Mean loss and predictions over all examples. */
export async function evaluate(params: Params, examples: DeviceExamples): Promise<Evaluation> {
  const [meanLoss, classes] = evaluateAll(params, examples);
  return { meanLoss: await scalar(meanLoss), predicted: (await classes.data()) as Int32Array };
}
