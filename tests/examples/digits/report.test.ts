import { expect, test } from "vitest";
import {
  accuracy,
  confusionMatrix,
  drawDigit,
  drawMistakes,
  formatConfusion,
} from "../../../examples/digits/report.js";

test("the confusion matrix counts labels by predictions", () => {
  const matrix = confusionMatrix([1, 1, 1, 9, 0], [1, 1, 7, 9, 0]);
  expect(matrix[1]).toEqual([0, 2, 0, 0, 0, 0, 0, 1, 0, 0]);
  expect(matrix[9]?.[9]).toBe(1);
  expect(matrix.flat().reduce((a, b) => a + b)).toBe(5);
  const lines = formatConfusion(matrix).split("\n");
  expect(lines).toHaveLength(13);
  expect(lines[4]).toBe("    1 │   ·   2   ·   ·   ·   ·   ·   1   ·   · │  66.7%");
  expect(lines[5]).toBe("    2 │   ·   ·   ·   ·   ·   ·   ·   ·   ·   · │      -");
  expect(new Set(lines.slice(1).map((line) => line.indexOf("│") + line.indexOf("┼"))).size).toBe(1);
});

test("accuracy is the share of right predictions", () => {
  expect(accuracy([1, 2, 3, 4], [1, 0, 3, 4])).toBe(0.75);
  expect(accuracy([], [])).toBe(0);
});

test("a digit is drawn with ink where its pixels are", () => {
  const image = new Float32Array(784);
  for (let row = 10; row < 18; row++) image[row * 28 + 14] = 1;
  image[0] = 1;
  const lines = drawDigit(image);
  expect(lines).toHaveLength(14);
  expect(lines.every((line) => line.length === 28)).toBe(true);
  expect(lines.map((line) => line[14]).join("")).toBe("     @@@@     ");
  expect(lines[0]?.[0]).toBe("+");
});

test("the first mistakes are drawn side by side", () => {
  const examples = { count: 4, images: new Float32Array(4 * 784).fill(1), labels: Int32Array.of(1, 2, 3, 4) };
  const drawn = drawMistakes(examples, [1, 0, 0, 0], 2).split("\n");
  expect(drawn[0]).toBe(`${"#1: 2, read as 0".padEnd(28)} │ #2: 3, read as 0`);
  expect(drawn).toHaveLength(15);
  expect(drawn[1]).toBe(`${"@".repeat(28)} │ ${"@".repeat(28)}`);
  expect(drawMistakes(examples, [1, 2, 3, 4], 2)).toBe("no mistakes");
});
