import { devicePut, init, numpy as np, random, setDefaultDevice } from "tsax";
import type { Digits, Examples } from "../examples.js";
import { classify, initialParams, type DeviceExamples, type Params } from "../model.js";
import { MODEL_DEFAULTS, type ModelName } from "../options.js";
import { accuracy } from "../report.js";
import { evaluate, toDevice, train } from "../train.js";
import { stepProgram, type View } from "./program.js";

export interface Settings {
  readonly device: string;
  readonly model: ModelName;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
}

export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** The mean loss of the steps since the last time. */
  readonly loss: number;
  readonly stepsPerSecond: number;
}

export interface Watcher {
  onProgram(views: readonly View[]): void;
  onProgress(progress: Progress): void;
  /** The weights have changed: another look at the drawing may give another answer. */
  onWeights(): void;
  onAccuracy(share: number): void;
}

/** Milliseconds of work between two looks at the screen. */
const LOOK_UP_EVERY = 10;

/** Trains models of digits one after the other, and classifies with the last one. */
export class Trainer {
  #params: Params | undefined;
  #device = "";
  #stopped = false;

  constructor(private readonly digits: Digits) {}

  get trained(): boolean {
    return this.#params !== undefined;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Probabilities of the digits for one image, or undefined before there is a model. */
  async classify(pixels: Float32Array): Promise<ArrayLike<number> | undefined> {
    if (!this.#params) return undefined;
    return (await classify(this.#params, devicePut(np.array(pixels), this.#device)).data()) as Float32Array;
  }

  /** Trains from new weights; answers whether it came to the end. */
  async run({ device, model, epochs, batch, lr }: Settings, watcher: Watcher): Promise<boolean> {
    this.#stopped = false;
    await init(device);
    setDefaultDevice(device);
    this.#device = device;
    const { train: training, test } = this.digits;
    const [examples, testing]: DeviceExamples[] = [toDevice(training), toDevice(test)];
    const [initKey, key] = random.split(random.key(Date.now() % 2 ** 31));
    const initial = initialParams(model, initKey, MODEL_DEFAULTS[model].initScale);
    this.#params = initial;
    watcher.onProgram(stepProgram(initial, examples!, Math.min(batch, training.count), device));

    let [last, lossSum] = [0, 0];
    const started = performance.now();
    let evaluating = 0;
    const onSteps = (epoch: number, done: number, total: number, loss: number, params: Params): void => {
      if (done <= last) [last, lossSum] = [0, 0];
      const since = (loss * done - lossSum) / (done - last);
      [last, lossSum] = [done, loss * done];
      this.#params = params;
      const step = (epoch - 1) * total + done;
      const seconds = (performance.now() - started - evaluating) / 1000;
      watcher.onProgress({ step, steps: epochs * total, loss: since, stepsPerSecond: step / seconds });
      watcher.onWeights();
    };
    const onEpoch = async (_epoch: number, params: Params): Promise<void> => {
      const from = performance.now();
      watcher.onAccuracy(await this.accuracyOf(params, testing!, test));
      evaluating += performance.now() - from;
    };
    const options = { epochs, batch, lr, key, lookUpEvery: LOOK_UP_EVERY };
    const { params } = await train(initial, examples!, options, { onSteps, onEpoch, stopped: () => this.#stopped });
    this.#params = params;
    if (this.#stopped) watcher.onAccuracy(await this.accuracyOf(params, testing!, test));
    watcher.onWeights();
    return !this.#stopped;
  }

  private async accuracyOf(params: Params, testing: DeviceExamples, { labels }: Examples): Promise<number> {
    return accuracy(labels, (await evaluate(params, testing)).predicted);
  }
}
