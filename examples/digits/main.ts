import { TsaxError, defaultDevice, random } from "tsax";
import { loadDigits } from "./data.js";
import { useDevice } from "./device.js";
import { DigitsError } from "./errors.js";
import type { Examples } from "./examples.js";
import { initialParams, type DeviceExamples, type Params } from "./model.js";
import { helpText, parseOptions, type Options } from "./options.js";
import { Progress, clock } from "./progress.js";
import { accuracy, confusionMatrix, drawMistakes, formatConfusion } from "./report.js";
import { evaluate, toDevice, train, type TrainResult } from "./train.js";
import { loadWeights, saveWeights } from "./weights.js";

/** Where Ctrl-C saves when `--save` names no file. */
const INTERRUPTED_FILE = "digits-weights.json";

async function main(options: Options): Promise<void> {
  if (options.device !== undefined) await useDevice(options.device);
  const digits = loadDigits(options.data);
  const training = toDevice(digits.train);
  const testing = toDevice(digits.test);
  console.log(
    `${options.model} on ${defaultDevice()}: ${digits.train.count} training and ${digits.test.count} test images, ` +
      `batch ${Math.min(options.batch, digits.train.count)}, lr ${options.lr}, seed ${options.seed}`,
  );

  const [initKey, shuffleKey] = random.split(random.key(options.seed));
  const initial =
    options.load === undefined
      ? initialParams(options.model, initKey, options.initScale)
      : loadWeights(options.load, options.model);

  let interrupted = false;
  const interrupt = (): void => {
    // A second Ctrl-C ends the process at once.
    if (interrupted) process.exit(130);
    interrupted = true;
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);

  const bar = new Progress();
  const result = await train(
    initial,
    training,
    { epochs: options.epochs, batch: options.batch, lr: options.lr, key: shuffleKey },
    {
      onSteps(epoch, done, total, loss) {
        const before = (epoch - 1) * total;
        bar.update(`epoch ${epoch}/${options.epochs}`, before + done, options.epochs * total, loss);
      },
      async onEpoch(epoch, params, loss, seconds) {
        bar.clear();
        const right = accuracy(digits.test.labels, (await evaluate(params, testing)).predicted);
        console.log(
          `epoch ${epoch}/${options.epochs}  loss ${loss.toFixed(4)}  ` +
            `test accuracy ${(100 * right).toFixed(2)}%  ${seconds.toFixed(1)} s`,
        );
      },
      stopped: () => interrupted,
    },
  );
  bar.clear();
  if (interrupted) console.log(`interrupted after ${result.steps} steps`);

  await keep(options, interrupted, result.params);
  await report(options, result, training, testing, digits.test);
}

async function keep(options: Options, interrupted: boolean, params: Params): Promise<void> {
  const file = options.save ?? (interrupted ? INTERRUPTED_FILE : undefined);
  if (file === undefined) return;
  await saveWeights(file, options.model, params);
  console.log(`weights saved to ${file}`);
}

async function report(
  options: Options,
  result: TrainResult,
  training: DeviceExamples,
  testing: DeviceExamples,
  test: Examples,
): Promise<void> {
  const { predicted } = await evaluate(result.params, testing);
  const { meanLoss } = await evaluate(result.params, training);
  const testAccuracy = accuracy(test.labels, predicted);
  const stepsPerSecond = result.seconds > 0 ? result.steps / result.seconds : 0;
  if (!options.json) {
    console.log(`\n${formatConfusion(confusionMatrix(test.labels, predicted))}`);
    console.log(`\n${drawMistakes(test, predicted, 3)}\n`);
  }
  console.log(
    `test accuracy ${(100 * testAccuracy).toFixed(2)}%, training loss ${meanLoss.toFixed(4)}; ${result.epochs} epochs ` +
      `in ${clock(result.seconds)}, ${stepsPerSecond.toFixed(0)} steps/s`,
  );
  if (options.json) {
    console.log(
      JSON.stringify({
        testAccuracy,
        finalLoss: meanLoss,
        epochs: result.epochs,
        trainSeconds: result.seconds,
        stepsPerSecond,
        device: defaultDevice(),
      }),
    );
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(helpText());
  else await main(options);
} catch (error) {
  if (!(error instanceof DigitsError || error instanceof TsaxError)) throw error;
  console.error(`digits: ${error.message}`);
  process.exitCode = error instanceof DigitsError && error.code === "usage" ? 2 : 1;
}
