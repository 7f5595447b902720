import { init, jit, type NDArray, setDefaultDevice } from "../../src/index.js";
import { differenceOnGpu, nameOf, withoutFloat64 } from "../gpu/contract-law.js";
import type { ContractRow } from "../primitives/contract.js";
import { factFailure, withoutFloat64 as factsWithoutFloat64 } from "../semantics/compare.js";
import { facts } from "../semantics/rules.js";

/** What was held against what was expected, and what was wrong. */
export interface Findings {
  readonly checked: number;
  readonly wrong: readonly string[];
}

/** Collects what goes wrong, errors too, in one check after the other. */
async function findings<T>(
  items: readonly T[],
  name: (item: T) => string,
  check: (item: T) => Promise<string | undefined>,
): Promise<Findings> {
  const wrong: string[] = [];
  for (const item of items) {
    const found = await check(item).catch(String);
    if (found !== undefined) wrong.push(`${name(item)}: ${found}`);
  }
  return { checked: items.length, wrong };
}

/** JAX's numbers on the GPU of this page, directly and under jit. */
export async function factsHere(): Promise<Findings> {
  await init("webgpu");
  setDefaultDevice("webgpu");
  return findings(
    factsWithoutFloat64(facts),
    (fact) => fact.name,
    async (fact) => {
      const args = fact.args?.() ?? [];
      const jitted = jit(fact.f as (...xs: NDArray[]) => unknown);
      return (await factFailure(fact.f(...(args as NDArray[])), fact)) ?? factFailure(jitted(...args), fact);
    },
  );
}

/** The contract's law "every backend = reference" on the GPU of this page, for one row in so many. */
export async function contractHere(rows: readonly ContractRow[], share: number): Promise<Findings> {
  await init("webgpu");
  return findings(
    withoutFloat64(rows).filter((_, i) => i % share === 0),
    nameOf,
    differenceOnGpu,
  );
}
