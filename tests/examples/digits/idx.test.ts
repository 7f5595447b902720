import { describe, expect, test } from "vitest";
import { DigitsError } from "../../../examples/digits/errors.js";
import { checkCounts, parseIdxImages, parseIdxLabels, takeFirst } from "../../../examples/digits/idx.js";
import { idx } from "./files.js";

function failure(action: () => unknown): DigitsError {
  try {
    action();
  } catch (error) {
    if (error instanceof DigitsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("images", () => {
  test("are read with their dimensions", () => {
    const images = parseIdxImages(idx(0x803, [2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]), "a");
    expect(images).toEqual({
      count: 2,
      rows: 2,
      columns: 3,
      pixels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255),
    });
  });

  test("can lie anywhere in a larger buffer", () => {
    const file = idx(0x803, [1, 1, 2], [7, 8]);
    const larger = new Uint8Array(file.length + 5);
    larger.set(file, 5);
    expect(parseIdxImages(larger.subarray(5), "a").pixels).toEqual(Uint8Array.of(7, 8));
  });

  test.each([
    ["labels in place of images", idx(0x801, [2], [1, 2]), "idx-magic", /expected magic number 0x00000803.*IDX labels/],
    ["another format", Uint8Array.from([...Buffer.from("<!doctype html>")]), "idx-magic", /found 0x3c21646f/],
    ["a short header", idx(0x803, [2, 28], []), "idx-truncated", /header: expected at least 16 bytes, found 12/],
    ["no bytes", new Uint8Array(0), "idx-truncated", /found 0/],
    ["a short body", idx(0x803, [2, 2, 2], [1, 2, 3]), "idx-truncated", /2 x 2 x 2 = 8 bytes, 3 are there/],
    ["a long body", idx(0x803, [1, 1, 1], [1, 2]), "idx-trailing", /1 x 1 x 1 = 1 bytes, but 2 follow/],
  ] as const)("%s: %#", (_, bytes, code, message) => {
    const error = failure(() => parseIdxImages(bytes, "dir/images"));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^dir\/images: /);
  });
});

describe("labels", () => {
  test("are read", () => {
    expect(parseIdxLabels(idx(0x801, [3], [0, 9, 4]), "a")).toEqual(Uint8Array.of(0, 9, 4));
  });

  test("must be digits", () => {
    const error = failure(() => parseIdxLabels(idx(0x801, [3], [0, 10, 4]), "a"));
    expect([error.code, error.message]).toEqual(["idx-label-range", "a: label 1 is 10, not a digit 0 … 9"]);
  });

  test("refuse images and short files", () => {
    expect(failure(() => parseIdxLabels(idx(0x803, [1, 1, 1], [0]), "a")).code).toBe("idx-magic");
    expect(failure(() => parseIdxLabels(idx(0x801, [3], [0]), "a")).code).toBe("idx-truncated");
  });
});

test("counts must match", () => {
  const images = parseIdxImages(idx(0x803, [2, 1, 1], [1, 2]), "images");
  checkCounts(images, "images", Uint8Array.of(1, 2), "labels");
  const error = failure(() => checkCounts(images, "images", Uint8Array.of(1, 2, 3), "labels"));
  expect(error.code).toBe("idx-count-mismatch");
  expect(error.message).toBe("images holds 2 images, but labels holds 3 labels");
});

describe("takeFirst", () => {
  test("makes a smaller file of the same kind", () => {
    const images = parseIdxImages(takeFirst(idx(0x803, [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 2), "two");
    expect(images).toEqual({ count: 2, rows: 2, columns: 2, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    expect(parseIdxLabels(takeFirst(idx(0x801, [3], [7, 0, 4]), 9), "all")).toEqual(Uint8Array.of(7, 0, 4));
  });
});
