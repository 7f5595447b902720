import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { batchOf, ceilDiv, storesFours, type TreePlan } from "./plan.js";
import type { Problem } from "./problem.js";
import { type Emitted, type Order, scratchOrder, Sink } from "./sink.js";
import { affine, operandA, operandB, type Operand, quotient, remainder, unflatten } from "./text.js";

export const treeOrder = (p: Problem, plan: TreePlan): Order => scratchOrder(p, "j", storesFours(plan) ? 4 : 1);

/** The sums of a product by lanes that share the summed axis: what TreePlan says. */
export function emitTree(module: ModuleBuilder, p: Problem, access: Access, plan: TreePlan): Emitted {
  const shader = new TreeShader(module, p, access, plan);
  shader.emit();
  const { units, blocks } = shader;
  const { lanes, groups, threadRows, threadCols, splits } = plan;
  return {
    body: shader.code,
    groups: splits * blocks,
    threads: lanes * groups,
    flops: 2 * batchOf(p) * p.m * p.n * p.k,
    // Without lanes to wait for, nobody works on what is another's.
    loads: (lanes === 1 ? units : blocks * groups) * p.k * (threadRows + threadCols),
  };
}

/** A unit is the group of lanes, and what it computes: threadRows × threadCols results of one batch element. */
class TreeShader {
  readonly code = new Code();
  readonly units: number;
  readonly blocks: number;
  private readonly down: number;
  private readonly across: number;
  private readonly a: Operand;
  private readonly b: Operand;
  private readonly width: 1 | 4;
  private readonly sink: Sink;
  /** Of the sums that an invocation has, by rows. */
  private readonly names: readonly (readonly string[])[];
  private split = "";
  private block = "";
  private member = "";
  private lane = "";

  constructor(
    private readonly module: ModuleBuilder,
    private readonly p: Problem,
    access: Access,
    private readonly plan: TreePlan,
  ) {
    const { threadRows, threadCols, groups, splits } = plan;
    [this.down, this.across] = [ceilDiv(p.m, threadRows), ceilDiv(p.n, threadCols)];
    this.units = batchOf(p) * this.down * this.across;
    this.blocks = ceilDiv(this.units, groups);
    [this.a, this.b] = [operandA(module, p, access), operandB(module, p, access)];
    this.width = this.a.fours === "summed" ? 4 : 1;
    this.sink = new Sink(module, p, access, splits, treeOrder(p, plan));
    this.names = Array.from({ length: threadRows }, (_, r) =>
      Array.from({ length: threadCols }, (_, c) => `s${r}_${c}`),
    );
  }

  emit(): void {
    const { code, plan, units } = this;
    [this.split, this.block] = unflatten(code, "group", [
      ["split", plan.splits],
      ["block", this.blocks],
    ]) as [string, string];
    [this.member, this.lane] = unflatten(code, "lid", [
      ["member", plan.groups],
      ["lane", plan.lanes],
    ]) as [string, string];
    const own = affine(0, [this.block, plan.groups], [this.member, 1]);
    const isFull = units % plan.groups === 0;
    if (plan.lanes === 1) {
      const all = (): void => {
        this.walk(own);
        this.storeOwn(own);
      };
      if (isFull) all();
      else code.block(`if (${own} < ${units})`, all);
      return;
    }
    // Lanes without a result of their own work on the last one, so that all meet at the barriers.
    this.walk(isFull ? own : `min(${own}, ${units - 1})`);
    this.addUp(isFull);
  }

  private decode(unit: string): { flat: string; batch: string[]; row: string; col: string } {
    const { code, p } = this;
    const [flat, row, col] = unflatten(code, unit, [
      ["flat", batchOf(p)],
      ["row", this.down],
      ["col", this.across],
    ]) as [string, string, string];
    const axes = p.batch.map(({ size }, axis) => [`z${axis}`, size] as const);
    return { flat, batch: unflatten(code, flat, axes), row, col };
  }

  /** This lane's part of the sums of a unit. */
  private walk(unitText: string): void {
    const { code, p, plan, width, split } = this;
    const { splits, kPerSplit, unroll } = plan;
    for (const name of this.names.flat()) code.line(`var ${name} = ${width === 4 ? "vec4f()" : "0.0f"};`);
    if (p.k === 0) return;
    code.block("", () => {
      code.line(`let unit = ${unitText};`);
      const unit = this.decode("unit");
      if (splits > 1) code.line(`let end = min(${affine(kPerSplit, [split, kPerSplit])}, ${p.k});`);
      const end = splits > 1 ? "end" : String(p.k);
      const stride = plan.lanes * width;
      code.line(`var k = ${affine(0, [split, kPerSplit], [this.lane, width])};`);
      if (unroll > 1)
        code.block(`for (; k + ${(unroll - 1) * stride} < ${end}; k += ${unroll * stride})`, () =>
          this.steps(unit, unroll),
        );
      code.block(`for (; k < ${end}; k += ${stride})`, () => this.steps(unit, 1));
    });
  }

  /** Steps along k: all loads first. */
  private steps({ batch, row, col }: ReturnType<TreeShader["decode"]>, count: number): void {
    const { code, p, plan, a, b, width } = this;
    const { lanes, threadRows, threadCols } = plan;
    const four = (u: number): string => affine(u * lanes, ["(k >> 2u)", 1]);
    const one = (u: number, at = 0): string => affine(u * lanes * width + at, ["k", 1]);
    for (let u = 0; u < count; u++)
      for (let r = 0; r < threadRows; r++) {
        const text = affine(r, [row, threadRows]);
        const i = p.m % threadRows === 0 ? text : `min(${text}, ${p.m - 1})`;
        code.line(`let x${u}_${r} = ${width === 4 ? a.four(batch, i, four(u)) : a.one(batch, i, one(u))};`);
      }
    const each = (value: (at: number) => string): string =>
      width === 1 ? value(0) : `vec4f(${[0, 1, 2, 3].map(value).join(", ")})`;
    for (let u = 0; u < count; u++) {
      if (b.fours === "kept")
        for (let at = 0; at < width; at++) code.line(`let q${u}_${at} = ${b.four(batch, col, one(u, at))};`);
      for (let c = 0; c < threadCols; c++) {
        const j = affine(c, [col, threadCols]);
        const value =
          b.fours === "kept"
            ? each((at) => `q${u}_${at}.${"xyzw"[c]!}`)
            : b.fours === "summed"
              ? b.four(batch, j, four(u))
              : each((at) => b.one(batch, j, one(u, at)));
        code.line(`let y${u}_${c} = ${value};`);
      }
    }
    for (let u = 0; u < count; u++)
      this.names.forEach((names, r) =>
        names.forEach((name, c) => code.line(`${name} = fma(x${u}_${r}, y${u}_${c}, ${name});`)),
      );
  }

  /** An invocation's sum, of one float. */
  private whole(name: string): string {
    return this.width === 4 ? `(${name}.x + ${name}.y) + (${name}.z + ${name}.w)` : name;
  }

  /** Where there are no other lanes: the sums go from registers. */
  private storeOwn(unit: string): void {
    const { code, names } = this;
    const fours = storesFours(this.plan);
    const values = fours
      ? names.map((row) => `vec4f(${row.map((name) => this.whole(name)).join(", ")})`)
      : names.flat().map((name) => this.whole(name));
    code.line(`var sums = array<${fours ? "vec4f" : "f32"}, ${values.length}>(${values.join(", ")});`);
    code.block(`for (var at = 0; at < ${values.length}; at++)`, () => this.store(unit, "at", "sums[at]", fours));
  }

  /** Halves as many lanes add to the others, until one is left; then as many invocations store as there are results. */
  private addUp(isFull: boolean): void {
    const { code, plan } = this;
    const { lanes, groups } = plan;
    const threads = lanes * groups;
    const sums = this.names.flat();
    const tree = this.module.workgroupArray("tree", "f32", sums.length * threads);
    sums.forEach((name, at) => code.line(`${tree}[${affine(at * threads, ["lid", 1])}] = ${this.whole(name)};`));
    code.block(`for (var half = ${lanes / 2}; half > 0; half >>= 1u)`, () => {
      code.line("workgroupBarrier();");
      code.block(`if (${this.lane} < half)`, () =>
        sums.forEach((_, at) => {
          const place = affine(at * threads, ["lid", 1]);
          code.line(`${tree}[${place}] += ${tree}[${place} + half];`);
        }),
      );
    });
    code.line("workgroupBarrier();");
    code.block(`for (var o = lid; o < ${groups * sums.length}; o += ${threads})`, () => {
      const [member, at] = [quotient("o", sums.length), remainder("o", sums.length)];
      code.line(`let unit = ${affine(0, [this.block, groups], [member, 1])};`);
      const all = (): void => {
        code.line(`let at = ${at};`);
        this.store("unit", "at", `${tree}[${affine(0, ["at", threads], [member, lanes])}]`, false);
      };
      if (isFull) all();
      else code.block(`if (unit < ${this.units})`, all);
    });
  }

  /** Stores result `at` of a unit; in fours, four of them from 4·at on. */
  private store(unit: string, at: string, sum: string, fours: boolean): void {
    const { code, p, plan, split } = this;
    const { flat, batch, row, col } = this.decode(unit);
    const perRow = plan.threadCols / (fours ? 4 : 1);
    code.line(`let i = ${affine(0, [row, plan.threadRows], [quotient(at, perRow), 1])};`);
    code.line(`let j = ${affine(0, [col, plan.threadCols], [remainder(at, perRow), fours ? 4 : 1])};`);
    const write = (): void => {
      code.line(`let sum = ${sum};`);
      const place = { split, flat, place: { batch, i: "i", j: "j" } };
      if (fours) this.sink.four(code, "j", place, "sum");
      else this.sink.one(code, place, "sum");
    };
    if (p.m % plan.threadRows === 0) write();
    else code.block(`if (i < ${p.m})`, write);
  }
}
