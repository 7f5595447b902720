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

/** A file in the IDX format; the name is for errors. */
export interface IdxFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Makes examples of a file of images and the file of their labels. */
export function readExamples(imagesFile: IdxFile, labelsFile: IdxFile): Examples {
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
