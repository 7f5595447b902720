import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { batchOf, ceilDiv, tileBytes, tiledThreads, type TiledPlan, tilePitch } from "./plan.js";
import type { Problem } from "./problem.js";
import { type Emitted, type Order, scratchOrder, Sink } from "./sink.js";
import { stage } from "./stage.js";
import { affine, operandA, operandB, type Operand, quotient, remainder, unflatten } from "./text.js";

/** Results next to each other in a row are one invocation's. */
export const tiledOrder = (p: Problem): Order => scratchOrder(p, "j", 4);

/** The sums of a product by tiles: what TiledPlan says. */
export function emitTiled(module: ModuleBuilder, p: Problem, access: Access, plan: TiledPlan): Emitted {
  const shader = new TiledShader(module, p, access, plan);
  shader.emit();
  const tiles = batchOf(p) * ceilDiv(p.m, plan.rows) * ceilDiv(p.n, plan.cols);
  return {
    body: shader.code,
    groups: tiles * plan.splits,
    threads: tiledThreads(plan),
    flops: 2 * batchOf(p) * p.m * p.n * p.k,
    loads: tiles * p.k * (plan.rows + plan.cols),
  };
}

/**
 * Names in the text: `flat` the batch element, `down` and `across` the tile's number, `slice`, `rowGroup` and `colGroup` what
 * an invocation is there for. Invocation (rowGroup, colGroup) has the rows rowGroup·4 … + 3 of every 4·rowGroups rows, and
 * likewise columns, so that neighbours read what is next to each other in workgroup memory.
 */
class TiledShader {
  readonly code = new Code();
  private readonly a: Operand;
  private readonly b: Operand;
  private readonly sink: Sink;
  private readonly tile: string;
  private readonly threads: number;
  private readonly rowGroups: number;
  private readonly colGroups: number;
  /** Vectors of four columns that an invocation has in each of its rows. */
  private readonly colFours: number;
  /** The names of an invocation's sums, by row and vector. */
  private readonly sums: readonly (readonly string[])[];
  private batch: readonly string[] = [];
  private names: Readonly<Record<"flat" | "split" | "down" | "across" | "slice" | "rowGroup" | "colGroup", string>>;

  constructor(
    module: ModuleBuilder,
    private readonly p: Problem,
    access: Access,
    private readonly plan: TiledPlan,
  ) {
    const { rows, cols, threadRows, threadCols, splits, slices } = plan;
    [this.a, this.b] = [operandA(module, p, access), operandB(module, p, access)];
    this.tile = module.workgroupArray("tile", "vec4f", tileBytes(plan) / 16);
    this.sink = new Sink(module, p, access, splits, tiledOrder(p));
    this.threads = tiledThreads(plan);
    [this.rowGroups, this.colGroups] = [rows / threadRows, cols / threadCols];
    this.colFours = threadCols / 4;
    this.sums = Array.from({ length: threadRows }, (_, r) =>
      Array.from({ length: this.colFours }, (__, c) => `s${r}_${c}`),
    );
    const [flat, split, down, across] = unflatten(this.code, "group", [
      ["flat", batchOf(p)],
      ["split", splits],
      ["down", ceilDiv(p.m, rows)],
      ["across", ceilDiv(p.n, cols)],
    ]) as [string, string, string, string];
    const [slice, rowGroup, colGroup] = unflatten(this.code, "lid", [
      ["slice", slices],
      ["rowGroup", this.rowGroups],
      ["colGroup", this.colGroups],
    ]) as [string, string, string];
    this.names = { flat, split, down, across, slice, rowGroup, colGroup };
  }

  emit(): void {
    const { code, p, plan, threads, names } = this;
    const { depth, splits, slices, kPerSplit } = plan;
    this.batch = unflatten(
      code,
      names.flat,
      p.batch.map(({ size }, axis) => [`z${axis}`, size]),
    );
    for (const sum of this.sums.flat()) code.line(`var ${sum} = vec4f();`);
    const isLoop = kPerSplit > depth;
    const begin = affine(0, [names.split, kPerSplit]);
    const end = splits > 1 ? "end" : String(p.k);
    if (splits > 1) code.line(`let end = min(${affine(kPerSplit, [names.split, kPerSplit])}, ${p.k});`);
    code.block(isLoop ? `for (var base = ${begin}; base < ${end}; base += ${depth})` : "", () => {
      if (!isLoop) code.line(`let base = ${begin};`);
      const common = { code, depth, k: p.k, tile: this.tile, batch: this.batch, threads };
      stage(common, { operand: this.a, extent: plan.rows, start: 0, number: names.down });
      stage(common, { operand: this.b, extent: plan.cols, start: this.startOfB, number: names.across });
      code.line("workgroupBarrier();");
      this.multiply();
      if (isLoop || slices > 1) code.line("workgroupBarrier();");
    });
    if (slices === 1) this.storeOwn();
    else this.storeSliced();
  }

  private get startOfB(): number {
    return this.plan.depth * tilePitch(this.plan.rows);
  }

  /** Adds the products of the tiles in workgroup memory; each slice has its part of the depth. */
  private multiply(): void {
    const { code, plan, names } = this;
    const steps = plan.depth / plan.slices;
    code.block(`for (var t = 0; t < ${steps}; t++)`, () => {
      code.line(`let d = ${affine(0, [names.slice, steps], ["t", 1])};`);
      const read = (name: string, start: number, pitch: number, group: string, groups: number, count: number): void => {
        for (let at = 0; at < count; at++)
          code.line(`let ${name}${at} = ${this.tile}[${affine(start + at * groups, ["d", pitch], [group, 1])}];`);
      };
      read("x", 0, tilePitch(plan.rows), names.rowGroup, this.rowGroups, plan.threadRows / 4);
      read("y", this.startOfB, tilePitch(plan.cols), names.colGroup, this.colGroups, this.colFours);
      this.sums.forEach((row, r) =>
        row.forEach((sum, c) => code.line(`${sum} = fma(vec4f(x${r >> 2}.${"xyzw"[r & 3]!}), y${c}, ${sum});`)),
      );
    });
  }

  /** Each invocation has whole sums. */
  private storeOwn(): void {
    const { code, names, rowGroups, colGroups, colFours } = this;
    const sums = this.sums.flat();
    code.line(`var sums = array<vec4f, ${sums.length}>(${sums.join(", ")});`);
    code.block(`for (var at = 0; at < ${sums.length}; at++)`, () => {
      const r = quotient("at", colFours);
      const row = affine(0, [quotient(r, 4), 4 * rowGroups], [names.rowGroup, 4], [remainder(r, 4), 1]);
      this.store(row, affine(0, [remainder("at", colFours), colGroups], [names.colGroup, 1]), "sums[at]");
    });
  }

  /** Slices have parts of the sums: they are exchanged through workgroup memory. */
  private storeSliced(): void {
    const { code, plan, names, tile } = this;
    const { rows, cols, slices } = plan;
    const vectors = (rows * cols) / 4;
    this.sums.forEach((row, r) =>
      row.forEach((sum, c) => {
        const first = ((r >> 2) * 4 * this.rowGroups + (r & 3)) * (cols / 4) + c * this.colGroups;
        const place = affine(first, [names.slice, vectors], [names.rowGroup, cols], [names.colGroup, 1]);
        code.line(`${tile}[${place}] = ${sum};`);
      }),
    );
    code.line("workgroupBarrier();");
    code.block(`for (var o = lid; o < ${vectors}; o += ${this.threads})`, () => {
      code.line(`var total = ${tile}[o];`);
      code.line(`for (var s = 1; s < ${slices}; s++) { total += ${tile}[s * ${vectors} + o]; }`);
      this.store(quotient("o", cols / 4), remainder("o", cols / 4), "total");
    });
  }

  /** Stores four sums of a row of the tile, if they are results. */
  private store(row: string, four: string, sum: string): void {
    const { code, p, plan, batch } = this;
    const { flat, split, down, across } = this.names;
    code.line(`let i = ${affine(0, [down, plan.rows], [row, 1])};`);
    code.line(`let j = ${affine(0, [across, plan.cols], [four, 4])};`);
    const tests = [...(p.m % plan.rows === 0 ? [] : [`i < ${p.m}`]), ...(p.n % plan.cols === 0 ? [] : [`j < ${p.n}`])];
    const write = (): void => {
      code.line(`let sum = ${sum};`);
      this.sink.four(code, "j", { split, flat, place: { batch, i: "i", j: "j" } }, "sum");
    };
    if (tests.length > 0) code.block(`if (${tests.join(" && ")})`, write);
    else write();
  }
}
