import { expect } from "vitest";
import { NDArray, TsaxError } from "../src/index.js";

/** Numbers, nested as arrays are. */
export type Nested = number | boolean | readonly Nested[];

const flat = (x: NDArray | Nested): number[] => {
  if (x instanceof NDArray) return flat(x.js() as Nested);
  return typeof x === "object" ? x.flatMap((v) => flat(v)) : [Number(x)];
};
const shapeOf = (x: NDArray | Nested): readonly number[] => {
  if (x instanceof NDArray) return x.shape;
  return typeof x === "object" ? [x.length, ...(x.length > 0 ? shapeOf(x[0]!) : [])] : [];
};

/** Compares shapes, and elements within |got − expected| ≤ atol + rtol·|expected|; NaN and infinities must agree. */
export function expectClose(got: NDArray, expected: NDArray | Nested, rtol = 1e-6, atol = 1e-7): void {
  expect(got.shape).toEqual(shapeOf(expected));
  const [xs, es] = [flat(got), flat(expected)];
  es.forEach((e, i) => {
    const x = xs[i]!;
    if (!Number.isFinite(e)) expect(x, `element ${i}`).toBe(e);
    else expect(Math.abs(x - e), `element ${i}: ${x}, expected ${e}`).toBeLessThanOrEqual(atol + rtol * Math.abs(e));
  });
}

/** The code of the error that a call throws. */
export function codeOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof TsaxError) return e.code;
    throw e;
  }
  return "nothing was thrown";
}
