import type { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access, Fours } from "./access.js";
import type { Digit } from "../../../kernel-ir/kernel.js";
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
  const { row, col, digits } = p.a;
  const axes = digits ? byDigits(digits.rows, digits.cols) : byStrides(row, col);
  return operand(module, p.a, access.a, strides, { extent: p.m, ...axes });
}

export function operandB(module: ModuleBuilder, p: Problem, access: Access): Operand {
  const strides = p.batch.map((axis) => axis.b);
  const { row, col, digits } = p.b;
  const axes = digits ? byDigits(digits.cols, digits.rows) : byStrides(col, row);
  return operand(module, p.b, access.b, strides, { extent: p.n, ...axes });
}

type Term = readonly [text: string, factor: number];
interface Axes extends Pick<Operand, "keptStride" | "summedStride"> {
  /** What the coordinates add to an element's place. */
  readonly terms: (kept: string, summed: string) => readonly Term[];
}

const byStrides = (keptStride: number, summedStride: number): Axes => ({
  keptStride,
  summedStride,
  terms: (kept, summed) => [
    [kept, keptStride],
    [summed, summedStride],
  ],
});

/** The strides are those of the last digits: what neighbours are apart, mostly. */
const byDigits = (kept: readonly Digit[], summed: readonly Digit[]): Axes => ({
  keptStride: kept.at(-1)?.stride ?? 0,
  summedStride: summed.at(-1)?.stride ?? 0,
  terms: (k, s) => [...digitTerms(k, kept), ...digitTerms(s, summed)],
});

function digitTerms(text: string, digits: readonly Digit[]): Term[] {
  let rest = text;
  const terms: Term[] = [];
  for (let d = digits.length - 1; d >= 0; d--) {
    const { size, stride } = digits[d]!;
    terms.push([d === 0 ? rest : remainder(rest, size), stride]);
    rest = quotient(rest, size);
  }
  return terms;
}

function operand(
  module: ModuleBuilder,
  { buffer, offset }: Matrix,
  fours: Fours,
  strides: readonly number[],
  { terms, ...axes }: Axes & Pick<Operand, "extent">,
): Operand {
  const { keptStride, summedStride } = axes;
  if (fours !== "none") module.inFours(buffer);
  return {
    ...axes,
    fours,
    one: (batch, kept, summed) =>
      module.load(
        buffer,
        affine(offset, ...batch.map((z, axis) => [z, strides[axis]!] as const), ...terms(kept, summed)),
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
