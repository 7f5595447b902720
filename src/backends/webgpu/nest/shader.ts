import type { NestKernel } from "../../../kernel-ir/kernel.js";
import { constant, type KeepExpr, type LoadExpr, type ScalarType, type SlotExpr } from "../../../kernel-ir/scalar.js";
import type { Dispatch, LaunchContext } from "../dispatch.js";
import { Code } from "../wgsl/code.js";
import { ModuleBuilder } from "../wgsl/module.js";
import { bare, gpuType, type Lanes, typeName } from "../wgsl/types.js";
import { type ValueSource, Values } from "../wgsl/values.js";
import type { KeepPlace } from "./keeps.js";
import type { Mapping, Tile } from "./schedule.js";

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** A value of a slot as text: one, or a vector of four lanes. */
export interface SlotValue {
  readonly text: string;
  readonly lanes: Lanes;
}

/** A module of a nest while it is written: where its code stands, and by which names it goes. */
export class Shader implements ValueSource {
  readonly code = new Code();
  readonly module: ModuleBuilder;
  readonly values: Values;
  /** Rows, or fours of them: what each has `mapping.slice` invocations. */
  readonly rows: number;
  /** Workgroups of all rows, and of all chunks of all rows. */
  readonly rowGroups: number;
  readonly groups: number;
  readonly workgroup: number;
  /** The axis along which lanes lie. */
  readonly laneAxis: number | undefined;
  /** Rows at a time. */
  readonly rowLanes: Lanes;

  /** Coordinates of the first lane, by axis. */
  readonly axes: string[] = [];
  readonly slots = new Map<number, SlotValue>();
  /** Some invocations have no row: what they do has no effect. */
  mayBeIdle = false;
  /** Reads the row buffer of the point at hand. */
  keepAt: (k: number) => string = () => "";

  /** How often the code at hand runs in the whole dispatch. */
  times = 0;
  flops = 0;
  private loadBytes = 0;
  private storeBytes = 0;

  constructor(
    readonly kernel: NestKernel,
    readonly mapping: Mapping,
    readonly keeps: KeepPlace,
    readonly launch: LaunchContext,
    chunks: number,
  ) {
    const { layout, lanes, group, slice, fours } = mapping;
    const axes = kernel.parallel.length;
    if (layout === "rows") this.laneAxis = lanes === 4 ? axes - 1 : undefined;
    else this.laneAxis = lanes === 4 && kernel.reduced.at(-1)! % 4 === 0 ? axes + kernel.reduced.length - 1 : undefined;
    this.rowLanes = layout === "rows" ? lanes : 1;
    this.module = new ModuleBuilder(kernel.buffers, launch);
    this.values = new Values(
      this.module,
      this.code,
      this,
      this.laneAxis === undefined ? {} : { laneAxis: this.laneAxis },
    );
    this.rows = product(kernel.parallel) / this.rowLanes;
    this.rowGroups = mapping.tile ? tileGroups(kernel, mapping.tile) : Math.ceil(this.rows / group);
    this.groups = this.rowGroups * chunks;
    this.workgroup = group * slice;
    for (const storage of fours) this.module.inFours(storage);
  }

  /** What statements in bodies compute at a time. */
  get lanes(): Lanes {
    return this.laneAxis === undefined ? 1 : 4;
  }

  axis(k: number): string {
    return this.axes[k]!;
  }
  slot(k: number): string {
    return this.slots.get(k)!.text;
  }
  keep(k: number): string {
    return this.keepAt(k);
  }
  lanesOf(e: SlotExpr | KeepExpr | LoadExpr): Lanes {
    return e.kind === "slot" ? this.slots.get(e.slot)!.lanes : this.lanes;
  }
  load(buffer: number, index: string): string {
    this.loadBytes += 4 * this.times;
    return this.module.load(buffer, bare(index));
  }
  load4(buffer: number, index: string): string | undefined {
    if (!this.isInFours(buffer)) return undefined;
    this.loadBytes += 16 * this.times;
    return this.module.load4(buffer, `${index} >> 2u`);
  }
  isInFours(buffer: number): boolean {
    return this.mapping.fours.has(this.launch.sameAs[buffer] ?? buffer);
  }

  store(buffer: number, index: string, value: string): void {
    this.storeBytes += 4 * this.times;
    this.code.line(this.module.store(buffer, bare(index), value));
  }
  store4(buffer: number, index: string, value: string): void {
    this.storeBytes += 16 * this.times;
    this.code.line(this.module.store4(buffer, `${index} >> 2u`, value));
  }
  /** An element of scratch memory 0, which holds words. */
  loadScratch(type: ScalarType, index: string): string {
    this.loadBytes += 4 * this.times;
    const word = `${this.module.scratch(0, "u32", "read")}[${index}]`;
    return type === "bool" ? `(${word} != 0u)` : type === "u32" ? word : `bitcast<${gpuType(type)}>(${word})`;
  }
  storeScratch(type: ScalarType, index: string, value: string): void {
    this.storeBytes += 4 * this.times;
    const word =
      type === "bool" ? `u32(${bare(value)})` : type === "u32" ? bare(value) : `bitcast<u32>(${bare(value)})`;
    this.code.line(`${this.module.scratch(0, "u32", "read_write")}[${index}] = ${word};`);
  }

  /** A number as WGSL, in one lane or in four. */
  number(type: ScalarType, value: number, lanes: Lanes = 1): string {
    const text = this.values.expr(constant(type, value));
    return lanes === 1 ? text : `${typeName(gpuType(type), 4)}(${text})`;
  }
  /** A variable; gives its name. */
  variable(prefix: string, type: ScalarType, value: string, lanes: Lanes = 1): string {
    const name = this.module.fresh(prefix);
    this.code.line(`var ${name}: ${typeName(gpuType(type), lanes)} = ${bare(value)};`);
    return name;
  }
  /** Names a value. */
  named(prefix: string, value: string): string {
    const name = this.module.fresh(prefix);
    this.code.line(`let ${name} = ${bare(value)};`);
    return name;
  }
  /** Runs `body` in a branch if there are conditions. */
  branch(conditions: readonly string[], body: () => void): void {
    if (conditions.length === 0) body();
    else this.code.block(`if (${conditions.join(" && ")})`, () => this.values.scope(body));
  }

  /**
   * Names the coordinates of axes `from` … of these extents, of the point with this number in row-major order; the last axis
   * goes by fours if `fours`.
   */
  unflatten(flat: string, from: number, extents: readonly number[], fours: boolean): void {
    let rest = flat;
    for (let k = extents.length - 1; k >= 0; k--) {
      const isFours = fours && k === extents.length - 1;
      const extent = isFours ? extents[k]! / 4 : extents[k]!;
      const own = k === 0 ? rest : `${rest} % ${extent}`;
      const text = !isFours ? own : k === 0 ? `${rest} * 4` : `(${own}) * 4`;
      this.axes[from + k] = /^\w+$/.test(text) ? text : this.named("i", text);
      if (k > 0) rest = this.named("i", `${rest} / ${extent}`);
    }
  }

  finish(label: string): Dispatch {
    const { loadBytes, storeBytes, flops } = this;
    const { workgroupBytes, ...module } = this.module.finish({
      workgroupSize: this.workgroup,
      groups: this.groups,
      body: this.code,
    });
    return { label, ...module, cost: { flops, loadBytes, storeBytes, workgroupBytes } };
  }
}

/** Tiles along one of the two axes. */
export const tilesAlong = (extent: number, size: number): number => Math.ceil(extent / size);

/** Workgroups of tiles. */
function tileGroups({ parallel }: NestKernel, { axis, height, width }: Tile): number {
  const last = parallel.length - 1;
  const others = product(parallel) / parallel[axis]! / parallel[last]!;
  return others * tilesAlong(parallel[axis]!, height) * tilesAlong(parallel[last]!, width);
}
