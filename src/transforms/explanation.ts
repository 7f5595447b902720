import type { Prepared } from "../core/engine.js";

/** What a jitted call runs, as text, from the traced program to the code of the device. */
export interface Explanation {
  readonly name: string;
  readonly device: string;
  /** The function as it was traced, in JAX's notation. */
  readonly jaxpr: string;
  /** Functions of steps (launches of kernels, calls, copies) over inputs, outputs and temporaries; empty on "reference". */
  readonly plan: string;
  /** The fused kernels, in the order of their numbers in the plan; empty on "reference". */
  readonly kernels: string;
  /** The emitted code: WebAssembly text, WGSL; on "reference", which interprets jaxprs, the jaxpr. */
  readonly code: string;
  /** All of it, under headings. */
  toString(): string;
}

/** Puts the stages of a compiled function together. */
export function explanationOf(name: string, jaxpr: string, prepared: Prepared): Explanation {
  const stages = { jaxpr, plan: prepared.plan(), kernels: prepared.kernels(), code: prepared.code() };
  const toString = (): string =>
    [
      `${name} on ${prepared.device}`,
      ...Object.entries(stages).flatMap(([stage, text]) => (text === "" ? [] : [`── ${stage} ──\n${text}`])),
    ].join("\n\n");
  const explanation = { name, device: prepared.device, ...stages, toString };
  return Object.defineProperty(explanation, Symbol.for("nodejs.util.inspect.custom"), { value: toString });
}
