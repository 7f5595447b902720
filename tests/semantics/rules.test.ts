import { afterAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, listDevices, NDArray, setDefaultDevice, tree } from "../../src/index.js";
import { type Fact, facts } from "./rules.js";

/** Compares a tree of arrays with nested numbers; NaN and infinities must be in the same places. */
function expectValue(got: unknown, { expected, rtol = 1e-6, atol = 1e-7, signed = false }: Fact): void {
  const nested = tree.map((x: unknown) => (x instanceof NDArray ? [x.js() as unknown] : [x]), got);
  const numbers = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(numbers) : [Number(x)]);
  const xs = numbers(nested);
  const es = numbers(expected);
  expect(xs.length).toBe(es.length);
  es.forEach((e, i) => {
    const x = xs[i]!;
    if (Number.isNaN(e) || !Number.isFinite(e)) expect(x).toBe(e);
    else if (signed && e === 0) expect(x).toBe(e);
    else expect(Math.abs(x - e), `element ${i}: ${x}, expected ${e}`).toBeLessThanOrEqual(atol + rtol * Math.abs(e));
  });
}

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

describe.each(listDevices())("JAX's numbers on %s", (device) => {
  it.each(facts.map((f) => [f.name, f] as const))("%s", (_, fact) => {
    setDefaultDevice(device);
    const args = fact.args?.() ?? [];
    expectValue(fact.f(...(args as NDArray[])), fact);
    if (!fact.eagerOnly) expectValue(jit(fact.f as (...xs: NDArray[]) => unknown)(...args), fact);
  });
});
