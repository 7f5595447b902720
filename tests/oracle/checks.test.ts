import { describe, expect, it } from "vitest";
import { loadCases, modesOf } from "./cases.js";
import { difference } from "./compare.js";
import { expected } from "./expected.js";
import type { Result } from "./result.js";

const array = (dtype: string, shape: number[], ...data: (number | readonly [number, number])[]): Result => ({
  kind: "array",
  dtype,
  shape,
  data,
});
const recorded = (a: string, shape: number[], ...data: unknown[]): unknown => ({ a, shape, data });

describe("the comparison itself", () => {
  it("demands shapes and dtypes", () => {
    expect(difference(recorded("float32", [1], 2), array("float32", [1], 2), {})).toBeUndefined();
    expect(difference(recorded("float32", [1], 2), array("float32", [], 2), {})).toContain("expected float32[1]");
    expect(difference(recorded("float32", [1], 2), array("float64", [1], 2), {})).toContain("got float64[1]");
    expect(difference([recorded("int32", [], 2)], array("int32", [], 2), {})).toContain("a list of 1");
  });

  it("demands integers exactly, and floats within the tolerance", () => {
    expect(difference(recorded("int32", [2], 1, 2), array("int32", [2], 1, 3), {})).toContain("at 1 expected 2, got 3");
    const two = recorded("float32", [], 2);
    expect(difference(two, array("float32", [], 2.00005), {})).toBeUndefined();
    expect(difference(two, array("float32", [], 2.0001), {})).toBeDefined();
    expect(difference(two, array("float32", [], 2.0001), { tol: { rtol: 1e-3, atol: 0 } })).toBeUndefined();
    expect(
      difference(recorded("float32", [], 0.1), array("float32", [], Math.fround(0.1)), { tol: { rtol: 0, atol: 0 } }),
    ).toBeUndefined();
  });

  it("demands NaN and infinities in their places, signs of zero where they count, and skips what is null", () => {
    const special = recorded("float32", [3], "nan", "-inf", null);
    expect(difference(special, array("float32", [3], NaN, -Infinity, 5), {})).toBeUndefined();
    expect(difference(special, array("float32", [3], 0, -Infinity, 5), {})).toContain("at 0");
    expect(difference(special, array("float32", [3], NaN, Infinity, 5), {})).toContain("at 1");
    expect(difference(recorded("float32", [], 1), array("float32", [], NaN), {})).toBeDefined();
    const zero = recorded("float32", [], -0);
    expect(difference(zero, array("float32", [], 0), {})).toBeUndefined();
    expect(difference(zero, array("float32", [], 0), { signedZeros: true })).toContain("got 0");
  });

  it("holds keys against their words, and plain values against scalars", () => {
    expect(difference(recorded("key", [], 1, 2), array("uint32", [2], 1, 2), {})).toBeUndefined();
    expect(difference(recorded("key", [], 1, 2), array("uint32", [2], 1, 3), {})).toBeDefined();
    expect(difference(true, array("bool", [], 1), {})).toBeUndefined();
    expect(difference(true, array("bool", [], 0), {})).toBeDefined();
    expect(difference(3, { kind: "value", value: 3 }, {})).toBeUndefined();
    expect(difference({ a: 1 }, { kind: "record", entries: {} }, {})).toContain("no a");
  });
});

describe("the lists of what is not there", () => {
  const files = ["numpy", "lax", "nn", "random", "other"];
  const cases = files.flatMap((file) => [
    ...loadCases(file).map((c) => ({ ...c, set: "" })),
    ...loadCases(`x64-${file}`).map((c) => ({ ...c, set: "x64:" })),
  ]);

  it("name functions, dtypes, cases and modes that are recorded, each once", () => {
    const functions = new Set(cases.map((c) => c.fn));
    expect(expected.missingFunctions.filter((fn) => !functions.has(fn))).toEqual([]);
    expect(new Set(expected.missingFunctions).size).toBe(expected.missingFunctions.length);
    const known = new Map(cases.map((c) => [`${c.set}${c.id}`, modesOf(c) as string[]]));
    const unknown = expected.failures.filter(
      ({ id, modes }) => modes !== undefined && !modes.every((mode) => known.get(id)?.includes(mode)),
    );
    expect(unknown).toEqual([]);
  });
});
