import type { NDArray } from "../core/array.js";
import type { Ins, Structure } from "../core/types.js";
import { requireFunction } from "./arguments.js";
import type { Explanation } from "./explanation.js";
import { jit, type Jitted } from "./jit.js";

/**
 * Tells what a jitted call runs on the device of its arguments: the jaxpr, the plan, the fused kernels and the code that was
 * emitted of them. The function is traced and compiled, but not run; one that is not jitted is taken as `jit(f)`.
 * @throws as jit.
 * @example
 * const { kernels } = explain((x) => np.tanh(x).mul(2))(np.ones([3]));
 */
export function explain<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
): (...args: Ins<A>) => Explanation {
  requireFunction(f, "explain");
  const jitted = "lower" in f ? (f as unknown as Jitted<A, unknown>) : jit(f);
  return (...args) => jitted.lower(...args).explain();
}
