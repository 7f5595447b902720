import { rmSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loadDigits } from "../../../examples/digits/data.js";
import { idx, scratchFolder, writeBands } from "./files.js";

test("a folder of IDX files is loaded and scaled to [0, 1]", () => {
  const folder = scratchFolder();
  writeBands(folder, 30, 20);
  const { train, test } = loadDigits(folder);
  expect([train.count, test.count]).toEqual([30, 20]);
  expect(train.images).toHaveLength(30 * 784);
  expect(Math.max(...train.images)).toBeLessThanOrEqual(1);
  expect(Math.max(...train.images)).toBeGreaterThan(0.7);
  expect(Array.from(train.labels.slice(0, 4))).toEqual([0, 7, 4, 1]);
});

test("gzipped files and dotted names are found too", () => {
  const folder = scratchFolder();
  writeBands(folder, 10, 10);
  const before = loadDigits(folder);
  const file = join(folder, "train-images-idx3-ubyte");
  writeFileSync(join(folder, "train-images.idx3-ubyte.gz"), gzipSync(readFileSync(file)));
  rmSync(file);
  expect(loadDigits(folder)).toEqual(before);
});

test("what is missing or does not fit is named", () => {
  const folder = scratchFolder();
  expect(() => loadDigits(join(folder, "nowhere"))).toThrow(/nowhere does not exist/);
  expect(() => loadDigits(folder)).toThrow(/has none of train-images-idx3-ubyte, /);
  writeBands(folder, 10, 10);
  writeFileSync(join(folder, "t10k-labels-idx1-ubyte"), idx(0x801, [9], new Uint8Array(9)));
  expect(() => loadDigits(folder)).toThrow(/t10k-images-idx3-ubyte holds 10 images, but .* holds 9 labels/);
  writeBands(folder, 10, 10);
  writeFileSync(join(folder, "t10k-images-idx3-ubyte"), idx(0x803, [10, 2, 2], new Uint8Array(40)));
  expect(() => loadDigits(folder)).toThrow(/images of 2 x 2 pixels, expected 28 x 28/);
  writeFileSync(join(folder, "train-images-idx3-ubyte"), gzipSync(new Uint8Array(100)).subarray(0, 12));
  expect(() => loadDigits(folder)).toThrow(/train-images-idx3-ubyte: cannot be unzipped/);
});

test("the packaged data set is MNIST", () => {
  const { train, test } = loadDigits();
  expect([train.count, test.count]).toEqual([60000, 10000]);
  expect(Array.from(train.labels.slice(0, 5))).toEqual([5, 0, 4, 1, 9]);
  expect(Array.from(test.labels.slice(0, 5))).toEqual([7, 2, 1, 0, 4]);
  const counts = new Array<number>(10).fill(0);
  for (const label of train.labels) counts[label] = (counts[label] ?? 0) + 1;
  expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
});
