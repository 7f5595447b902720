import { afterAll, describe, expect, test } from "vitest";
import * as math from "../../../src/kernel-ir/math/index.js";
import type { Expr } from "../../../src/kernel-ir/scalar.js";
import { error32, floatFromBits, float32Samples, randomSource, SPECIAL } from "../../kernel-ir/math/evaluate.js";
import { unary32 } from "../../kernel-ir/math/unary32.js";
import { sharedDevice } from "../../gpu/run-code.js";
import { type BufferType, byDefinition, type Column, column, onDevice } from "./wgsl-harness.js";

/**
 * Scalar math on a device, within the bounds that its definition is tested with (tests/kernel-ir/math). A device may take
 * subnormal numbers for zeros, operands, intermediate results and results alike: nothing is asked of subnormal operands but
 * what the function gives near zero, and errors below the least normal number do not count.
 */
const device = await sharedDevice();
afterAll(() => device?.destroy());

const LEAST = 2 ** -126;
const isTiny = (x: number): boolean => x !== 0 && Math.abs(x) < LEAST;
const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

function columnOf(type: BufferType, values: readonly number[]): Column {
  const padded = [...values];
  while (padded.length % 4 !== 0) padded.push(values[0]!);
  const storage = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array }[type];
  return { type, data: storage.from(padded) };
}

/** Units in the last place; 0 for what flushing subnormal numbers explains. */
function errorOf(got: number, exact: number): number {
  if (
    Number.isFinite(got) &&
    Number.isFinite(exact) &&
    Math.abs(got - exact) <= LEAST &&
    Math.abs(exact) < 16 * LEAST
  ) {
    return exact === 0 || got === 0 || got < 0 === exact < 0 ? 0 : Infinity;
  }
  return error32(got, exact);
}

describe.skipIf(!device)("functions of one float32", () => {
  const batches: (typeof unary32)[number][][] = [];
  unary32.forEach((row, i) => (batches[Math.floor(i / 4)] ??= []).push(row));
  // (a test a batch: a shader has some functions)
  test.each(batches.map((batch) => [batch.map(([name]) => name).join(", "), batch] as const))(
    "%s",
    async (_, batch) => {
      for (const lanes of [false, true]) {
        const xs = [...SPECIAL, ...batch.flatMap(([, , , lo, hi]) => [...float32Samples(lo, hi, 4_000)])].map(
          Math.fround,
        );
        const columns = [columnOf("f32", xs)];
        const x = column(columns, 0);
        const got = await onDevice(device!, columns, batch.map(([, f]) => f(x)), { lanes }); // prettier-ignore
        batch.forEach(([name, , exact, , , ulp], k) => {
          let worst = 0;
          let at = 0;
          xs.forEach((v, i) => {
            if (isTiny(v)) return;
            const error = errorOf(got[k]![i]!, exact(v));
            if (error > worst) [worst, at] = [error, i];
          });
          const where = `${name} at ${xs[at]}: ${got[k]![at]}, exactly ${exact(xs[at]!)}`;
          expect(worst, where).toBeLessThanOrEqual(ulp);
          // Zeros with their signs, infinities and NaN; subnormal operands count as themselves or as zeros.
          SPECIAL.map(Math.fround).forEach((v, i) => {
            const allowed = [v, ...(isTiny(v) ? [v < 0 ? -0 : 0] : [])].map((w) => Math.fround(exact(w)));
            const g = got[k]![i]!;
            const isRight = allowed.some((w) =>
              Number.isFinite(w) && w !== 0
                ? errorOf(g, w) <= 2.5
                : Object.is(g, w) || (isTiny(g) && Object.is(g * 0, w)),
            );
            expect(isRight, `${name} at ${show(v)}: ${show(g)}`).toBe(true);
          });
        });
      }
    },
  );
});

describe.skipIf(!device)("functions of two float32", () => {
  const cPow = (x: number, y: number): number => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);
  const binary: readonly (readonly [string, (x: Expr, y: Expr) => Expr, (x: number, y: number) => number, number])[] = [
    ["pow", math.pow, cPow, 1.3],
    ["atan2", math.atan2, Math.atan2, 1.8],
  ];
  const special = [...SPECIAL, 7, -7, 1.5, 33.25, -5.5, 1e10, 3e38, -3e38, 16777215, 0.9999999, 1.0000001].map(
    Math.fround,
  );
  test.each(binary)("%s", async (_, f, exact, ulp) => {
    const random = randomSource(3);
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
    for (let i = 0; i < 6000; i++) {
      const near = Math.fround(1 + (random() - 0.5) * 2 ** -Math.floor(random() * 22));
      const any = floatFromBits(random() * 2 ** 32);
      pairs.push([
        i % 3 === 0 ? near : Math.abs(any),
        i % 2 === 0 ? Math.fround((random() - 0.5) * 60) : floatFromBits(random() * 2 ** 32),
      ]);
    }
    const usable = pairs.filter((p) => !p.some(isTiny));
    const columns = [0, 1].map((k) => columnOf("f32", usable.map((p) => p[k]!))); // prettier-ignore
    for (const lanes of [false, true]) {
      const [got] = await onDevice(device!, columns, [f(column(columns, 0), column(columns, 1))], { lanes });
      usable.forEach(([a, b], i) => {
        const error = errorOf(got![i]!, exact(a, b));
        if (error > ulp) expect.fail(`${show(a)}, ${show(b)}: ${show(got![i]!)}, exactly ${exact(a, b)}`);
      });
    }
  });
});

describe.skipIf(!device)("functions that are exact, or the definition's own value", () => {
  const random = randomSource(11);
  const word = (): number => Math.floor(random() * 2 ** 32);
  const floats = [...SPECIAL, 7, -5.5, 1e10, -3e38, 0.3, 2147483648, ...Array.from({ length: 50 }, () => floatFromBits(word()))]
    .map(Math.fround)
    .filter((x) => !isTiny(x)); // prettier-ignore
  const ints = [
    0,
    1,
    -1,
    2,
    -2,
    7,
    -7,
    31,
    32,
    33,
    100,
    -0x80000000,
    0x7fffffff,
    ...Array.from({ length: 12 }, () => word() | 0),
  ];

  const pairsOf = (type: BufferType, values: readonly number[]): Column[] => {
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    return [0, 1].map((k) => columnOf(type, pairs.map((p) => p[k]!))); // prettier-ignore
  };

  async function same(columns: readonly Column[], roots: Readonly<Record<string, Expr>>, ulps = 0): Promise<void> {
    for (const lanes of [false, true]) {
      const got = await onDevice(device!, columns, Object.values(roots), { lanes });
      Object.entries(roots).forEach(([name, root], k) => {
        const want = byDefinition(columns, root).map(Number);
        want.forEach((w, i) => {
          const g = got[k]![i]!;
          const isSame =
            Object.is(g, w) || (root.type === "f32" && (Math.abs(g - w) <= LEAST || error32(g, w) <= ulps));
          if (!isSame)
            expect.fail(`${name} of ${columns.map((c) => show(c.data[i]!)).join(", ")}: ${show(g)}, not ${show(w)}`);
        });
      });
    }
  }

  test("integer division, remainders and shifts by anything", async () => {
    for (const type of ["i32", "u32"] as const) {
      const columns = pairsOf(type, type === "u32" ? ints.map((x) => x >>> 0) : ints);
      const [x, y] = [column(columns, 0), column(columns, 1)];
      await same(columns, {
        div: math.div(x, y),
        rem: math.rem(x, y),
        floorDivide: math.floorDivide(x, y),
        floorRemainder: math.floorRemainder(x, y),
        shiftLeft: math.shiftLeft(x, y),
        shiftRightLogical: math.shiftRightLogical(x, y),
        shiftRightArithmetic: math.shiftRightArithmetic(x, y),
        integerPow: math.integerPow(x, 5),
      });
    }
  });
  test("remainders of floats", async () => {
    // (the last places of smaller numbers are themselves below the normal range)
    const columns = pairsOf("f32", floats.filter((x) => x === 0 || !(Math.abs(x) < 2 ** -90))); // prettier-ignore
    const [x, y] = [column(columns, 0), column(columns, 1)];
    await same(columns, { fmod: math.fmod(x, y), rem: math.rem(x, y) });
  });
  test("rounding, signs, tests of floats, neighbours", async () => {
    const columns = pairsOf("f32", floats);
    const [x, y] = [column(columns, 0), column(columns, 1)];
    await same(columns, {
      roundHalfAway: math.roundHalfAway(x),
      sign: math.sign(x),
      isNan: math.isNan(x),
      isFinite: math.isFinite(x),
      nextafter: math.nextafter(x, y),
      bfloat16: math.reducePrecision(x, 8, 7),
      float16: math.reducePrecision(x, 5, 10),
    });
  });
  test("cubes, logarithms of sums, the inverse error function", async () => {
    const columns = pairsOf("f32", floats.filter((x) => Math.abs(x) < 1e12 || !Number.isFinite(x))); // prettier-ignore
    const [x, y] = [column(columns, 0), column(columns, 1)];
    await same(
      columns,
      { cube: math.integerPow(x, 3), inverse: math.integerPow(x, -2), logaddexp: math.logaddexp(x, y) },
      6,
    );
    const units = [
      columnOf("f32", [-1, 1, 0, -0, NaN, 1.5, ...Array.from({ length: 500 }, (_, i) => Math.fround(i / 250 - 1))]),
    ];
    await same(units, { erfInv: math.erfInv(column(units, 0)) }, 6);
  });
  test("the gamma function's logarithm and its derivatives", async () => {
    // Poles, infinities and NaN; elsewhere away from zeros, near which terms cancel.
    const edges = [0, -0, 1, 2, -1, -2, -1e10, 1e10, 3e38, Infinity, -Infinity, NaN];
    const inside = Array.from({ length: 400 }, (_, i) => Math.fround(1.55 + i / 16));
    const reflected = Array.from({ length: 60 }, (_, i) => Math.fround(-0.25 - i));
    const columns = [columnOf("f32", [...edges, ...inside, ...reflected])];
    const x = column(columns, 0);
    await same(
      columns,
      {
        lgamma: math.lgamma(x),
        digamma: math.digamma(x),
        polygamma1: math.polygamma(x, 1),
        polygamma2: math.polygamma(x, 2),
      },
      16,
    );
  });
  test("threefry and uniform numbers, bit for bit", async () => {
    const columns = [0, 1, 2, 3].map(() => columnOf("u32", Array.from({ length: 64 }, word)));
    const [k0, k1, x0, x1] = columns.map((_, k) => column(columns, k)) as [Expr, Expr, Expr, Expr];
    const [a, b] = math.threefry2x32(k0, k1, x0, x1);
    await same(columns, { first: a, second: b, uniform: math.uniformFromBits32(a) });
  });
});
