import { add, axisIndex, type Index, scale } from "../../../kernel-ir/index-expr.js";
import type { NestKernel, Phase, Statement } from "../../../kernel-ir/kernel.js";
import { Substitution } from "../../../kernel-ir/substitute.js";
import { type Survey, survey } from "./survey.js";

/**
 * Splits axes on which indices divide: where axis / d and axis mod d occur and d divides its extent, two axes take its
 * place, and the indices become affine. (A transposed array that was reshaped is read so.)
 */
export function splitAxes(kernel: NestKernel): { readonly kernel: NestKernel; readonly found: Survey } {
  let current = kernel;
  let found = survey(kernel);
  // Each round splits one axis in two; the divisors shrink, and few kernels need any.
  for (let round = 0; round < 16; round++) {
    const split = findSplit(current, found);
    if (!split) break;
    current = apply(current, split.axis, split.divisor);
    found = survey(current);
  }
  return { kernel: current, found };
}

function findSplit(kernel: NestKernel, found: Survey): { readonly axis: number; readonly divisor: number } | undefined {
  const extents = [...kernel.parallel, ...kernel.reduced];
  for (const index of found.indices) {
    for (const { atom } of index.terms) {
      if (atom.kind !== "div" && atom.kind !== "mod") continue;
      const only = atom.x.terms.length === 1 && atom.x.base === 0 ? atom.x.terms[0]! : undefined;
      if (only?.atom.kind !== "axis" || only.coeff !== 1) continue;
      const extent = extents[only.atom.axis]!;
      if (extent % atom.d === 0 && extent > atom.d) return { axis: only.atom.axis, divisor: atom.d };
    }
  }
  return undefined;
}

/** Replaces an axis by quotient and remainder, outer and inner. */
function apply(kernel: NestKernel, axis: number, divisor: number): NestKernel {
  const extents = [...kernel.parallel, ...kernel.reduced];
  const split = [...extents.slice(0, axis), extents[axis]! / divisor, divisor, ...extents.slice(axis + 1)];
  const parallel = kernel.parallel.length + (axis < kernel.parallel.length ? 1 : 0);
  const images = extents.map((_, k): Index => {
    if (k < axis) return axisIndex(k, split[k]!);
    if (k > axis) return axisIndex(k + 1, split[k + 1]!);
    return add(scale(axisIndex(axis, split[axis]!), divisor), axisIndex(axis + 1, divisor));
  });
  return substitute({ ...kernel, parallel: split.slice(0, parallel), reduced: split.slice(parallel) }, images);
}

function substitute(kernel: NestKernel, images: readonly Index[]): NestKernel {
  const by = new Substitution((k) => images[k]!);
  // Operands first, so that the substitution's recursion stays shallow.
  for (const e of survey(kernel).exprs) by.expr(e);
  const statement = (s: Statement): Statement => {
    const value = by.expr(s.value);
    if (s.kind === "store") return { ...s, index: by.index(s.index), value };
    if (s.kind === "update") return { ...s, index: by.index(s.index), value, when: s.when && by.expr(s.when) };
    return { ...s, value };
  };
  const phases = kernel.phases.map((p): Phase => ({ body: p.body.map(statement), after: p.after.map(statement) }));
  return { ...kernel, phases };
}
