import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Bytes of an IDX file with the given magic number and dimensions. */
export function idx(magic: number, dimensions: readonly number[], body: ArrayLike<number>): Uint8Array {
  const header = 4 * (1 + dimensions.length);
  const bytes = new Uint8Array(header + body.length);
  const view = new DataView(bytes.buffer);
  [magic, ...dimensions].forEach((value, i) => view.setUint32(4 * i, value));
  bytes.set(Array.from(body), header);
  return bytes;
}

/**
 * A made-up data set in the MNIST layout that softmax regression can learn: the image of digit d has ink in the d-th
 * band of rows, with a little noise.
 */
export function bands(count: number): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 10);
  const images = new Uint8Array(count * 784);
  for (let i = 0; i < images.length; i++) {
    const row = Math.floor((i % 784) / 28);
    const inked = Math.floor(row / 2.8) === labels[Math.floor(i / 784)];
    images[i] = (inked ? 200 : 0) + ((i * 2654435761) % 97) / 2;
  }
  return { images: idx(0x803, [count, 28, 28], images), labels: idx(0x801, [count], labels) };
}

/** A new folder that is removed when the test file is done. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tsax-digits-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the four files of a data set of bands into `folder`. */
export function writeBands(folder: string, train: number, test: number): void {
  for (const [stem, count] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    const { images, labels } = bands(count);
    writeFileSync(join(folder, `${stem}-images-idx3-ubyte`), images);
    writeFileSync(join(folder, `${stem}-labels-idx1-ubyte`), labels);
  }
}
