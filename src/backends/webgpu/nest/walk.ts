import type { Statement } from "../../../kernel-ir/kernel.js";
import { combination } from "../wgsl/operations.js";
import { bare } from "../wgsl/types.js";
import type { RowBuffers } from "./row-buffers.js";
import { type Accumulator, emitStatements, hoist } from "./points.js";
import type { Shader } from "./shader.js";
import type { Part } from "./slices.js";
import { identity } from "../../../kernel-ir/combine.js";
import { startOf } from "./slots.js";
import { Variance } from "./touches.js";

/** Steps after which a partial sum is added to the sum proper, so that errors do not grow with the number of terms. */
const BLOCK = 64;

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** The slots that statements accumulate. */
export const slotsOf = (body: readonly Statement[]): number[] =>
  body.flatMap((s) => (s.kind === "accumulate" ? [s.slot] : []));

/**
 * Writes the walk of an invocation along its part of a row (or along those of its four rows), and gives what it has
 * accumulated: for each slot a value, initial values not counted (but those of running slots are).
 */
export class Walk {
  /** Points, or fours of them. */
  private readonly units: number;
  private readonly isInFours: boolean;
  private readonly reducedFrom: number;

  constructor(
    private readonly shader: Shader,
    private readonly body: readonly Statement[],
    private readonly rowBuffers: RowBuffers,
    /** What running slots start with instead of their initial values. */
    private readonly carries: ReadonlyMap<number, string> = new Map(),
  ) {
    const { kernel, mapping } = shader;
    this.isInFours = mapping.layout === "points" && shader.lanes === 4;
    this.units = product(kernel.reduced) / (this.isInFours ? 4 : 1);
    this.reducedFrom = kernel.parallel.length;
  }

  emit(): Map<number, Part> {
    const accumulators = new Map<number, Accumulator>();
    for (const slot of slotsOf(this.body)) accumulators.set(slot, this.accumulator(slot));
    this.walk(accumulators);
    const found = new Map<number, Part>();
    for (const [slot, a] of accumulators) found.set(slot, this.results(slot, a));
    return found;
  }

  private accumulator(slot: number): Accumulator {
    const { shader } = this;
    const s = shader.kernel.slots[slot]!;
    if (!s.running) return this.variable(slot, "a", startOf(s).start);
    const start = this.carries.get(slot) ?? shader.number(s.type, s.initial);
    return { slot, lanes: 1, name: shader.variable("a", s.type, start) };
  }

  private variable(slot: number, prefix: string, start: number): Accumulator {
    const { shader } = this;
    const { type } = shader.kernel.slots[slot]!;
    const { lanes } = shader;
    return { slot, lanes, name: shader.variable(prefix, type, shader.number(type, start, lanes), lanes) };
  }

  /** What an accumulator holds at the end: one value, or one of each of four rows. */
  private results(slot: number, a: Accumulator): Part {
    const { shader } = this;
    const { type, combine } = shader.kernel.slots[slot]!;
    const { rowLanes: lanes } = shader;
    return { type, combine, lanes, value: lanes === 1 ? oneOf(shader, a) : a.name };
  }

  private walk(accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader, body } = this;
    const { kernel, mapping } = shader;
    if (body.length === 0) return;
    if (kernel.reduced.length === 0) {
      shader.times = shader.rows;
      this.point("0", accumulators);
      return;
    }
    if (this.units === 0) return;
    shader.values.scope(() => {
      shader.times = shader.groups * shader.workgroup;
      this.prepare();
      shader.times = shader.rows * this.units;
      const isWhole = mapping.slice === 1 && mapping.chunks === 1;
      if (this.isBlocked()) this.blocked(accumulators);
      else if (isWhole && kernel.reduced.length > 1) this.nested(0, "0", accumulators);
      else if (this.isUnrolled()) this.unrolled(accumulators);
      else this.flat(this.start(), this.end(), accumulators);
    });
  }

  /** The statements at the point whose coordinates are named. */
  private point(step: string, accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader, rowBuffers } = this;
    shader.keepAt = (k) => rowBuffers.read(k, step);
    emitStatements(shader, this.body, { accumulators, keep: (k, value) => rowBuffers.write(k, step, bare(value)) });
  }

  /** Computes and loads what is the same for all points of the row. */
  private prepare(): void {
    const own = new Set(slotsOf(this.body));
    const alongRow = new Variance(
      (k) => k >= this.reducedFrom,
      (k) => own.has(k),
      () => true,
    );
    hoist(this.shader, this.body, alongRow);
  }

  /** A single step, or row buffers in variables: every step has its own, so the steps are written one by one. */
  private isUnrolled(): boolean {
    const { kernel, mapping, keeps } = this.shader;
    if (mapping.slice === 1 || mapping.chunks > 1) return false;
    return this.units <= mapping.slice || (kernel.keeps.length > 0 && keeps === "private");
  }

  private unrolled(accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader } = this;
    const { slice } = shader.mapping;
    const steps = Math.ceil(this.units / slice);
    for (let step = 0; step < steps; step++) {
      const unit = step === 0 ? "lane" : `lane + ${step * slice}`;
      const isFull = (step + 1) * slice <= this.units && !shader.mayBeIdle;
      shader.branch(isFull ? [] : [`${unit} < ${this.end()}`], () => {
        this.unflatten(step === 0 ? unit : shader.named("e", unit));
        this.point(String(step), accumulators);
      });
    }
  }

  /** Loops over the reduced axes one in another. */
  private nested(axis: number, flat: string, accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader } = this;
    const extents = shader.kernel.reduced;
    if (axis === extents.length) {
      this.point(flat, accumulators);
      return;
    }
    const name = shader.module.fresh("r");
    shader.code.block(`for (var ${name} = 0; ${name} < ${extents[axis]!}; ${name}++)`, () => {
      shader.axes[this.reducedFrom + axis] = name;
      this.nested(axis + 1, axis === 0 ? name : `(${flat} * ${extents[axis]!} + ${name})`, accumulators);
    });
  }

  private unflatten(unit: string): void {
    this.shader.unflatten(unit, this.reducedFrom, this.shader.kernel.reduced, this.isInFours);
  }

  /** Units of a chunk. */
  private get chunkUnits(): number {
    return this.shader.mapping.chunkPoints / (this.isInFours ? 4 : 1);
  }
  private start(): string {
    const { slice, chunks } = this.shader.mapping;
    const first = chunks > 1 ? `chunk * ${this.chunkUnits}` : "0";
    return slice === 1 ? first : chunks > 1 ? `${first} + lane` : "lane";
  }
  /** Where the walk ends; 0 for invocations that have no row. */
  private end(): string {
    const { shader, units, chunkUnits } = this;
    const { chunks } = shader.mapping;
    const next = `(chunk + 1) * ${chunkUnits}`;
    const end = chunks === 1 ? `${units}` : chunkUnits * chunks === units ? next : `min(${next}, ${units})`;
    return shader.mayBeIdle ? `select(0, ${end}, inside)` : end;
  }

  private flat(start: string, end: string, accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader } = this;
    const { slice } = shader.mapping;
    const bound = /^\w+$/.test(end) ? end : shader.named("end", end);
    const e = shader.module.fresh("e");
    const next = slice === 1 ? `${e}++` : `${e} += ${slice}`;
    shader.code.block(`for (var ${e} = ${start}; ${e} < ${bound}; ${next})`, () => {
      this.unflatten(e);
      this.point(slice === 1 ? e : `(${e} / ${slice})`, accumulators);
    });
  }

  /** Whether sums are so long that they are made of partial ones. */
  private isBlocked(): boolean {
    const { kernel, mapping } = this.shader;
    const slots = slotsOf(this.body);
    if (slots.some((k) => kernel.slots[k]!.running) || this.isUnrolled()) return false;
    return this.chunkUnits / mapping.slice > BLOCK && slots.some((k) => this.isSum(k));
  }
  private isSum(slot: number): boolean {
    const { type, combine } = this.shader.kernel.slots[slot]!;
    return type === "f32" && combine === "add";
  }

  /** Sums of BLOCK steps each, added up. */
  private blocked(accumulators: ReadonlyMap<number, Accumulator>): void {
    const { shader } = this;
    const length = BLOCK * shader.mapping.slice;
    const end = shader.named("end", this.end());
    const block = shader.module.fresh("block");
    shader.code.block(`for (var ${block} = ${this.start()}; ${block} < ${end}; ${block} += ${length})`, () => {
      const own = new Map<number, Accumulator>();
      for (const [slot, a] of accumulators)
        own.set(slot, this.isSum(slot) ? this.variable(slot, "p", identity("add", "f32")) : a);
      this.flat(block, `min(${block} + ${length}, ${end})`, own);
      for (const [slot, a] of accumulators) {
        const part = own.get(slot)!;
        if (part === a) continue;
        const sum = combination(shader.module, "add", "f32", a.name, part.name, shader.lanes);
        shader.code.line(`${a.name} = ${bare(sum)};`);
      }
    });
  }
}

/** Combines the lanes of an accumulator. */
export function oneOf(shader: Shader, { slot, name, lanes }: Accumulator): string {
  if (lanes === 1) return name;
  const { type, combine } = shader.kernel.slots[slot]!;
  const join = (p: string, q: string): string => combination(shader.module, combine, type, p, q);
  return shader.named("t", join(join(`${name}.x`, `${name}.y`), join(`${name}.z`, `${name}.w`)));
}

/** Sets a slot to what its points have given; the initial value is combined in once. */
export function setSlot(
  shader: Shader,
  slot: number,
  { type, combine, lanes }: Part,
  text: string,
  done: boolean,
): void {
  const { rest } = startOf(shader.kernel.slots[slot]!);
  if (done || rest === undefined) {
    shader.slots.set(slot, { text, lanes });
    return;
  }
  const initial = shader.number(type, rest, lanes);
  const value = combination(shader.module, combine, type, initial, text, lanes);
  shader.slots.set(slot, { text: shader.named("s", value), lanes });
}
