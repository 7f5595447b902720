import type { Program } from "../../../kernel-ir/program.js";
import type { ProgramLayout } from "./laid-out.js";
import { chunkOf } from "./launches.js";

/**
 * Of a generic program that is one nest over one axis, whose buffers all have as many elements as the axis or one (an
 * elementwise operation): gives its parameters for another number of elements. Undefined where numbers besides that occur.
 */
export function resizer(
  program: Program,
  layout: ProgramLayout,
): ((elements: number) => readonly number[]) | undefined {
  const step =
    layout.functions.length === 1 && layout.functions[0]!.steps.length === 1
      ? layout.functions[0]!.steps[0]!
      : undefined;
  const kernel = program.kernels.length === 1 ? program.kernels[0]! : undefined;
  if (step?.kind !== "launch" || kernel?.kind !== "nest") return undefined;
  if (kernel.parallel.length !== 1 || kernel.reduced.length > 0 || kernel.sequential) return undefined;
  const n = kernel.parallel[0]!;
  if (n < 2 || kernel.buffers.some((b) => b.length !== n && b.length !== 1)) return undefined;
  const rows = step.rows;
  const chunk = step.chunk;
  if (typeof rows === "number" || typeof chunk === "number") return undefined;
  // the nest's own parameters: nothing but the axis' extent
  const others = layout.params.filter((_, slot) => slot !== rows.slot && slot !== chunk.slot);
  if (others.some((p) => p !== n)) return undefined;
  return (elements) => layout.params.map((p, slot) => (slot === chunk.slot ? p : elements));
}

/** What the parameters of a generic program are made of. */
export type Numbers = Pick<ProgramLayout, "params" | "chunks" | "arenaBytes">;

/** A number as a factor times powers of the sizes. */
interface Monomial {
  readonly factor: number;
  readonly powers: readonly number[];
}

/**
 * How the parameters of two generic programs of one structure follow from lengths: `a` was made for distinct primes `sizes`,
 * which tell what each parameter is a product of, `b` for other sizes, which must bear that out.
 */
export function scaler(
  a: Numbers,
  sizes: readonly number[],
  b: Numbers,
  otherSizes: readonly number[],
): ((sizes: readonly number[]) => readonly number[]) | undefined {
  if (a.params.length !== b.params.length || a.arenaBytes !== b.arenaBytes) return undefined;
  const fits = (m: Monomial, other: number): boolean => valueOf(m, otherSizes) === other;
  const chunks = new Map(
    a.chunks.map((c, k) => [c.slot, { step: c.step, work: monomial(c.rowWork, sizes), other: b.chunks[k] }]),
  );
  for (const [slot, { step, work, other }] of chunks)
    if (other?.slot !== slot || other.step !== step || !fits(work, other.rowWork)) return undefined;
  const params = a.params.map((p) => monomial(p, sizes));
  if (params.some((m, slot) => !chunks.has(slot) && !fits(m, b.params[slot]!))) return undefined;
  return (to) =>
    params.map((m, slot) => {
      const chunk = chunks.get(slot);
      return chunk ? chunkOf(chunk.step, valueOf(chunk.work, to)) : valueOf(m, to);
    });
}

function monomial(n: number, primes: readonly number[]): Monomial {
  let factor = n;
  const powers = primes.map((p) => {
    let power = 0;
    for (; factor !== 0 && factor % p === 0; factor /= p) power++;
    return power;
  });
  return { factor, powers };
}

function valueOf({ factor, powers }: Monomial, sizes: readonly number[]): number {
  let n = factor;
  for (let k = 0; k < powers.length; k++) for (let i = powers[k]!; i > 0; i--) n *= sizes[k]!;
  return n;
}
