import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { numpy as np, type NDArray } from "tsax";
import { DigitsError } from "./errors.js";
import { layerShapes, type Params } from "./model.js";
import type { ModelName } from "./options.js";

const FORMAT = "tsax-digits";
const VERSION = 1;

/** A weights file: JSON, with each array's float32 numbers (little-endian) in base64. */
interface SavedArray {
  readonly shape: readonly number[];
  readonly data: string;
}

async function toSaved(x: NDArray): Promise<SavedArray> {
  const values = Float32Array.from((await x.data()) as Float32Array);
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return { shape: x.shape, data: bytes.toString("base64") };
}

/** Saves weights; the file is either the old one or the whole new one, also when the process dies meanwhile. */
export async function saveWeights(file: string, model: ModelName, params: Params): Promise<void> {
  const layers = await Promise.all(params.map(async ({ w, b }) => ({ w: await toSaved(w), b: await toSaved(b) })));
  const text = `${JSON.stringify({ format: FORMAT, version: VERSION, model, layers })}\n`;
  const partial = `${file}.${process.pid}.partial`;
  try {
    writeFileSync(partial, text);
    renameSync(partial, file);
  } catch (error) {
    throw new DigitsError("weights-unreadable", `cannot write weights to ${file}: ${(error as Error).message}`);
  }
}

/** Reads weights back, which must be those of `model`. */
export function loadWeights(file: string, model: ModelName): Params {
  const saved = record(readJson(file), file, "the file");
  if (saved["format"] !== FORMAT) {
    throw new DigitsError("weights-format", `${file} is no weights file of this program (no format "${FORMAT}")`);
  }
  if (saved["version"] !== VERSION) {
    const found = JSON.stringify(saved["version"]);
    throw new DigitsError("weights-format", `${file} has version ${found}, this program reads version ${VERSION}`);
  }
  if (saved["model"] !== model) {
    const found = String(saved["model"]);
    throw new DigitsError(
      "weights-mismatch",
      `${file} holds weights of the model ${found}, not of ${model}; pass --model ${found}`,
    );
  }
  const shapes = layerShapes(model);
  const layers: unknown = saved["layers"];
  if (!Array.isArray(layers) || layers.length !== shapes.length) {
    throw new DigitsError("weights-mismatch", `${file}: expected a list of ${shapes.length} layers`);
  }
  return shapes.map(({ w, b }, i) => {
    const layer = record(layers[i], file, `layer ${i}`);
    return {
      w: fromSaved(layer["w"], w, file, `w of layer ${i}`),
      b: fromSaved(layer["b"], b, file, `b of layer ${i}`),
    };
  });
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new DigitsError("weights-unreadable", `cannot read weights from ${file}: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DigitsError("weights-format", `${file} is not JSON, or cut short: ${(error as Error).message}`);
  }
}

function record(value: unknown, file: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DigitsError("weights-format", `${file}: ${what} is not an object`);
}

function fromSaved(value: unknown, shape: readonly number[], file: string, what: string): NDArray {
  const { shape: found, data } = record(value, file, what);
  if (JSON.stringify(found) !== JSON.stringify(shape)) {
    throw new DigitsError(
      "weights-mismatch",
      `${file}: ${what} has shape ${JSON.stringify(found)}, expected ${JSON.stringify(shape)}`,
    );
  }
  const size = shape.reduce((product, extent) => product * extent, 1);
  const bytes = Buffer.from(typeof data === "string" ? data : "", "base64");
  if (bytes.length !== 4 * size) {
    throw new DigitsError("weights-format", `${file}: ${what} holds ${bytes.length} bytes, expected ${4 * size}`);
  }
  const values = Float32Array.from({ length: size }, (_, i) => bytes.readFloatLE(4 * i));
  if (!values.every(Number.isFinite)) {
    throw new DigitsError("weights-format", `${file}: ${what} holds values that are not finite numbers`);
  }
  return np.array(values, { shape: [...shape] });
}
