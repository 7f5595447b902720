import { NDArray, tree } from "../../src/index.js";
import type { Fact } from "./rules.js";

const numbersOf = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(numbersOf) : [Number(x)]);

/** What is wrong with a tree of arrays; undefined where nothing is. NaN and infinities must be in the same places. */
export async function factFailure(got: unknown, fact: Fact): Promise<string | undefined> {
  const { expected, rtol = 1e-6, atol = 1e-7, signed = false } = fact;
  const read = await Promise.all(
    tree.leaves(got).map(async (x): Promise<unknown> => (x instanceof NDArray ? x.jsAsync() : x)),
  );
  const xs = numbersOf(read);
  const es = numbersOf(expected);
  if (xs.length !== es.length) return `${xs.length} numbers, expected ${es.length}`;
  for (const [i, e] of es.entries()) {
    const x = xs[i]!;
    const exact = !Number.isFinite(e) || (signed && e === 0);
    if (exact ? !Object.is(x, e) : !(Math.abs(x - e) <= atol + rtol * Math.abs(e)))
      return `element ${i}: ${x}, expected ${e}`;
  }
  return undefined;
}

/** The facts that a device without float64 and without reads at once can show. */
export const withoutFloat64 = (facts: readonly Fact[]): Fact[] =>
  facts.filter((f) => f.eagerOnly !== true && !/float64|f64/.test(`${f.name}${String(f.args)}${String(f.f)}`));
