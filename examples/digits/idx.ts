import { DigitsError } from "./errors.js";

/**
 * The IDX format of the MNIST files: a big-endian header (two zero bytes, the element type, the number of dimensions,
 * then each dimension as uint32), and the elements. Both kinds here hold unsigned bytes (type 0x08).
 */
const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;

export interface IdxImages {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** One byte a pixel (0 background … 255 ink), row by row, image after image. */
  readonly pixels: Uint8Array;
}

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, "0")}`;

const KIND_OF_MAGIC: Readonly<Record<number, string>> = { [IMAGES_MAGIC]: "images", [LABELS_MAGIC]: "labels" };

function readDimensions(bytes: Uint8Array, file: string, magic: number, dimensions: number): readonly number[] {
  const headerLength = 4 * (1 + dimensions);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && view.getUint32(0) !== magic) {
    const found = view.getUint32(0);
    const kind = KIND_OF_MAGIC[found];
    throw new DigitsError(
      "idx-magic",
      `${file}: expected magic number ${hex(magic)} (IDX ${KIND_OF_MAGIC[magic]}), found ${hex(found)}` +
        (kind === undefined ? "; this is no IDX file of unsigned bytes" : `, which marks IDX ${kind}`),
    );
  }
  if (bytes.length < headerLength) {
    throw new DigitsError(
      "idx-truncated",
      `${file}: truncated in its header: expected at least ${headerLength} bytes, found ${bytes.length}`,
    );
  }
  return Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
}

function readBody(bytes: Uint8Array, file: string, dimensions: readonly number[]): Uint8Array {
  const start = 4 * (1 + dimensions.length);
  const length = dimensions.reduce((product, dimension) => product * dimension, 1);
  const found = bytes.length - start;
  if (found < length) {
    throw new DigitsError(
      "idx-truncated",
      `${file}: truncated: the header announces ${dimensions.join(" x ")} = ${length} bytes, ${found} are there`,
    );
  }
  if (found > length) {
    throw new DigitsError(
      "idx-trailing",
      `${file}: the header announces ${dimensions.join(" x ")} = ${length} bytes, but ${found} follow it`,
    );
  }
  return bytes.subarray(start);
}

/** Reads an IDX file of images; `file` names it in errors. */
export function parseIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const [count = 0, rows = 0, columns = 0] = readDimensions(bytes, file, IMAGES_MAGIC, 3);
  return { count, rows, columns, pixels: readBody(bytes, file, [count, rows, columns]) };
}

/** Reads an IDX file of labels, which must be digits; `file` names it in errors. */
export function parseIdxLabels(bytes: Uint8Array, file: string): Uint8Array {
  const labels = readBody(bytes, file, readDimensions(bytes, file, LABELS_MAGIC, 1));
  const wrong = labels.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw new DigitsError("idx-label-range", `${file}: label ${wrong} is ${labels[wrong]}, not a digit 0 … 9`);
  }
  return labels;
}

/** Requires one label for each image. */
export function checkCounts(images: IdxImages, imagesFile: string, labels: Uint8Array, labelsFile: string): void {
  if (images.count !== labels.length) {
    throw new DigitsError(
      "idx-count-mismatch",
      `${imagesFile} holds ${images.count} images, but ${labelsFile} holds ${labels.length} labels`,
    );
  }
}

/** The first `count` elements of an IDX file as one of its own. */
export function takeFirst(bytes: Uint8Array, count: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = Array.from({ length: view.getUint8(3) }, (_, i) => view.getUint32(4 + 4 * i));
  const taken = Math.min(count, dimensions[0] ?? 0);
  const each = dimensions.slice(1).reduce((product, dimension) => product * dimension, 1);
  const out = bytes.slice(0, 4 * (1 + dimensions.length) + taken * each);
  new DataView(out.buffer).setUint32(4, taken);
  return out;
}
