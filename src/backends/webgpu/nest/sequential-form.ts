import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index, Term } from "../../../kernel-ir/index-expr.js";
import type { NestKernel } from "../../../kernel-ir/kernel.js";
import type { CombineOp, Expr } from "../../../kernel-ir/scalar.js";
import type { LaunchContext } from "../dispatch.js";
import { Settler } from "./sequential-settle.js";
import { exprsIn, forEachNode, Variance } from "./touches.js";

/**
 * A sequential nest that is one update of a buffer which nothing reads: for every point, in row-major order,
 * buffer[index] = combine(buffer[index], value) where `when` holds. A scatter.
 */
export interface ScatterForm {
  readonly kernel: NestKernel;
  readonly buffer: number;
  readonly index: Index;
  readonly value: Expr;
  readonly combine: CombineOp | null;
  readonly when: Expr | null;
  readonly extents: readonly number[];
  /**
   * Axes whose coordinate follows from the index: points that differ in one of them never meet in an element, and so need
   * no order between them. All axes, where no two points meet by promise.
   */
  readonly apart: readonly number[];
  /**
   * Those of them on which neither `when` nor what is loaded for the index depends: the points along them are updated by
   * one and the same decision, as the columns of an embedding's rows.
   */
  readonly columns: readonly number[];
}

/** The nest as a scatter; undefined where it is something else. */
export function scatterForm(kernel: NestKernel, ctx: LaunchContext): ScatterForm | undefined {
  const phase = kernel.phases[0];
  const update = phase?.body[0];
  if (kernel.phases.length !== 1 || phase!.body.length !== 1 || phase!.after.length > 0) return undefined;
  if (kernel.reduced.length > 0 || update?.kind !== "update") return undefined;
  const settler = new Settler();
  const index = settler.index(update.index);
  const value = settler.expr(update.value);
  const settled = update.when && settler.expr(update.when);
  const when = settled?.kind === "const" && settled.value !== 0 ? null : settled;
  let reads = false;
  forEachNode([value, ...exprsIn(index), ...(when ? [when] : [])], (e) => {
    if (e.kind === "load" && storage(ctx, e.buffer) === storage(ctx, update.buffer)) reads = true;
    if (e.kind === "slot" || e.kind === "keep") reads = true;
  });
  if (reads) return undefined;
  const extents = kernel.parallel;
  const axes = extents.map((_, k) => k).filter((k) => extents[k]! > 1);
  const told = axes.filter((k) => followsFrom(index, k));
  const apart = kernel.unique ? axes : told;
  const columns = told.filter((k) => {
    const variance = new Variance(
      (axis) => axis === k,
      () => true,
      () => true,
    );
    return !variance.hides(index) && (when === null || !variance.of(when));
  });
  return {
    kernel,
    buffer: update.buffer,
    index,
    value,
    combine: update.combine,
    when,
    extents,
    apart,
    columns,
  };
}

const storage = (ctx: LaunchContext, buffer: number): number => ctx.sameAs[buffer] ?? buffer;

/**
 * Whether an index tells the coordinate of an axis, as its digit in a mixed radix: what is below it stays below its stride,
 * and what is above comes in multiples of all that the axis spans. What is the same for all points (one offset that was
 * loaded) moves them together.
 */
function followsFrom(index: Index, axis: number): boolean {
  const own = index.terms.find(({ atom }) => atom.kind === "axis" && atom.axis === axis);
  if (own === undefined) return false;
  const stride = Math.abs(own.coeff);
  const span = stride * (own.atom.hi + 1);
  const variance = new Variance(
    () => true,
    () => true,
    () => true,
  );
  let below = 0;
  for (const { coeff, atom } of index.terms) {
    if (atom === own.atom || Math.abs(coeff) % span === 0 || !variance.ofIndex(asIndex(atom))) continue;
    below += Math.abs(coeff) * (atom.hi - atom.lo);
  }
  return below < stride;
}

/** Points of axes. */
export const pointsOf = (extents: readonly number[], axes: readonly number[]): number =>
  axes.reduce((n, k) => n * extents[k]!, 1);

/** The axes that are not among some, those of extent 1 left out. */
export const otherAxes = (extents: readonly number[], axes: readonly number[]): number[] =>
  extents.map((_, k) => k).filter((k) => extents[k]! > 1 && !axes.includes(k));

/** How a scatter decides where rows of columns go: by a number that is the same only for points that meet. */
export interface RowNumbers {
  /** From 0 to count − 1. */
  readonly number: Index;
  readonly count: number;
  /** The element of row number r at the columns: r · stride + offset + columns. */
  readonly stride: number;
  readonly columns: Index;
}

export function rowNumbers({ index, columns }: ScatterForm): RowNumbers {
  let row = ix.lit(index.base);
  let within = ix.lit(0);
  for (const { coeff, atom } of index.terms) {
    const term: Index = ix.scale(asIndex(atom), coeff);
    if (atom.kind === "axis" && columns.includes(atom.axis)) within = ix.add(within, term);
    else row = ix.add(row, term);
  }
  const stride = row.terms.reduce((g, t) => gcd(g, Math.abs(t.coeff)), 0) || 1;
  const first = row.lo;
  const number = ix.div(ix.addConst(row, -first), stride);
  return { number, count: number.hi + 1, stride, columns: ix.addConst(within, first) };
}

const asIndex = (atom: Term["atom"]): Index => ({
  base: 0,
  terms: [{ coeff: 1, atom }],
  lo: atom.lo,
  hi: atom.hi,
  key: `1*${atom.key}+0`,
});

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
