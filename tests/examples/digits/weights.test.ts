import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { random, type NDArray } from "tsax";
import { expect, test } from "vitest";
import { initialParams } from "../../../examples/digits/model.js";
import { loadWeights, saveWeights } from "../../../examples/digits/weights.js";
import { scratchFolder } from "./files.js";

const folder = scratchFolder();
const file = join(folder, "weights.json");

async function bits(x: NDArray): Promise<number[]> {
  return Array.from(new Uint32Array(Float32Array.from((await x.data()) as Float32Array).buffer));
}

test.each(["softmax", "mlp"] as const)("%s weights come back bit for bit", async (model) => {
  const params = initialParams(model, random.key(7), 1);
  await saveWeights(file, model, params);
  const loaded = loadWeights(file, model);
  expect(loaded.map(({ w, b }) => [w.shape, b.shape])).toEqual(params.map(({ w, b }) => [w.shape, b.shape]));
  for (const [i, { w, b }] of params.entries()) {
    expect(await bits(loaded[i]?.w as NDArray)).toEqual(await bits(w));
    expect(await bits(loaded[i]?.b as NDArray)).toEqual(await bits(b));
  }
  expect(readdirSync(folder)).toEqual(["weights.json"]);
});

test("what cannot be used is refused with its reason", async () => {
  const refused = (change: (text: string) => string, model: "softmax" | "mlp" = "softmax"): unknown => {
    const damaged = join(folder, "damaged.json");
    writeFileSync(damaged, change(readFileSync(file, "utf8")));
    try {
      loadWeights(damaged, model);
    } catch (error) {
      return [(error as { code: string }).code, (error as Error).message.replace(damaged, "FILE")];
    }
    return "loaded";
  };
  await saveWeights(file, "softmax", initialParams("softmax", random.key(7), 1));

  expect(refused((text) => text)).toBe("loaded");
  expect(refused((text) => text, "mlp")).toEqual([
    "weights-mismatch",
    "FILE holds weights of the model softmax, not of mlp; pass --model softmax",
  ]);
  expect(refused((text) => text.slice(0, 1000))).toEqual([
    "weights-format",
    expect.stringMatching(/^FILE is not JSON, or cut short/),
  ]);
  expect(refused(() => "[]")).toEqual(["weights-format", "FILE: the file is not an object"]);
  expect(refused(() => "{}")).toEqual(["weights-format", expect.stringMatching(/no weights file of this program/)]);
  expect(refused((text) => text.replace('"version":1', '"version":2'))).toEqual([
    "weights-format",
    "FILE has version 2, this program reads version 1",
  ]);
  expect(refused((text) => text.replace("[784,10]", "[10,784]"))).toEqual([
    "weights-mismatch",
    "FILE: w of layer 0 has shape [10,784], expected [784,10]",
  ]);
  expect(refused((text) => text.replace(/"data":"[^"]{8}/, '"data":"'))).toEqual([
    "weights-format",
    "FILE: w of layer 0 holds 31354 bytes, expected 31360",
  ]);
  expect(refused((text) => text.replace(/"data":"[^"]{8}/, '"data":"AADAfwAA'))).toEqual([
    "weights-format",
    "FILE: w of layer 0 holds values that are not finite numbers",
  ]);
  expect(refused((text) => text.replace(/"layers":.*/, '"layers":[]}'))).toEqual([
    "weights-mismatch",
    "FILE: expected a list of 1 layers",
  ]);
  expect(() => loadWeights(join(folder, "missing.json"), "mlp")).toThrow(/cannot read weights from .*missing.json/);
});

test("a folder that cannot be written to is named", async () => {
  const params = initialParams("softmax", random.key(7), 1);
  await expect(saveWeights(join(folder, "no", "such", "w.json"), "softmax", params)).rejects.toMatchObject({
    code: "weights-unreadable",
    message: expect.stringMatching(/^cannot write weights to .*w\.json/),
  });
});
