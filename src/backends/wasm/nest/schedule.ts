import { indexDependsOn, type Index } from "../../../kernel-ir/index-expr.js";
import { isExtreme } from "./extremes.js";
import type { NestKernel } from "../../../kernel-ir/kernel.js";
import { coefficientOf, type MergedAxis, mergeAxes } from "../../../kernel-ir/merge-axes.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import type { VectorMode } from "./nodes.js";
import { type Survey, statementsOf } from "./survey.js";

/** The order of the loops and what runs across lanes. */
export interface Schedule {
  readonly mode: VectorMode;
  /** In the order of the loops; −1: none. */
  readonly vectorAxis: number;
  readonly lanes: 2 | 4;
  /** Vectors of rows at a time (mode "parallel"), where nothing branches. */
  readonly copies: number;
  /** Whether no access along the vector axis needs more than one address a vector. */
  readonly even: boolean;
  /** Columns of a tile; 0: rows are walked whole. */
  readonly tile: number;
  /** MergedAxis axes in loop order, parallel ones first. */
  readonly extents: readonly number[];
  readonly parallel: number;
  /** By axis of the kernel: its merged axis, or −1 where a merged neighbour (or an extent of 1) stands for it. */
  readonly place: readonly number[];
}

export function schedule(kernel: NestKernel, found: Survey, generic: boolean): Schedule {
  const extents = [...kernel.parallel, ...kernel.reduced];
  const count = kernel.parallel.length;
  const inOrder = kernel.sequential || kernel.slots.some((s) => s.running);
  const live = (from: number, to: number): number[] => {
    const out: number[] = [];
    for (let k = from; k < to; k++) if (extents[k] !== 1) out.push(k);
    return out;
  };
  const stores = found.touches.filter((t) => t.write);
  const outer = live(0, count);
  const inner = live(count, extents.length);
  const parallel = mergeAxes(kernel.sequential ? outer : byStride(outer, stores), extents, found.indices);
  const reads = found.touches.filter((t) => inner.some((k) => coefficientOf(t.index, k) !== 0));
  const reduced = mergeAxes(
    inOrder ? inner : byStride(inner, reads.length > 0 ? reads : stores),
    extents,
    found.indices,
  );

  const lanes = found.wide ? 2 : 4;
  const weigh = new Scale(kernel, found, lanes, generic);
  let best: { mode: VectorMode; axis: MergedAxis | null; cost: number } = {
    mode: "scalar",
    axis: null,
    cost: weigh.scalar(),
  };
  for (const axis of parallel) {
    if ((axis.extent < lanes && !generic) || !lanesMayBeParallel(kernel, found, axis, parallel)) continue;
    // the innermost axis wins ties
    const cost = weigh.vector(axis) * (axis === parallel[parallel.length - 1] ? 1 : 1.01);
    if (cost < best.cost) best = { mode: "parallel", axis, cost };
  }
  if (lanesMayBeReduced(kernel)) {
    for (const axis of reduced) {
      if (axis.extent < lanes) continue;
      const cost = (weigh.vector(axis) + weigh.horizontal(axis)) * (axis === reduced[reduced.length - 1] ? 1 : 1.01);
      if (cost < best.cost) best = { mode: "reduced", axis, cost };
    }
  }
  const { mode, axis } = best;
  const along =
    mode === "parallel" && axis && reduced.length === 0 && !kernel.sequential
      ? tiledWith(axis, parallel, found, generic)
      : null;
  const order = [...toLast(toLast(parallel, along), axis), ...toLast(reduced, axis)];
  const place = extents.map(() => -1);
  order.forEach((axis, k) => (place[axis.last] = k));
  return {
    mode,
    vectorAxis: axis ? order.indexOf(axis) : -1,
    lanes,
    copies: mode === "parallel" ? weigh.copies(axis!, reduced.length > 0) : 1,
    even: axis !== null && weigh.isEven(axis),
    tile: along ? TILE : 0,
    extents: order.map((axis) => axis.extent),
    parallel: parallel.length,
    place,
  };
}

function toLast(axes: readonly MergedAxis[], chosen: MergedAxis | null): readonly MergedAxis[] {
  if (!chosen || !axes.includes(chosen)) return axes;
  return [...axes.filter((a) => a !== chosen), chosen];
}

/** Columns that are done for many rows before the next ones: what lies across them stays in the cache. */
const TILE = 32;

/**
 * The axis along which an access is contiguous while the vector axis strides through it: consecutive rows then share its
 * cache lines, if they are walked in tiles.
 */
function tiledWith(
  vector: MergedAxis,
  parallel: readonly MergedAxis[],
  found: Survey,
  generic: boolean,
): MergedAxis | null {
  if (!generic && parallel.reduce((n, a) => n * a.extent, 1) < 16384) return null;
  for (const { index } of found.touches) {
    if (Math.abs(coefficientOf(index, vector.last)) <= 1) continue;
    const other = parallel.find((a) => a !== vector && Math.abs(coefficientOf(index, a.last)) === 1);
    if (other) return other;
  }
  return null;
}

const hides = (index: Index, axis: number): boolean =>
  index.terms.some(({ atom }) =>
    atom.kind === "axis" ? false : indexDependsOn({ ...index, terms: [{ coeff: 1, atom }] }, axis),
  );

/** Axes from the longest stride of the first access that moves along all of them to the shortest. */
function byStride(axes: readonly number[], touches: readonly { readonly index: Index }[]): readonly number[] {
  const leader = touches.find((t) => axes.every((k) => coefficientOf(t.index, k) !== 0));
  if (!leader) return axes;
  return [...axes].sort(
    (a, b) => Math.abs(coefficientOf(leader.index, b)) - Math.abs(coefficientOf(leader.index, a)) || a - b,
  );
}

/** Rows of a sequential nest may share a vector where they touch what is written only at one index, each its own element. */
function lanesMayBeParallel(
  kernel: NestKernel,
  found: Survey,
  axis: MergedAxis,
  parallel: readonly MergedAxis[],
): boolean {
  for (const s of statementsOf(kernel)) {
    if (s.kind === "update" && s.when && exprDepends(s.when, axis.last)) return false;
  }
  if (!kernel.sequential) return true;
  if (axis !== parallel[parallel.length - 1]) return false;
  for (const buffer of found.written) {
    const keys = new Set<string>();
    for (const t of found.touches) {
      if (t.buffer !== buffer) continue;
      keys.add(t.index.key);
      if (coefficientOf(t.index, axis.last) === 0 || hides(t.index, axis.last)) return false;
    }
    if (keys.size > 1) return false;
  }
  return true;
}

function lanesMayBeReduced(kernel: NestKernel): boolean {
  if (kernel.slots.some((s) => s.running)) return false;
  return (
    !kernel.sequential || kernel.phases.every((p) => p.body.every((s) => s.kind === "accumulate" || s.kind === "keep"))
  );
}

function exprDepends(e: Expr, axis: number): boolean {
  const seen = new Set<Expr>();
  const stack = [e];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (seen.has(x)) continue;
    seen.add(x);
    if (x.kind === "slot" || x.kind === "keep") return true;
    if ((x.kind === "load" || x.kind === "index") && indexDependsOn(x.index, axis)) return true;
    if (x.kind === "op") stack.push(...x.args);
  }
  return false;
}

/**
 * How many vectors the operations of a body are done on at a time.
 *
 * Most operations wait for the one before, and a processor does not look far ahead: it is busy with several vectors at a
 * time, unless one has many independent operations by itself, which then fill the registers. `depth`: of the longest chain.
 */
export function vectorsAtOnce(operations: number, depth: number): number {
  if (operations <= 16) return 4;
  // operations of one vector that wait for nothing at a time, on the average
  const width = operations / depth;
  if (width > 3 || operations > LARGE) return operations <= 32 ? 2 : 1;
  return width > 2.2 || operations > LARGE / 2 ? 2 : 4;
}

/** Operations from which code that is twice as long costs more than it gains. */
const LARGE = 440;

/** Operations of the longest chain. `exprs`: operands before what is made of them. */
function depthOf(exprs: readonly Expr[]): number {
  const depths = new Map<Expr, number>();
  let deepest = 0;
  for (const e of exprs) {
    if (e.kind !== "op") continue;
    let depth = 0;
    for (const a of e.args) depth = Math.max(depth, depths.get(a) ?? 0);
    depths.set(e, depth + 1);
    deepest = Math.max(deepest, depth + 1);
  }
  return deepest;
}

/** Estimates the work of a point, in vector instructions. */
class Scale {
  private readonly ops: number;
  private readonly laneOps: number;
  private readonly depth: number;
  private readonly accumulates: number;

  constructor(
    private readonly kernel: NestKernel,
    private readonly found: Survey,
    private readonly lanes: number,
    private readonly generic: boolean,
  ) {
    let ops = 0;
    let laneOps = 0;
    for (const e of found.exprs) {
      if (e.kind !== "op") continue;
      ops++;
      if (e.op === "div" || e.op === "rem") ops += e.type === "i32" || e.type === "u32" ? 12 : 0;
      if (e.op === "clz" || (isShift(e.op) && e.args[1]!.kind !== "const")) laneOps++;
    }
    this.ops = ops;
    this.laneOps = laneOps;
    this.depth = ops > LARGE * kernel.phases.length ? Infinity : depthOf(found.exprs);
    this.accumulates = statementsOf(kernel).filter((s) => s.kind === "accumulate").length;
  }

  /** One point after another. */
  scalar(): number {
    return this.ops + this.found.touches.length + 4 * this.accumulates + 0.5;
  }

  vector(axis: MergedAxis): number {
    let full = this.ops + this.accumulates + this.laneOps * 2 * this.lanes + 0.5;
    let single = full;
    for (const { index } of this.found.touches) {
      const stride = coefficientOf(index, axis.last);
      single += 1;
      if (hides(index, axis.last)) full += 3 * this.lanes;
      else if (stride === 0) full += 0.25;
      else if (stride === 1) full += 1;
      else if (stride === -1) full += 2;
      else full += this.lanes;
    }
    const n = this.extentOf(axis);
    const vectors = Math.floor(n / this.lanes);
    return (vectors * full + (n % this.lanes) * single) / Math.max(1, n);
  }

  /** Combining lanes at the end of a row. */
  horizontal(axis: MergedAxis): number {
    return (8 * this.accumulates) / Math.max(1, this.extentOf(axis));
  }

  isEven(axis: MergedAxis): boolean {
    return this.found.touches.every(({ index }) => {
      const stride = coefficientOf(index, axis.last);
      return (stride === 0 || stride === 1) && !hides(index, axis.last);
    });
  }

  /** Vectors of rows at a time. */
  copies(axis: MergedAxis, reduces: boolean): number {
    if (!this.isEven(axis)) return 1;
    const size = (this.ops + this.laneOps * 8 + this.found.touches.length) / Math.max(1, this.kernel.phases.length);
    let copies = reduces && size <= 4 ? 8 : vectorsAtOnce(size, this.depth);
    // An extreme has three accumulators: those of many vectors do not fit in the registers, which long walks down columns
    // gain back from the cache lines they use whole.
    const isShort = !this.generic && this.kernel.reduced.reduce((n, extent) => n * extent, 1) < 64;
    if (isShort && this.kernel.slots.some(isExtreme)) copies = Math.min(copies, 4);
    if (this.kernel.keeps.length > 0) copies = Math.min(copies, 2);
    if (!this.generic) while (copies > 1 && copies * this.lanes > axis.extent) copies /= 2;
    return copies;
  }

  /** Generic kernels do not look at sizes. */
  private extentOf(axis: MergedAxis): number {
    return this.generic ? 1 << 20 : axis.extent;
  }
}

const isShift = (op: string): boolean => op === "shl" || op === "shrA" || op === "shrL";
