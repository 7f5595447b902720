import type { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access, Fours } from "./access.js";
import type { Matrix, Problem } from "./problem.js";

/** Σ text·factor + base, as an operand of anything; terms that are "0" or taken 0 times are left out. */
export function affine(base: number, ...terms: readonly (readonly [text: string, factor: number])[]): string {
  const parts = terms
    .filter(([text, factor]) => factor !== 0 && text !== "0")
    .map(([text, factor]) => (factor === 1 ? text : `${text} * ${factor}`));
  if (base !== 0 || parts.length === 0) parts.push(String(base));
  return parts.length === 1 && !parts[0]!.includes(" ") ? parts[0]! : `(${parts.join(" + ")})`;
}

const isPowerOf2 = (x: number): boolean => Number.isInteger(Math.log2(x));

/** x / d of what is not negative. */
export function quotient(x: string, d: number): string {
  if (x === "0" || d === 1) return x;
  return isPowerOf2(d) ? `(${x} >> ${Math.log2(d)}u)` : `(${x} / ${d})`;
}
/** x mod d of what is not negative. */
export function remainder(x: string, d: number): string {
  if (x === "0" || d === 1) return "0";
  return isPowerOf2(d) ? `(${x} & ${d - 1})` : `(${x} % ${d})`;
}

/** Takes a flat number apart, last extent fastest; gives names, or "0" for extents of 1. */
export function unflatten(
  code: Code,
  flat: string,
  extents: readonly (readonly [name: string, extent: number])[],
): string[] {
  const out: string[] = [];
  let rest = flat;
  for (let at = extents.length - 1; at >= 0; at--) {
    const [name, extent] = extents[at]!;
    const isLast = extents.slice(0, at).every(([, other]) => other === 1);
    if (extent === 1) out.unshift("0");
    else {
      code.line(`let ${name} = ${isLast ? rest : remainder(rest, extent)};`);
      out.unshift(name);
      if (!isLast) rest = quotient(rest, extent);
    }
  }
  return out;
}

/** An operand of a product in a module. */
export interface Operand {
  readonly fours: Fours;
  /** Extent of the axis that stays in the result. */
  readonly extent: number;
  readonly keptStride: number;
  readonly summedStride: number;
  /** Element at these coordinates. */
  one(batch: readonly string[], kept: string, summed: string): string;
  /** Four elements along the axis that `fours` names; that coordinate is in fours. */
  four(batch: readonly string[], kept: string, summed: string): string;
}

export function operandA(module: ModuleBuilder, p: Problem, access: Access): Operand {
  const strides = p.batch.map((axis) => axis.a);
  return operand(module, p.a, access.a, strides, { extent: p.m, keptStride: p.a.row, summedStride: p.a.col });
}

export function operandB(module: ModuleBuilder, p: Problem, access: Access): Operand {
  const strides = p.batch.map((axis) => axis.b);
  return operand(module, p.b, access.b, strides, { extent: p.n, keptStride: p.b.col, summedStride: p.b.row });
}

function operand(
  module: ModuleBuilder,
  { buffer, offset }: Matrix,
  fours: Fours,
  strides: readonly number[],
  axes: Pick<Operand, "extent" | "keptStride" | "summedStride">,
): Operand {
  const { keptStride, summedStride } = axes;
  if (fours !== "none") module.inFours(buffer);
  return {
    ...axes,
    fours,
    one: (batch, kept, summed) =>
      module.load(
        buffer,
        affine(
          offset,
          ...batch.map((z, axis) => [z, strides[axis]!] as const),
          [kept, keptStride],
          [summed, summedStride],
        ),
      ),
    four: (batch, kept, summed) =>
      module.load4(
        buffer,
        affine(
          offset / 4,
          ...batch.map((z, axis) => [z, strides[axis]! / 4] as const),
          [kept, fours === "kept" ? 1 : keptStride / 4],
          [summed, fours === "summed" ? 1 : summedStride / 4],
        ),
      ),
  };
}
