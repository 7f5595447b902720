import { numpy as np, random, type NDArray } from "tsax";
import { beforeAll, describe, expect, test } from "vitest";
import { loadDigits } from "../../../examples/digits/data.js";
import { PIXELS, type Examples } from "../../../examples/digits/examples.js";
import {
  exampleLoss,
  initialParams,
  predict,
  trainStep,
  type DeviceExamples,
  type Params,
} from "../../../examples/digits/model.js";
import { accuracy } from "../../../examples/digits/report.js";
import { evaluate, toDevice, train } from "../../../examples/digits/train.js";
import { scratchFolder, writeBands } from "./files.js";

let examples: Examples;
let onDevice: DeviceExamples;

const folder = scratchFolder();
beforeAll(() => {
  writeBands(folder, 300, 100);
  examples = loadDigits(folder).train;
  onDevice = toDevice(examples);
});

async function values(x: NDArray): Promise<number[]> {
  return Array.from((await x.data()) as Float32Array);
}

/** The mean loss by a plain loop in float64, for the softmax model. */
async function expectedLoss([layer]: Params, { images, labels, count }: Examples): Promise<number> {
  const w = await values((layer as Params[0]).w);
  const b = await values((layer as Params[0]).b);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const z = b.map((bias, k) => {
      let score = bias;
      for (let p = 0; p < PIXELS; p++) score += (images[i * PIXELS + p] ?? 0) * (w[p * 10 + k] ?? 0);
      return score;
    });
    const most = Math.max(...z);
    sum += most + Math.log(z.reduce((total, score) => total + Math.exp(score - most), 0)) - (z[labels[i] ?? 0] ?? 0);
  }
  return sum / count;
}

describe("the model", () => {
  test("predicts log probabilities, and the loss is minus the label's", async () => {
    const params = initialParams("softmax", random.key(3), 1);
    const x = np.array(examples.images.subarray(0, PIXELS), { shape: [PIXELS] });
    const logProbabilities = await values(predict(params, x));
    expect(logProbabilities.reduce((sum, one) => sum + Math.exp(one), 0)).toBeCloseTo(1, 5);
    const loss = exampleLoss(params, x, np.array(4, { dtype: "int32" })).item();
    expect(loss).toBeCloseTo(-(logProbabilities[4] ?? NaN), 4);
  });

  test("stays finite where scores are in the thousands", async () => {
    const params = initialParams("softmax", random.key(3), 1000);
    const { meanLoss } = await evaluate(params, onDevice);
    expect(Number.isFinite(meanLoss)).toBe(true);
    expect(meanLoss).toBeGreaterThan(1000);
    expect(Math.abs(meanLoss / (await expectedLoss(params, examples)) - 1)).toBeLessThan(1e-4);
  });

  test("initial weights have the deviation asked for", async () => {
    const [layer] = initialParams("softmax", random.key(0), 0.5);
    const w = await values((layer as Params[0]).w);
    expect(Math.sqrt(w.reduce((sum, v) => sum + v * v, 0) / w.length)).toBeCloseTo(0.5, 2);
    const [hidden] = initialParams("mlp", random.key(0), 1);
    const he = await values((hidden as Params[0]).w);
    expect(Math.sqrt(he.reduce((sum, v) => sum + v * v, 0) / he.length)).toBeCloseTo(Math.sqrt(2 / 784), 3);
  });
});

describe("training", () => {
  const run = (model: "softmax" | "mlp", epochs: number, seed = 0, batch = 32) =>
    train(initialParams(model, random.key(seed), model === "mlp" ? 1 : 0.01), onDevice, {
      epochs,
      batch,
      lr: 0.1,
      key: random.key(seed + 1),
    });

  test.each(["softmax", "mlp"] as const)("%s learns", async (model) => {
    const before = await evaluate(initialParams(model, random.key(0), model === "mlp" ? 1 : 0.01), onDevice);
    const { params, steps, epochs } = await run(model, 6);
    expect([steps, epochs]).toEqual([6 * 9, 6]);
    const after = await evaluate(params, onDevice);
    expect(accuracy(examples.labels, after.predicted)).toBeGreaterThan(0.95);
    expect(after.meanLoss).toBeLessThan(before.meanLoss / 4);
  });

  test("one step is w − lr · mean of (p − y) xᵀ", async () => {
    const initial = initialParams("softmax", random.key(5), 0.01);
    const { params } = await train(initial, onDevice, { epochs: 1, batch: 300, lr: 0.3, key: random.key(0) });
    const h = 1e-2;
    // Along the step, the loss falls by lr |gradient|² to first order; and b moves by the mean of y − p.
    const [before, after] = [initial[0] as Params[0], params[0] as Params[0]];
    const y = new Array<number>(10).fill(0);
    for (const label of examples.labels) y[label] = (y[label] ?? 0) + 1 / 300;
    const p = new Array<number>(10).fill(0);
    for (let i = 0; i < 300; i++) {
      const x = np.array(examples.images.subarray(i * PIXELS, (i + 1) * PIXELS), { shape: [PIXELS] });
      (await values(predict(initial, x))).forEach((one, k) => (p[k] = (p[k] ?? 0) + Math.exp(one) / 300));
    }
    const moved = await values(after.b.sub(before.b));
    moved.forEach((d, k) => expect(d).toBeCloseTo(0.3 * ((y[k] ?? 0) - (p[k] ?? 0)), 5));
    const gradient = after.w.sub(before.w).div(-0.3);
    const slope = (
      await values(np.sum(gradient.mul(gradient)).add(np.sum(np.square(after.b.sub(before.b).div(0.3)))))
    )[0];
    const nudged: Params = [
      { w: before.w.add(after.w.sub(before.w).mul(h)), b: before.b.add(after.b.sub(before.b).mul(h)) },
    ];
    const fall = (await expectedLoss(initial, examples)) - (await expectedLoss(nudged, examples));
    expect(fall / (0.3 * h)).toBeCloseTo(slope ?? NaN, 1);
  });

  test("the same seed gives the same weights, another gives others", async () => {
    const first = await values((await run("softmax", 2)).params[0]?.w as NDArray);
    expect(await values((await run("softmax", 2)).params[0]?.w as NDArray)).toEqual(first);
    expect(await values((await run("softmax", 2, 1)).params[0]?.w as NDArray)).not.toEqual(first);
  });

  test("another step size, seed or epoch traces nothing again", async () => {
    await run("softmax", 1);
    const before = trainStep.traceCount;
    await run("softmax", 2, 9);
    const options = { epochs: 1, batch: 32, lr: 0.025, key: random.key(1) };
    await train(initialParams("softmax", random.key(4), 1), onDevice, options);
    expect(trainStep.traceCount).toBe(before);
  });

  test("a batch larger than the data is the data", async () => {
    expect((await run("softmax", 3, 0, 100_000)).steps).toBe(3);
  });

  test("evaluation agrees with a plain loop", async () => {
    const { params } = await run("softmax", 1);
    const { meanLoss } = await evaluate(params, onDevice);
    expect(meanLoss).toBeCloseTo(await expectedLoss(params, examples), 4);
  });

  test("it stops when asked to, with what it has", async () => {
    let asked = 0;
    const initial = initialParams("softmax", random.key(0), 0.01);
    const result = await train(
      initial,
      onDevice,
      { epochs: 100, batch: 32, lr: 0.1, key: random.key(0) },
      { stopped: () => ++asked === 12 },
    );
    expect([result.steps, result.epochs]).toEqual([12, 1]);
    expect(result.params === initial).toBe(false);
  });

  test("a loss that is no number is an error that says what to do", async () => {
    const initial = initialParams("mlp", random.key(0), 1);
    const options = { epochs: 3, batch: 32, lr: 1e30, key: random.key(0) };
    await expect(train(initial, onDevice, options)).rejects.toMatchObject({
      code: "diverged",
      message: expect.stringMatching(/diverged.*--lr/),
    });
  });
});
