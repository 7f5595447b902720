import type { NestKernel, Slot, Statement } from "../../../kernel-ir/kernel.js";
import { identity } from "../../../kernel-ir/combine.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { relaxedSimd } from "../engine.js";
import { BLOCK } from "../nest/accumulators.js";
import { lowerNest } from "../nest/lower.js";
import { decline, type Elements } from "./elements.js";

/**
 * The order in which the code of a nest sums along its reduced axis, and what it fuses (accumulators.ts, phases.ts): sums of
 * floats are done in the same one, so that they have the same bits.
 */
export interface SumOrder {
  /** By phase: partial sums, `copies` vectors of `lanes`; null where each point is added to the sum itself. */
  readonly parts: readonly ({ readonly copies: number; readonly lanes: number } | null)[];
  /** Sums of products whose steps are multiply-adds. */
  readonly fused: ReadonlySet<Statement>;
}

const inOrder = { parts: [], fused: new Set<Statement>() };

export function sumOrder(kernel: NestKernel): SumOrder {
  const points = kernel.reduced.reduce((a, b) => a * b, 1);
  if (points > BLOCK) decline(`${kernel.name} has long sums`);
  const rounds = ({ type, combine }: Slot): boolean =>
    (type === "f32" || type === "f64") && (combine === "add" || combine === "mul");
  if (!kernel.slots.some(rounds)) return inOrder;
  const { nest } = lowerNest(kernel, false);
  const axes = Math.max(nest.axes.length - nest.parallel, kernel.reduced.filter((n) => n > 1).length);
  if (axes > 1) decline(`${kernel.name} sums along several axes`);
  if (nest.mode === "scalar") return inOrder;
  const vectorBit = 2 ** (nest.mode === "parallel" ? nest.parallel - 1 : nest.axes.length - 1);
  const fused = new Set<Statement>();
  nest.phases.forEach(({ body }, k) =>
    body.forEach((s, i) => {
      if (s.kind !== "accumulate" || !relaxedSimd()) return;
      const { value } = s;
      const isProduct = value.kind === "op" && value.op === "mul" && value.uses === 1 && (value.deps & vectorBit) !== 0;
      if (isProduct && rounds(nest.slots[s.slot]!) && nest.slots[s.slot]!.combine === "add")
        fused.add(kernel.phases[k]!.body[i]!);
    }),
  );
  const { lanes } = nest;
  return { parts: nest.phases.map(({ copies }) => (nest.mode === "reduced" ? { copies, lanes } : null)), fused };
}

/** A slot of a phase while its points are walked. */
export class Sum {
  private readonly parts: Expr[];

  constructor(
    private readonly slot: Slot,
    private readonly shape: { readonly copies: number; readonly lanes: number } | null,
    /** Points of the reduced axis. */
    private readonly points: number,
    private readonly make: Elements,
  ) {
    const { type, combine, initial } = slot;
    this.parts = shape
      ? Array.from({ length: shape.copies * shape.lanes }, () => make.constant(type, identity(combine, type)))
      : [make.constant(type, initial)];
  }

  /** Combines the value of a point in. `product`: the factors, of a value that is a fused product. */
  add(point: number, value: Expr, product: readonly [Expr, Expr] | null): void {
    const { slot, parts, make, points, shape } = this;
    const { copies, lanes } = shape ?? { copies: 1, lanes: 1 };
    // steps of all copies, of single vectors, of single points
    const step = copies * lanes;
    const whole = points - (points % step);
    const padded = shape !== null && point >= points - (points % lanes);
    const part = !shape || padded ? 0 : point < whole ? point % step : (point - whole) % lanes;
    const sum = parts[part]!;
    parts[part] = product && !padded ? make.op("fma", [...product, sum]) : make.op(slot.combine, [sum, value]);
  }

  /** What it is in the middle of the walk: of slots that run. */
  get now(): Expr {
    return this.parts[0]!;
  }

  finish(): Expr {
    const { slot, parts, make, shape } = this;
    if (!shape) return parts[0]!;
    const { type, combine, initial } = slot;
    const { copies, lanes } = shape;
    for (let n = copies; n > 1; n = Math.ceil(n / 2)) fold(parts, n * lanes, Math.ceil(n / 2) * lanes, combine, make);
    for (let n: number = lanes; n > 1; n /= 2) fold(parts, n, n / 2, combine, make);
    const sum = parts[0]!;
    return Object.is(initial, identity(combine, type)) ? sum : make.op(combine, [sum, make.constant(type, initial)]);
  }
}

/** Combines the first parts with those that lie `half` behind them. */
function fold(parts: Expr[], count: number, half: number, combine: Slot["combine"], make: Elements): void {
  for (let k = 0; k + half < count; k++) parts[k] = make.op(combine, [parts[k]!, parts[k + half]!]);
}
