import { describe, expect, test } from "vitest";
import { helpText, parseOptions } from "../../../examples/digits/options.js";

describe("values", () => {
  test("defaults depend on the model", () => {
    expect(parseOptions([])).toEqual({
      model: "softmax",
      epochs: 20,
      batch: 128,
      lr: 0.5,
      initScale: 0.01,
      seed: 1,
      device: undefined,
      json: false,
      data: undefined,
      save: undefined,
      load: undefined,
      help: false,
    });
    expect(parseOptions(["--model", "mlp"])).toMatchObject({ model: "mlp", epochs: 5, lr: 0.3, initScale: 1 });
  });

  test("both spellings, in any order", () => {
    const options = parseOptions(["--json", "--lr=1e-2", "--epochs", "0", "--init-scale", "1", "--model=mlp"]);
    expect(options).toMatchObject({ json: true, lr: 0.01, epochs: 0, initScale: 1, model: "mlp" });
    expect(parseOptions(["--save", "a b.json", "--load=c=d", "--data", "x", "--device", "wasm"])).toMatchObject({
      save: "a b.json",
      load: "c=d",
      data: "x",
      device: "wasm",
    });
  });
});

describe("errors", () => {
  test.each([
    [["--epochs", "-1"], '--epochs must be an integer >= 0, got "-1"'],
    [["--epochs", "2.5"], '--epochs must be an integer >= 0, got "2.5"'],
    [["--batch", "0"], '--batch must be an integer >= 1, got "0"'],
    [["--batch=many"], '--batch must be an integer >= 1, got "many"'],
    [["--lr", "0"], '--lr must be a number > 0, got "0"'],
    [["--lr", "NaN"], '--lr must be a number > 0, got "NaN"'],
    [["--lr", "1e999"], '--lr must be a number > 0, got "1e999"'],
    [["--lr", ""], '--lr must be a number > 0, got ""'],
    [["--lr", "0x10"], '--lr must be a number > 0, got "0x10"'],
    [["--init-scale", "-0.5"], '--init-scale must be a number >= 0, got "-0.5"'],
    [["--model", "cnn"], '--model must be softmax or mlp, got "cnn"'],
    [["--save="], '--save must be a name, got ""'],
    [["--epochs"], "--epochs needs a value: --epochs N"],
    [["--save", "--json"], "--save needs a value: --save FILE"],
    [["--json=yes"], "--json takes no value"],
    [["--lr", "1", "--lr", "2"], "--lr is given twice"],
    [["--epoch", "3"], 'unknown option "--epoch" (did you mean --epochs?)'],
    [["--sede", "3"], 'unknown option "--sede" (did you mean --seed?)'],
    [["--constructor"], 'unknown option "--constructor"'],
    [["train"], 'unknown option "train"'],
    [["-h"], 'unknown option "-h"'],
  ])("%j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(
      expect.objectContaining({ code: "usage", message: `${message}\nrun with --help for the options` }),
    );
  });
});

test("the help text lists every option and fits a terminal", () => {
  const text = helpText();
  for (const name of Object.keys(parseOptions([]))) {
    expect(text).toContain(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  }
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
});
