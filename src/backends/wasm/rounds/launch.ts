import { invariant } from "../../../core/errors.js";
import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { DotKernel, Kernel, NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import { forPoints } from "../../../kernel-ir/points.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { planDot } from "../dot/plan.js";
import { survey, type Survey } from "../nest/survey.js";
import { type Place, readAt, writeAt } from "./cells.js";
import { decline, type Elements } from "./elements.js";
import { Sum, type SumOrder, sumOrder } from "./sums.js";

/** Operations that may be done one element after another that vectors would do together. */
const UNROLLED = 40;
/** How many operations one is worth, of those that take long. */
const weightOf = (e: Expr): number =>
  e.kind !== "op" ? 0 : e.op === "div" || e.op === "sqrt" || e.op === "rem" ? 10 : 1;
/** Multiply-adds of a product. */
const MOST_PRODUCTS = 128;

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
  if (product(batch) * m * n * k > MOST_PRODUCTS) decline("a product is large");
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
        writeAt(args[2]!, place(out, b, i, j), sum, make);
      }
    }
  });
}

class NestFollower {
  private readonly found: Survey;
  private readonly order: SumOrder;
  private readonly slots: Expr[] = [];
  /** Of the phase. */
  private sums = new Map<number, Sum>();
  private keeps: Expr[][] = [];
  private readonly point: number[] = [];
  /** Values of expressions at the point that are still good. */
  private memo = new Map<Expr, Expr>();
  private readonly known = new Map<Statement, readonly Expr[]>();
  /** Of the points of the reduced axes. */
  private reducedAt = 0;

  constructor(
    private readonly kernel: NestKernel,
    private readonly args: readonly Place[],
    private readonly make: Elements,
  ) {
    this.found = survey(kernel);
    this.checkSize();
    this.order = sumOrder(kernel);
  }

  run(): void {
    forPoints(this.kernel.parallel, this.point, 0, () => this.row());
  }

  private checkSize(): void {
    const { kernel, found } = this;
    const points = product(kernel.parallel);
    const lanes = found.wide ? 2 : 4;
    const ops = found.exprs.reduce((sum, e) => sum + weightOf(e), 0);
    const inVectors = points - (points % lanes);
    if ((inVectors - inVectors / lanes) * ops * product(kernel.reduced) > UNROLLED)
      decline(`${kernel.name} computes many elements`);
  }

  private row(): void {
    const { kernel } = this;
    this.keeps = kernel.keeps.map(() => []);
    const points = product(kernel.reduced);
    kernel.phases.forEach((phase, k) => {
      this.sums = new Map();
      for (const s of phase.body) {
        if (s.kind === "accumulate")
          this.sums.set(s.slot, new Sum(kernel.slots[s.slot]!, this.order.parts[k] ?? null, points, this.make));
      }
      forPoints(kernel.reduced, this.point, kernel.parallel.length, (flat) => {
        this.reducedAt = flat;
        this.memo = new Map();
        this.statements(phase.body);
      });
      for (const [slot, sum] of this.sums) this.slots[slot] = sum.finish();
      this.memo = new Map();
      this.statements(phase.after);
    });
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
          const write = (): void => writeAt(this.args[s.buffer]!, at, this.stored(s.buffer, value), make);
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
          writeAt(place, at, when ? make.select(when, combined, readAt(place, type, at, make)) : combined, make);
          this.memo = new Map();
          break;
        }
        case "keep":
          this.keeps[s.keep]![this.reducedAt] = value;
          break;
        case "accumulate": {
          const sum = this.sums.get(s.slot)!;
          sum.add(this.reducedAt, value, this.order.fused.has(s) ? this.factors(s.value) : null);
          this.slots[s.slot] = sum.now;
        }
      }
    }
    for (const write of waiting) write();
  }

  /** A value as its buffer holds it. */
  private stored(buffer: number, value: Expr): Expr {
    return this.make.as(this.kernel.buffers[buffer]!.type, value);
  }

  private factors(e: Expr): readonly [Expr, Expr] {
    invariant(e.kind === "op" && e.op === "mul", "what is fused is a product");
    const [x, y] = e.args.map((a) => this.memo.get(a)!);
    return [x!, y!];
  }

  /** The value of a statement; what else it needs is left in the memo. */
  private value(s: Statement): Expr {
    for (const e of this.needs(s)) if (!this.memo.has(e)) this.memo.set(e, this.compute(e));
    return this.memo.get(s.value)!;
  }

  /** What a statement is made of, operands first. */
  private needs(s: Statement): readonly Expr[] {
    let needs = this.known.get(s);
    if (!needs) {
      const single: NestKernel = { ...this.kernel, phases: [{ body: [s], after: [] }] };
      this.known.set(s, (needs = survey(single).exprs));
    }
    return needs;
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
