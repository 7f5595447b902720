import type { Program } from "../../../kernel-ir/program.js";
import type { ProgramLayout } from "./layout.js";

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
