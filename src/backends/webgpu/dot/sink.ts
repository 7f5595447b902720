import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { Outputs, type Place } from "./outputs.js";
import { batchOf } from "./plan.js";
import type { Problem } from "./problem.js";
import { affine, unflatten } from "./text.js";

/** The body of a dispatch's `main`, and what it counts. */
export interface Emitted {
  readonly body: Code;
  readonly groups: number;
  readonly threads: number;
  readonly flops: number;
  /** Elements read from storage. */
  readonly loads: number;
}

/** Where sums are: which part of the summed axis they are of, and which results they belong to. */
export interface SumPlace {
  readonly split: string;
  /** Number of the batch element. */
  readonly flat: string;
  readonly place: Place;
}

/** The order of sums in scratch memory: the axis that runs fastest, and whether they lie in fours along it. */
export interface Order {
  readonly fastest: "i" | "j";
  readonly fours: boolean;
}

export function scratchOrder(p: Problem, fastest: "i" | "j", width: 1 | 4): Order {
  return { fastest, fours: width === 4 && (fastest === "i" ? p.m : p.n) % 4 === 0 };
}

/** Takes finished sums: to the stores of the problem, or to scratch memory where they are of a part of the summed axis. */
export class Sink {
  private readonly outputs: Outputs | undefined;

  constructor(
    private readonly module: ModuleBuilder,
    private readonly problem: Problem,
    access: Access,
    splits: number,
    private readonly order: Order,
  ) {
    this.outputs = splits === 1 ? new Outputs(module, problem, access) : undefined;
  }

  one(code: Code, at: SumPlace, sum: string): void {
    if (this.outputs) this.outputs.one(code, at.place, sum);
    else code.line(`${this.scratch()}[${this.index(at)}] = ${sum};`);
  }

  /** The sums of a vector (a name), along `axis`; the first of them is a result. */
  four(code: Code, axis: "i" | "j", at: SumPlace, sums: string): void {
    const { m, n } = this.problem;
    const extent = axis === "i" ? m : n;
    const limit = extent % 4 === 0 ? undefined : extent;
    if (this.outputs) this.outputs.four(code, axis, at.place, sums, limit);
    else if (this.order.fours && axis === this.order.fastest)
      code.line(`${this.scratch()}[${this.index(at)} >> 2u] = ${sums};`);
    else
      code.block("for (var e = 0; e < 4; e++)", () => {
        code.line(`let at = ${affine(0, [at.place[axis], 1])} + e;`);
        const store = (): void => this.one(code, { ...at, place: { ...at.place, [axis]: "at" } }, `${sums}[e]`);
        if (limit === undefined) store();
        else code.block(`if (at < ${limit})`, store);
      });
  }

  private scratch(): string {
    return this.module.scratch(0, this.order.fours ? "vec4f" : "f32", "read_write");
  }

  private index({ split, flat, place: { i, j } }: SumPlace): string {
    const { problem: p, order } = this;
    const all = p.m * p.n;
    return affine(
      0,
      [split, batchOf(p) * all],
      [flat, all],
      [i, order.fastest === "i" ? 1 : p.n],
      [j, order.fastest === "i" ? p.m : 1],
    );
  }
}

/** Adds up the sums of the parts, in their order, and stores what becomes of them. */
export function emitCombine(
  module: ModuleBuilder,
  p: Problem,
  access: Access,
  splits: number,
  { fastest, fours }: Order,
): Emitted {
  const count = (batchOf(p) * p.m * p.n) / (fours ? 4 : 1);
  const from = module.scratch(0, fours ? "vec4f" : "f32", "read");
  const outputs = new Outputs(module, p, access);
  const code = new Code();
  code.block(`if (id < ${count})`, () => {
    code.line(`var sum = ${from}[id];`);
    code.line(`for (var s = 1; s < ${splits}; s++) { sum += ${from}[s * ${count} + id]; }`);
    const extent = (axis: "i" | "j"): number => (axis === "i" ? p.m : p.n) / (fours && axis === fastest ? 4 : 1);
    const [slow, fast] = fastest === "i" ? (["j", "i"] as const) : (["i", "j"] as const);
    const names = unflatten(code, "id", [
      ...p.batch.map(({ size }, axis) => [`z${axis}`, size] as const),
      [`${slow}0`, extent(slow)],
      [`${fast}0`, extent(fast)],
    ]);
    const coordinates = { [slow]: names.at(-2)!, [fast]: affine(0, [names.at(-1)!, fours ? 4 : 1]) };
    const place: Place = { batch: names.slice(0, -2), i: coordinates["i"]!, j: coordinates["j"]! };
    if (fours) outputs.four(code, fastest, place, "sum", undefined);
    else outputs.one(code, place, "sum");
  });
  return {
    body: code,
    groups: Math.ceil(count / 64),
    threads: 64,
    flops: (splits - 1) * count * (fours ? 4 : 1),
    loads: splits * count * (fours ? 4 : 1),
  };
}
