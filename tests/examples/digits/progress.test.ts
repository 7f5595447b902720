import { expect, test } from "vitest";
import { Progress, clock, progressLine } from "../../../examples/digits/progress.js";

const state = { done: 117, total: 468, seconds: 2, label: "epoch 1/10", loss: 0.41234 };

test("a line holds bar, share, rate, loss and the time left", () => {
  const line = progressLine(state, 100);
  expect(line).toBe(`epoch 1/10 [${"█".repeat(8)}${"░".repeat(22)}]  25%  59 steps/s  loss 0.4123  ETA 0:06`);
});

test("before the first step nothing is claimed", () => {
  expect(progressLine({ ...state, done: 0, seconds: 0, loss: undefined }, 100)).toMatch(
    / {3}0% {2}0 steps\/s {2}ETA -:--$/,
  );
});

test("a narrow terminal loses the bar, then the rest, and never wraps", () => {
  for (let columns = 1; columns < 120; columns++) {
    expect(progressLine(state, columns).length).toBeLessThan(Math.max(columns, 1));
  }
  expect(progressLine(state, 50)).not.toContain("█");
});

test("clock", () => {
  expect([0, 59.4, 59.6, 65, 3600].map(clock)).toEqual(["0:00", "0:59", "1:00", "1:05", "60:00"]);
});

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 100, write: (text: string) => written.push(text) };
}

test("a terminal that says it has no columns gets a line all the same", () => {
  const stream = { ...recorder(true), columns: 0 };
  new Progress(stream).update("x", 10, 10, 1);
  expect(stream.written.at(-1)).toMatch(/x \[█+\] 100%/);
});

test("nothing is written where there is no terminal", () => {
  const stream = recorder(false);
  const bar = new Progress(stream);
  bar.update("x", 5, 10, 1);
  bar.clear();
  expect(stream.written).toEqual([]);
});

test("a terminal is redrawn at most ten times a second, and for the last step", () => {
  const stream = recorder(true);
  let time = 0;
  const bar = new Progress(stream, () => time);
  for (let step = 1; step <= 100; step++) {
    time = step * 10;
    bar.update("x", step, 100, 1);
  }
  expect(stream.written.length).toBeGreaterThanOrEqual(10);
  expect(stream.written.length).toBeLessThanOrEqual(12);
  expect(stream.written.at(-1)).toContain("100%");
  expect(stream.written.every((text) => text.startsWith("\r\x1b[2K") && !text.includes("\n"))).toBe(true);
  bar.clear();
  expect(stream.written.at(-1)).toBe("\r\x1b[2K");
});
