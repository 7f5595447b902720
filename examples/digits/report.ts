import { CLASSES, IMAGE_SIDE, PIXELS, type Examples } from "./examples.js";

/** Counts predictions: `matrix[label][predicted]`. */
export function confusionMatrix(labels: ArrayLike<number>, predicted: ArrayLike<number>): number[][] {
  const matrix = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = matrix[labels[i] ?? 0];
    const column = predicted[i] ?? 0;
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}

/** The share of predictions that equal their labels. */
export function accuracy(labels: ArrayLike<number>, predicted: ArrayLike<number>): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === predicted[i]) right += 1;
  return labels.length === 0 ? 0 : right / labels.length;
}

/** Writes the matrix with its rows' hit rates. */
export function formatConfusion(matrix: readonly (readonly number[])[]): string {
  const width = Math.max(4, ...matrix.flat().map((count) => String(count).length + 1));
  const cell = (text: string | number): string => String(text).padStart(width);
  const header = `label │${matrix.map((_, predicted) => cell(predicted)).join("")} │ right`;
  const rows = matrix.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const right = total === 0 ? "-" : `${((100 * (row[label] ?? 0)) / total).toFixed(1)}%`;
    const cells = row.map((count) => cell(count === 0 ? "·" : count)).join("");
    return `${String(label).padStart(5)} │${cells} │ ${right.padStart(6)}`;
  });
  const rule = `──────┼${"─".repeat(width * matrix.length)}─┼───────`;
  return ["predicted →", header, rule, ...rows].join("\n");
}

const INK = " .:-=+*#%@";

/** Draws one image in characters, two rows of pixels to a line (a character is twice as high as wide). */
export function drawDigit(image: ArrayLike<number>): string[] {
  const lines: string[] = [];
  for (let row = 0; row < IMAGE_SIDE; row += 2) {
    let line = "";
    for (let column = 0; column < IMAGE_SIDE; column++) {
      const at = row * IMAGE_SIDE + column;
      const ink = ((image[at] ?? 0) + (image[at + IMAGE_SIDE] ?? 0)) / 2;
      line += INK[Math.min(INK.length - 1, Math.floor(ink * INK.length))] ?? " ";
    }
    lines.push(line);
  }
  return lines;
}

/** Draws the first few misclassified examples side by side, each under its label and its prediction. */
export function drawMistakes(examples: Examples, predicted: ArrayLike<number>, most: number): string {
  const mistakes: number[] = [];
  for (let i = 0; i < examples.count && mistakes.length < most; i++) {
    if (examples.labels[i] !== predicted[i]) mistakes.push(i);
  }
  if (mistakes.length === 0) return "no mistakes";
  const pictures = mistakes.map((i) => [
    `#${i}: ${examples.labels[i]}, read as ${predicted[i]}`.padEnd(IMAGE_SIDE),
    ...drawDigit(examples.images.subarray(i * PIXELS, (i + 1) * PIXELS)),
  ]);
  const height = pictures[0]?.length ?? 0;
  return Array.from({ length: height }, (_, line) =>
    pictures
      .map((picture) => picture[line] ?? "")
      .join(" │ ")
      .trimEnd(),
  ).join("\n");
}
