import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, NDArray, setDefaultDevice, tree } from "../../src/index.js";
import { type Fact, facts } from "./rules.js";

const numbersOf = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(numbersOf) : [Number(x)]);

/** Compares a tree of arrays with nested numbers; NaN and infinities must be in the same places. */
async function expectValue(got: unknown, { expected, rtol = 1e-6, atol = 1e-7, signed = false }: Fact): Promise<void> {
  const read = await Promise.all(
    tree.leaves(got).map(async (x): Promise<unknown> => (x instanceof NDArray ? x.jsAsync() : x)),
  );
  const xs = numbersOf(read);
  const es = numbersOf(expected);
  expect(xs.length).toBe(es.length);
  es.forEach((e, i) => {
    const x = xs[i]!;
    if (Number.isNaN(e) || !Number.isFinite(e)) expect(x).toBe(e);
    else if (signed && e === 0) expect(x).toBe(e);
    else expect(Math.abs(x - e), `element ${i}: ${x}, expected ${e}`).toBeLessThanOrEqual(atol + rtol * Math.abs(e));
  });
}

/** Checks facts on a device, eagerly and under jit. */
export function checkFacts(device: string, among: readonly Fact[] = facts): void {
  describe(`JAX's numbers on ${device}`, () => {
    const home = defaultDevice();
    beforeAll(() => setDefaultDevice(device));
    afterAll(() => setDefaultDevice(home));
    it.each(among.map((f) => [f.name, f] as const))("%s", async (_, fact) => {
      const args = fact.args?.() ?? [];
      await expectValue(fact.f(...(args as NDArray[])), fact);
      if (!fact.eagerOnly) await expectValue(jit(fact.f as (...xs: NDArray[]) => unknown)(...args), fact);
    });
  });
}
