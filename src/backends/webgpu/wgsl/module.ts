import { InternalError } from "../../../core/errors.js";
import type { BufferArg } from "../../../kernel-ir/kernel.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { Binding, LaunchContext } from "../dispatch.js";
import type { Code } from "./code.js";
import { helperId, type HelperName, helperNames, helperText } from "./helpers.js";
import { floatBits, type OperationContext } from "./operations.js";
import { type ModuleSource, printFunction, printModule, type WorkgroupArray } from "./source.js";
import { alone, bare, type GpuType, gpuType, type Lanes, storageType, typeName } from "./types.js";

/** A type that memory of a module has elements of. */
export type ElementType = "f32" | "i32" | "u32" | "vec4f" | "vec4i" | "vec4u" | "atomic<u32>" | "atomic<i32>";

/** A binding as the text declares it. */
interface Declared {
  readonly number: number;
  readonly element: ElementType;
  written: boolean;
  readonly what:
    { readonly kind: "arg"; readonly arg: number } | { readonly kind: "scratch"; readonly scratch: number };
}

export interface FinishOptions {
  readonly workgroupSize: number | readonly [x: number, y: number, z: number];
  /** How many workgroups there are: folded into two dimensions where one cannot hold them. */
  readonly groups: number;
  /** The body of `main`. May use `group` (i32, number of the workgroup), `lid` (i32, of the invocation in it), `id` (i32). */
  readonly body: Code;
}

export interface FinishedModule {
  readonly wgsl: string;
  readonly source: ModuleSource;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [x: number, y: number, z: number];
  readonly workgroupBytes: number;
}

export interface FinishedFunction {
  readonly text: string;
  /** Functions that it calls, each a text of its own. */
  readonly helpers: readonly string[];
}

/**
 * The text of one shader module around the body of its `main`: collects the bindings, helper functions, constants and
 * workgroup memory that the body uses. Numbers follow the order of first use, so that equal kernels get equal texts.
 */
export class ModuleBuilder implements OperationContext {
  private readonly declared: Declared[] = [];
  private readonly byArg = new Map<number, Declared>();
  private readonly byScratch = new Map<number, Declared>();
  private readonly fours = new Set<number>();
  private readonly helpers = new Set<string>();
  private readonly constants = new Map<string, string>();
  private readonly arrays: WorkgroupArray[] = [];
  private readonly counters = new Map<string, number>();
  workgroupBytes = 0;

  constructor(
    readonly buffers: readonly BufferArg[],
    readonly launch: LaunchContext,
  ) {}

  /** A name that nothing else in the module has. */
  fresh(prefix: string): string {
    const n = this.counters.get(prefix) ?? 0;
    this.counters.set(prefix, n + 1);
    return `${prefix}${n}`;
  }

  need(name: HelperName, lanes: Lanes = 1): string {
    const id = helperId(name, lanes);
    this.helpers.add(id);
    return id;
  }

  opaque(type: GpuType, value: number): string {
    const bits = type === "f32" ? floatBits(value) : value >>> 0;
    const hidden = `zero | 0x${bits.toString(16)}u`;
    const text = type === "u32" ? hidden : type === "bool" ? `(${hidden}) != 0u` : `bitcast<${type}>(${hidden})`;
    return this.constant(text);
  }

  /** The name of a value computed once at the beginning of `main`; `zero` is a u32 that is 0, which no compiler knows. */
  constant(text: string): string {
    let name = this.constants.get(text);
    if (name === undefined) this.constants.set(text, (name = this.fresh("k")));
    return name;
  }

  /** All arguments that lie in the same storage as this one go by the first of them. */
  private group(buffer: number): number {
    return this.launch.sameAs[buffer] ?? buffer;
  }
  private argument(buffer: number): BufferArg {
    const arg = this.buffers[buffer];
    if (arg === undefined)
      throw new InternalError(`a kernel of ${this.buffers.length} buffers has no buffer ${buffer}`);
    return arg;
  }

  /**
   * Declares that all accesses of this module to the buffer's storage are of four elements at a multiple of four. To be said
   * before the first access.
   */
  inFours(buffer: number): void {
    const group = this.group(buffer);
    if (this.fours.has(group)) return;
    if (this.byArg.has(group)) throw new InternalError(`buffer ${buffer} has been accessed one by one`);
    this.fours.add(group);
  }

  private binding(buffer: number, fours: boolean, write: boolean): Declared {
    const group = this.group(buffer);
    const type = storageType(gpuType(this.argument(buffer).type));
    if (this.fours.has(group) !== fours)
      throw new InternalError(`buffer ${buffer} is accessed in fours and one by one`);
    let declared = this.byArg.get(group);
    if (declared === undefined) {
      declared = this.declare(typeName(type, fours ? 4 : 1) as ElementType, { kind: "arg", arg: group });
      this.byArg.set(group, declared);
    }
    declared.written ||= write;
    return declared;
  }

  private declare(element: ElementType, what: Declared["what"]): Declared {
    const declared = { number: this.declared.length, element, written: false, what };
    this.declared.push(declared);
    return declared;
  }

  /** The array that a buffer lies in, the type of its elements, and the place of an index. */
  private placeOf(
    buffer: number,
    index: string,
    lanes: Lanes,
    write: boolean,
  ): { readonly name: string; readonly element: ElementType; readonly at: string } {
    const view = this.launch.views?.[buffer];
    const base =
      view && view.base !== "0" ? this.constant(lanes === 4 ? `(${view.base}) >> 2u` : view.base) : undefined;
    const at = base === undefined ? alone(index) : `${base} + ${/^\w+$/.test(index) ? index : `(${alone(index)})`}`;
    if (view?.memory) return { ...view.memory, at };
    const { number, element } = this.binding(buffer, lanes === 4, write);
    return { name: `b${number}`, element, at };
  }

  private loaded(buffer: number, index: string, lanes: Lanes): string {
    const type = gpuType(this.argument(buffer).type);
    const { name, element, at } = this.placeOf(buffer, index, lanes, false);
    const own = typeName(storageType(type), lanes);
    const text = `${name}[${at}]`;
    const word = element === own ? text : `bitcast<${own}>(${text})`;
    return type === "bool" ? `(${word} != ${own}(0u))` : word;
  }

  private stored(buffer: number, index: string, value: string, lanes: Lanes): string {
    const type = gpuType(this.argument(buffer).type);
    const { name, element, at } = this.placeOf(buffer, index, lanes, true);
    const own = typeName(storageType(type), lanes);
    const word = type === "bool" ? `${own}(${bare(value)})` : alone(value);
    return `${name}[${at}] = ${element === own ? word : `bitcast<${element}>(${word})`};`;
  }

  /** Element `index` (text of an i32 or u32) of a buffer, as the scalar type. */
  load(buffer: number, index: string): string {
    return this.loaded(buffer, index, 1);
  }
  /** A statement that stores a value of the scalar type. */
  store(buffer: number, index: string, value: string): string {
    return this.stored(buffer, index, value, 1);
  }
  /** Elements 4·quad … 4·quad + 3 of a buffer declared `inFours`. */
  load4(buffer: number, quad: string): string {
    return this.loaded(buffer, quad, 4);
  }
  store4(buffer: number, quad: string, value: string): string {
    return this.stored(buffer, quad, value, 4);
  }

  /** The name of the array of an argument's words, in a module that touches its storage by atomic operations only. */
  atomics(buffer: number, element: "atomic<u32>" | "atomic<i32>"): string {
    const group = this.group(buffer);
    if (this.byArg.has(group))
      throw new InternalError(`buffer ${buffer} is accessed otherwise than by atomic operations`);
    const declared = this.declare(element, { kind: "arg", arg: group });
    declared.written = true;
    return `b${declared.number}`;
  }

  /** The name of the array of the kernel's scratch memory `id`, in this dispatch of elements of this type. */
  scratch(id: number, element: ElementType, access: "read" | "read_write"): string {
    let declared = this.byScratch.get(id);
    if (declared === undefined) {
      declared = this.declare(element, { kind: "scratch", scratch: id });
      this.byScratch.set(id, declared);
    } else if (declared.element !== element)
      throw new InternalError(`scratch ${id} is of ${declared.element} and of ${element} in one module`);
    declared.written ||= access === "read_write";
    return `b${declared.number}`;
  }

  /** Declares an array in workgroup memory; gives its name. */
  workgroupArray(name: string, element: ElementType | ScalarType, length: number): string {
    this.arrays.push({ name, element, length });
    this.workgroupBytes += length * (element.startsWith("vec4") ? 16 : 4);
    return name;
  }

  get bindings(): readonly Binding[] {
    return this.declared.map(({ what, written }) => ({ ...what, access: written ? "read_write" : "read" }));
  }

  finish({ workgroupSize, groups, body }: FinishOptions): FinishedModule {
    const workgroups = foldGroups(groups, this.launch.limits.maxComputeWorkgroupsPerDimension);
    const { bindings } = this;
    const most = this.launch.limits.maxStorageBuffersPerShaderStage;
    if (bindings.length > most)
      throw new InternalError(`a shader of ${bindings.length} storage buffers for a device that binds ${most}`);
    const source = this.sourceOf(workgroupSize, workgroups, body);
    return { wgsl: printModule(source), source, bindings, workgroups, workgroupBytes: this.workgroupBytes };
  }

  /**
   * The same as a function of another module: `fn name(wid: vec3u, place: u32)`, and the functions that it calls. All that it
   * reads and writes lies in memory that views name.
   */
  finishFunction(name: string, { workgroupSize, groups, body }: FinishOptions): FinishedFunction {
    if (this.declared.length > 0 || this.arrays.length > 0)
      throw new InternalError(`${name} declares memory of its own`);
    const source = this.sourceOf(workgroupSize, [groups, 1, 1], body);
    return { text: printFunction(name, source), helpers: [...source.helpers.values()] };
  }

  private sourceOf(
    workgroupSize: FinishOptions["workgroupSize"],
    workgroups: ModuleSource["workgroups"],
    body: Code,
  ): ModuleSource {
    const helpers = ([1, 4] as const).flatMap((lanes) =>
      helperNames
        .filter((name) => this.helpers.has(helperId(name, lanes)))
        .map((name) => [helperId(name, lanes), helperText(name, lanes)] as const),
    );
    return {
      storage: this.declared,
      arrays: this.arrays,
      helpers: new Map(helpers),
      size: typeof workgroupSize === "number" ? [workgroupSize] : workgroupSize,
      constants: [...this.constants].map(([value, name]) => `let ${name} = ${value};`),
      body: body.toString(),
      workgroups,
    };
  }
}

/** So many workgroups in as few as possible, at least as many, in two dimensions of at most `limit`. */
export function foldGroups(groups: number, limit: number): [x: number, y: number, z: number] {
  const count = Math.max(1, groups);
  if (count <= limit) return [count, 1, 1];
  const y = Math.ceil(count / limit);
  const x = Math.ceil(count / y);
  if (y > limit) throw new InternalError(`${groups} workgroups are more than two dimensions hold`);
  return [x, y, 1];
}
