import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, type NDArray, setDefaultDevice } from "../../src/index.js";
import { factFailure } from "./compare.js";
import { type Fact, facts } from "./rules.js";

/** Checks facts on a device, eagerly and under jit. */
export function checkFacts(device: string, among: readonly Fact[] = facts): void {
  describe(`JAX's numbers on ${device}`, () => {
    const home = defaultDevice();
    beforeAll(() => setDefaultDevice(device));
    afterAll(() => setDefaultDevice(home));
    it.each(among.map((f) => [f.name, f] as const))("%s", async (_, fact) => {
      const args = fact.args?.() ?? [];
      expect(await factFailure(fact.f(...(args as NDArray[])), fact)).toBeUndefined();
      if (fact.eagerOnly) return;
      expect(await factFailure(jit(fact.f as (...xs: NDArray[]) => unknown)(...args), fact)).toBeUndefined();
    });
  });
}
