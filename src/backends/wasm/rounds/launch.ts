import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { DotKernel, Kernel, NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import { forPoints } from "../../../kernel-ir/points.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { planDot } from "../dot/plan.js";
import { schedule } from "../nest/schedule.js";
import { splitAxes } from "../nest/split.js";
import { survey, type Survey } from "../nest/survey.js";
import { BLOCK } from "../nest/accumulators.js";
import { type Place, readAt, writeAt } from "./cells.js";
import { decline, type Elements } from "./elements.js";

/** Operations that may be done one element after another that vectors would do together. */
const UNROLLED = 96;

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** Follows a launch: what its kernel writes, element by element, in the order and with the roundings of the kernel's own code. */
export function followLaunch(kernel: Kernel, args: readonly Place[], make: Elements): void {
  switch (kernel.kind) {
    case "nest":
      new NestFollower(kernel, args, make).run();
      return;
    case "dot":
      followDot(kernel, args, make);
      return;
    case "sort":
      decline("it sorts");
  }
}

/** A product of the smallest kind: sums from 0 on, in order, nothing fused. */
function followDot(kernel: DotKernel, args: readonly Place[], make: Elements): void {
  const { type, batch, m, n, k, lhs, rhs, out } = kernel;
  if (planDot(kernel).routine !== "small" || kernel.epilogue || lhs.digits || rhs.digits) decline("a product is large");
  if (product(batch) * m * n * k > UNROLLED) decline("a product is large");
  const place = (l: typeof lhs, b: readonly number[], row: number, col: number): Index =>
    ix.lit(l.offset + b.reduce((sum, x, axis) => sum + x * l.batch[axis]!, 0) + row * l.row + col * l.col);
  const b: number[] = [];
  forPoints(batch, b, 0, () => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = make.constant(type, 0);
        for (let p = 0; p < k; p++) {
          const x = readAt(args[0]!, type, place(lhs, b, i, p), make);
          const y = readAt(args[1]!, type, place(rhs, b, p, j), make);
          sum = make.op("add", [sum, make.op("mul", [x, y])]);
        }
        writeAt(args[2]!, place(out, b, i, j), sum);
      }
    }
  });
}

class NestFollower {
  private readonly found: Survey;
  private readonly slots: Expr[] = [];
  private keeps: Expr[][] = [];
  private readonly point: number[] = [];
  /** Values of expressions at the point that are still good. */
  private memo = new Map<Expr, Expr>();
  private readonly orders = new Map<Statement, readonly Expr[]>();
  /** Of the points of the reduced axes. */
  private reducedAt = 0;

  constructor(
    private readonly kernel: NestKernel,
    private readonly args: readonly Place[],
    private readonly make: Elements,
  ) {
    this.found = survey(kernel);
  }

  run(): void {
    const { kernel } = this;
    this.checkSize();
    this.checkSums();
    forPoints(kernel.parallel, this.point, 0, () => this.row());
  }

  private checkSize(): void {
    const { kernel, found } = this;
    const points = product(kernel.parallel);
    const lanes = found.wide ? 2 : 4;
    const ops = found.exprs.filter((e) => e.kind === "op").length;
    if ((points - Math.ceil(points / lanes)) * ops * product(kernel.reduced) > UNROLLED)
      decline(`${kernel.name} computes many elements`);
  }

  /** Sums and products of floats are done in the order of the kernel's own code only where that is no vectors'. */
  private checkSums(): void {
    const { kernel } = this;
    if (product(kernel.reduced) > BLOCK) decline(`${kernel.name} has long sums`);
    const rounded = kernel.slots.some(
      (s) => (s.type === "f32" || s.type === "f64") && (s.combine === "add" || s.combine === "mul"),
    );
    if (!rounded) return;
    const split = splitAxes(kernel);
    if (kernel.reduced.filter((n) => n > 1).length > 1 || schedule(split.kernel, split.found, false).mode !== "scalar")
      decline(`${kernel.name} sums in vectors`);
  }

  private row(): void {
    const { kernel } = this;
    this.keeps = kernel.keeps.map(() => []);
    for (const phase of kernel.phases) {
      this.memo = new Map();
      for (const s of phase.body) {
        if (s.kind !== "accumulate") continue;
        const { type, initial } = kernel.slots[s.slot]!;
        this.slots[s.slot] = this.make.constant(type, initial);
      }
      forPoints(kernel.reduced, this.point, kernel.parallel.length, (flat) => {
        this.reducedAt = flat;
        this.memo = new Map();
        this.statements(phase.body);
      });
      this.memo = new Map();
      this.statements(phase.after);
    }
  }

  private statements(list: readonly Statement[]): void {
    const { kernel, make } = this;
    // Stores wait until all values are computed, but for those of sequential nests.
    const waiting: (() => void)[] = [];
    for (const s of list) {
      const value = this.value(s);
      switch (s.kind) {
        case "store": {
          const at = this.index(s.index);
          const write = (): void => writeAt(this.args[s.buffer]!, at, this.stored(s.buffer, value));
          if (!kernel.sequential) waiting.push(write);
          else {
            write();
            this.memo = new Map();
          }
          break;
        }
        case "update": {
          const place = this.args[s.buffer]!;
          const at = this.index(s.index);
          const { type } = kernel.buffers[s.buffer]!;
          const combined = s.combine ? make.op(s.combine, [readAt(place, type, at, make), value]) : value;
          const when = s.when && this.memo.get(s.when)!;
          writeAt(place, at, when ? make.select(when, combined, readAt(place, type, at, make)) : combined);
          this.memo = new Map();
          break;
        }
        case "keep":
          this.keeps[s.keep]![this.reducedAt] = value;
          break;
        case "accumulate": {
          const { combine } = kernel.slots[s.slot]!;
          this.slots[s.slot] = make.op(combine, [this.slots[s.slot]!, value]);
        }
      }
    }
    for (const write of waiting) write();
  }

  /** A value as its buffer holds it. */
  private stored(buffer: number, value: Expr): Expr {
    return this.make.as(this.kernel.buffers[buffer]!.type, value);
  }

  /** The value of a statement; what else it needs is left in the memo. */
  private value(s: Statement): Expr {
    for (const e of this.order(s)) if (!this.memo.has(e)) this.memo.set(e, this.compute(e));
    return this.memo.get(s.value)!;
  }

  /** What a statement is made of, operands first. */
  private order(s: Statement): readonly Expr[] {
    let order = this.orders.get(s);
    if (!order) {
      const single: NestKernel = { ...this.kernel, phases: [{ body: [s], after: [] }] };
      this.orders.set(s, (order = survey(single).exprs));
    }
    return order;
  }

  private index(i: Index): Index {
    return this.make.index(
      i,
      (axis) => this.point[axis]!,
      (e) => this.memo.get(e)!,
    );
  }

  private compute(e: Expr): Expr {
    const { make } = this;
    make.step();
    switch (e.kind) {
      case "const":
        return make.constant(e.type, e.value);
      case "index":
        return make.indexValue(this.index(e.index));
      case "load":
        return make.as(
          e.type,
          readAt(this.args[e.buffer]!, this.kernel.buffers[e.buffer]!.type, this.index(e.index), make),
        );
      case "slot":
        return this.slots[e.slot]!;
      case "keep":
        return this.keeps[e.keep]![this.reducedAt]!;
      case "op":
        return make.opLike(
          e,
          e.args.map((a) => this.memo.get(a)!),
        );
    }
  }
}
