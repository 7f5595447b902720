import { afterAll, describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import { type Expr, op } from "../../../src/kernel-ir/scalar.js";
import { error32, floatFromBits, float32Samples, randomSource } from "../../kernel-ir/math/evaluate.js";
import { unary32 } from "../../kernel-ir/math/unary32.js";
import { sharedDevice } from "../../gpu/run-code.js";
import { roughly } from "./rough-driver.js";
import { type Column, column, onDevice } from "./wgsl-harness.js";

/**
 * Divisions and roots where the driver's own are as inexact as WebGPU lets them be. The software driver's are exact, those of
 * GPUs are not: here shaders get what a GPU might do.
 */
const device = await sharedDevice();
afterAll(() => device?.destroy());

const LEAST = 2 ** -126;
const random = randomSource(5);
const floats = (values: readonly number[]): Column => {
  const padded = [...values];
  while (padded.length % 4 !== 0) padded.push(values[0]!);
  return { type: "f32", data: new Float32Array(padded) };
};
const any = (): number => floatFromBits(random() * 2 ** 32);

/** So large that nothing falls below the normal range on the way. */
const isOrdinary = (...values: readonly number[]): boolean =>
  values.every((x) => Number.isFinite(x) && Math.abs(x) >= 2 ** -76);

describe.skipIf(!device).each([false, true])("on a driver that rounds roughly (four lanes: %s)", (lanes) => {
  const run = (columns: readonly Column[], ...roots: readonly Expr[]) =>
    onDevice(device!, columns, roots, { lanes, driver: roughly });

  test("the driver is rough indeed", async () => {
    const columns = [1, 3].map((k) => floats([1, 2, 3, 4, 5, 6, 7, 8].map((x) => x * k)));
    const [x, y] = [column(columns, 0), column(columns, 1)];
    const uncorrected = (wgsl: string): string =>
      roughly(wgsl).replace(/return select\((\w), \w \+ c, .*\);/g, "return $1;");
    const [q, s] = await onDevice(device!, columns, [op("div", [y, x]), op("sqrt", [x])], {
      lanes,
      driver: uncorrected,
    });
    expect(Array.from(q!).some((x) => x !== 3)).toBe(true);
    expect(Array.from(s!, (x, i) => error32(x, Math.sqrt(i + 1))).some((e) => e > 1)).toBe(true);
  });

  test("quotients are the nearest numbers", async () => {
    const pairs: [number, number][] = [];
    for (let a = 1; a <= 120; a++) for (let b = 1; b <= 60; b++) pairs.push([a * b, b]);
    for (let i = 0; i < 20_000; i++) pairs.push([any(), any()]);
    for (let i = 0; i < 2_000; i++) pairs.push([any(), 2 ** 126 * (1 + 2.9 * random()) * (i % 2 === 0 ? 1 : -1)]);
    const columns = [0, 1].map((k) => floats(pairs.map((p) => p[k]!)));
    const [got] = await run(columns, op("div", [column(columns, 0), column(columns, 1)]));
    pairs.forEach((_, i) => {
      const [x, y] = [columns[0]!.data[i]! as number, columns[1]!.data[i]! as number];
      if (!isOrdinary(x, y, x / y)) return;
      const error = error32(got![i]!, x / y);
      // (halves of the last place have company closer than what puts quotients right can tell)
      if (error > 0.5001) expect.fail(`${x} / ${y} is ${got![i]}, off by ${error} units`);
    });
    for (let i = 0; i < 7200; i++) expect(got![i]).toBe(Math.floor(i / 60) + 1);
  });

  test("roots are the nearest numbers", async () => {
    const xs = Array.from({ length: 2_000 }, (_, i) => i * i);
    for (let i = 0; i < 20_000; i++) xs.push(Math.abs(any()));
    const columns = [floats(xs)];
    const [got] = await run(columns, op("sqrt", [column(columns, 0)]));
    for (let i = 0; i < 2_000; i++) expect(got![i]).toBe(i);
    columns[0]!.data.forEach((x, i) => {
      if (!isOrdinary(x as number)) return;
      const error = error32(got![i]!, Math.sqrt(x as number));
      if (error > 0.5001) expect.fail(`the root of ${x} is ${got![i]}, off by ${error} units`);
    });
  });

  test("zeros, infinities and NaN", async () => {
    const values = [0, -0, 1, -1, 3, -7, 3e38, -3e38, Infinity, -Infinity, NaN].map(Math.fround);
    const pairs = values.flatMap((x) => values.map((y) => [x, y] as const));
    const columns = [0, 1].map((k) => floats(pairs.map((p) => p[k]!)));
    const [x, y] = [column(columns, 0), column(columns, 1)];
    const [quotients, roots] = await run(columns, op("div", [x, y]), op("sqrt", [x]));
    const isSame = (g: number, w: number): boolean =>
      Object.is(g, w) || (w !== 0 && Math.abs(w) < 2 ** -76 && Object.is(g * 0, w * 0) && Math.abs(g - w) <= LEAST);
    pairs.forEach(([a, b], i) => {
      expect(isSame(quotients![i]!, Math.fround(a / b)), `${a} / ${b}: ${quotients![i]}`).toBe(true);
      expect(isSame(roots![i]!, Math.fround(Math.sqrt(a))), `√${a}: ${roots![i]}`).toBe(true);
    });
  });

  test("remainders of multiples are zero, and others are exact", async () => {
    const pairs: [number, number][] = [];
    for (let a = 0; a <= 120; a++) for (let b = 1; b <= 60; b++) pairs.push([a * b, b], [a * b + 1, b + 0.5]);
    for (let i = 0; i < 8_000; i++) pairs.push([any(), any()]);
    const columns = [0, 1].map((k) => floats(pairs.map((p) => p[k]!)));
    const [got] = await run(columns, math.fmod(column(columns, 0), column(columns, 1)));
    pairs.forEach((_, i) => {
      const [x, y] = [columns[0]!.data[i]! as number, columns[1]!.data[i]! as number];
      if (!isOrdinary(x, y) || Math.abs(x % y) < 2 ** -90) return;
      expect(got![i], `${x} % ${y}`).toBe(x % y);
    });
  });

  test("scalar math keeps its bounds", async () => {
    for (let first = 0; first < unary32.length; first += 4) {
      const batch = unary32.slice(first, first + 4);
      const xs = batch.flatMap(([, , , lo, hi]) => [...float32Samples(lo, hi, 1_000)]).map(Math.fround);
      const columns = [floats(xs)];
      const got = await run(columns, ...batch.map(([, f]) => f(column(columns, 0))));
      batch.forEach(([name, , exact, , , ulp], k) => {
        xs.forEach((x, i) => {
          const [g, want] = [got[k]![i]!, exact(x)];
          if (Math.abs(x) < LEAST || (Math.abs(want) < 16 * LEAST && Math.abs(g - want) <= LEAST)) return;
          const error = error32(g, want);
          // (what small quotients leave is below the normal range)
          if (error > (isOrdinary(x) ? ulp : ulp + 2)) expect.fail(`${name} of ${x} is ${g}, off by ${error} units`);
        });
      });
    }
  });
});
