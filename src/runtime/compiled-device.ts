import { ConcreteArray } from "../core/array.js";
import { type Aval, byteLength, formatAval, type HostArray, sizeOf } from "../core/aval.js";
import { debug } from "../core/debug.js";
import { type DType, dtypeInfo, type TypedArray } from "../core/dtype.js";
import { ArgumentError, DeviceError, DTypeError } from "../core/errors.js";
import { type Jaxpr, makeEqn, Var } from "../core/jaxpr.js";
import type { AnyPrimitive } from "../core/primitive.js";
import {
  type Backend,
  type DeviceBuffer,
  type Executable,
  isScalarInput,
  type ScalarInput,
} from "../kernel-ir/backend.js";
import type { CallLowering } from "../kernel-ir/lowering.js";
import type { Program } from "../kernel-ir/program.js";
import { structuralKey } from "../core/structural-key.js";
import { ArrayType } from "./array-type.js";
import { EagerCache } from "./eager-cache.js";
import { Heap, type Residence, type Slot } from "./heap.js";
import { type Device, type DeviceStats, RuntimeStorage, ScalarStorage } from "./storage.js";

/** The compiler, as the runtime uses it. */
export type Compile = (
  jaxpr: Jaxpr,
  options: { readonly name: string; readonly donated?: readonly boolean[] },
) => Program;

/** Elements on a device that compiles. */
export class DeviceStorage extends RuntimeStorage {
  constructor(
    override readonly owner: CompiledDevice,
    private held: Slot | undefined,
    private readonly dtype: DType,
    private readonly words: number,
  ) {
    super();
  }
  get slot(): Slot {
    return this.held!;
  }
  get device(): string {
    return this.owner.name;
  }
  get scalar(): undefined {
    return undefined;
  }
  get disposed(): boolean {
    return this.held === undefined;
  }
  readSync(): TypedArray {
    return this.owner.readSync(this.slot, new dtypeInfo[this.dtype].storage(this.words));
  }
  override read(): Promise<TypedArray> {
    return this.owner.read(this.slot, new dtypeInfo[this.dtype].storage(this.words));
  }
  share(): DeviceStorage {
    this.slot.refs++;
    return new DeviceStorage(this.owner, this.held, this.dtype, this.words);
  }
  dispose(): void {
    const slot = this.held;
    if (!slot) return;
    this.held = undefined;
    if (--slot.refs === 0) this.owner.heap.release(slot);
  }
}

/** A program that is ready to run, with what a call needs at hand. Without an executable it shares its operand's storage. */
interface Ready {
  readonly executable: Executable | undefined;
  readonly outTypes: readonly ArrayType[];
  readonly outWords: readonly number[];
  readonly outBytes: readonly number[];
  readonly outputIsInput: readonly (number | null)[];
  readonly outputReusesInput: readonly (number | null)[];
  /** Every result lies in a block of its own, unless operands are donated. */
  readonly plain: boolean;
  /** Scratch lists of a call; a call inside of a call makes its own. */
  readonly args: (DeviceBuffer | ScalarInput)[];
  readonly outs: DeviceBuffer[];
  busy: boolean;
}

/** Programs of eager operations that a device keeps in each generation of its cache. */
const eagerPrograms = 1024;

/** Lengths by which a program tells what depends on them; products of four fit an i32. */
const primes = [101, 103, 107, 109, 113, 127, 131, 137];

/** A device with a compiler: jaxprs become programs once, eager operations are programs of one equation. */
export class CompiledDevice implements Device {
  readonly heap: Heap;
  private readonly programs = new WeakMap<Jaxpr, Map<string, Ready>>();
  private readonly eager = new EagerCache<Ready>(eagerPrograms);
  private readonly scaled = new Map<string, ((sizes: readonly number[]) => Executable) | "seen once" | "never">();
  private readonly templates = new Map<string, { readonly elements: number; readonly ready: Ready }>();

  constructor(
    private readonly backend: Backend,
    private readonly compile: Compile,
    heap?: Heap,
  ) {
    this.heap = heap ?? new Heap(backend, residenceOf);
  }

  get name(): string {
    return this.backend.name;
  }
  supports(dtype: DType): boolean {
    return this.backend.supports(dtype);
  }

  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[] {
    const ready = this.eager.find(primitive, inputs, params) ?? this.prepareEager(primitive, inputs, params);
    return this.execute(ready, inputs, undefined);
  }

  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[] {
    return this.execute(this.ready(jaxpr, donated), inputs, donated);
  }

  upload({ aval, data }: HostArray): ConcreteArray {
    if (!this.backend.supports(aval.dtype)) throw unsupported(this.name, aval.dtype);
    const buffer = this.heap.allocate(data.byteLength);
    try {
      this.backend.write(buffer, data);
    } catch (e) {
      this.heap.free(buffer);
      throw e;
    }
    return this.wrap(ArrayType.of(aval), data.length, buffer);
  }

  stats(): DeviceStats {
    const { heapBytes, allocatedBytes, modules } = this.backend.stats();
    return {
      liveArrays: this.heap.liveArrays,
      liveBytes: this.heap.liveBytes,
      spilledBytes: this.heap.bytesSpilled,
      heapBytes,
      allocatedBytes,
      programs: this.eager.size,
      modules,
    };
  }

  /** Fills `into` with the elements of a slot. @throws DeviceError `async-read`. */
  readSync({ residence }: Slot, into: TypedArray): TypedArray {
    if (residence.spilled) return fromSpilled(residence.spilled, into);
    if (!this.backend.readSync) {
      throw new DeviceError({
        code: "async-read",
        message: `device "${this.name}" cannot be read synchronously`,
        hint: "use await x.data() or await x.jsAsync()",
      });
    }
    this.backend.readSync(residence.buffer!, into);
    return into;
  }

  async read({ residence }: Slot, into: TypedArray): Promise<TypedArray> {
    if (residence.spilled) return fromSpilled(residence.spilled, into);
    await this.backend.read(residence.buffer!, into);
    return into;
  }

  private ready(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): Ready {
    let byDonation = this.programs.get(jaxpr);
    if (!byDonation) this.programs.set(jaxpr, (byDonation = new Map()));
    const key = donated === undefined ? "" : donated.map(Number).join("");
    let ready = byDonation.get(key);
    if (!ready) byDonation.set(key, (ready = this.prepare(jaxpr, { name: "main", generic: false, donated })));
    return ready;
  }

  private prepareEager(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): Ready {
    const { lower } = primitive;
    let ready: Ready;
    if ("kind" in lower && lower.kind === "call") {
      ready = this.ready((lower as CallLowering<unknown>).jaxpr(params), undefined);
    } else if (reshapes(primitive, inputs, params)) {
      const outs = primitive.abstract([inputs[0]!.aval], params as never);
      ready = readyOf(outs, undefined, [], [0], [null]);
    } else {
      const avals = inputs.map((x) => x.aval);
      // What holds jaxprs is a whole program, run often: worth code of its own.
      ready =
        this.prepareElementwise(primitive, avals, params) ??
        this.prepareScaled(primitive, avals, params) ??
        this.prepare(oneEquation(primitive, avals, params), {
          name: primitive.name,
          generic: primitive.jaxprs === undefined,
          donated: undefined,
        });
    }
    this.eager.insert(primitive, inputs, params, ready);
    return ready;
  }

  /** An elementwise operation sees nothing of shapes but how many elements there are: one program serves all of them. */
  private prepareElementwise(primitive: AnyPrimitive, avals: readonly Aval[], params: unknown): Ready | undefined {
    if (primitive.facts.elementwise !== true || avals.length === 0 || avals.some((a) => a.dtype === "key"))
      return undefined;
    const outs = primitive.abstract(avals, params as never);
    const whole = avals.find((a) => a.shape.length > 0);
    const elements = whole ? sizeOf(whole.shape) : 1;
    let key = `${primitive.name}|${structuralKey(params)}`;
    for (const a of avals) key += `|${a.dtype}${a.weakType ? "~" : ""}${whole && a.shape.length === 0 ? "." : ""}`;
    let template = this.templates.get(key);
    if (!template) {
      const n = Math.max(elements, 16);
      const flat = avals.map((a): Aval => ({ ...a, shape: whole && a.shape.length === 0 ? [] : [n] }));
      template = {
        elements: n,
        ready: this.prepare(oneEquation(primitive, flat, params), {
          name: primitive.name,
          generic: true,
          donated: undefined,
        }),
      };
      if (this.templates.size >= eagerPrograms) this.templates.clear();
      this.templates.set(key, template);
    }
    const { executable, outputIsInput, outputReusesInput } = template.ready;
    const resized = elements === template.elements ? executable : executable?.resized?.(elements);
    return resized && readyOf(outs, resized, outs.map(byteLength), outputIsInput, outputReusesInput);
  }

  /**
   * An operation of which only lengths matter: from the second shape on, one program serves all of them. What depends on
   * lengths in it is found by compiling it for two sets of primes.
   */
  private prepareScaled(primitive: AnyPrimitive, avals: readonly Aval[], params: unknown): Ready | undefined {
    const [x] = avals;
    const extents = x?.dtype === "key" ? undefined : primitive.facts.extents?.(params as never, x!);
    if (!extents) return undefined;
    const key = `${primitive.name}|${extents.pattern}|${x!.dtype}${x!.weakType ? "~" : ""}`;
    const known = this.scaled.get(key);
    if (known === undefined) this.scaled.set(key, "seen once");
    if (known === undefined || known === "never") return undefined;
    let scale = known === "seen once" ? undefined : known;
    if (!scale) {
      const { length } = extents.sizes;
      const [sizes, otherSizes] = [primes.slice(0, length), primes.slice(-length)];
      const [a, b] = [sizes, otherSizes].map((lengths) => {
        const { shape, params: scaledParams } = extents.at(lengths);
        const jaxpr = oneEquation(primitive, [{ ...x!, shape }], scaledParams);
        return this.prepare(jaxpr, { name: primitive.name, generic: true, donated: undefined }).executable!;
      }) as [Executable, Executable];
      scale = 2 * length <= primes.length ? a.scaled?.(sizes, b, otherSizes) : undefined;
      this.scaled.set(key, scale ?? "never");
      if (!scale) return undefined;
    }
    const outs = primitive.abstract(avals, params as never);
    return readyOf(outs, scale(extents.sizes), outs.map(byteLength), [null], [null]);
  }

  private prepare(
    jaxpr: Jaxpr,
    {
      name,
      generic,
      donated,
    }: { readonly name: string; readonly generic: boolean; readonly donated: readonly boolean[] | undefined },
  ): Ready {
    for (const v of [...jaxpr.inVars, ...jaxpr.outs]) {
      if (!this.backend.supports(v.aval.dtype)) throw unsupported(this.name, v.aval.dtype);
    }
    const start = performance.now();
    const program = this.compile(jaxpr, donated === undefined ? { name } : { name, donated });
    const executable = this.backend.compile(program, { generic });
    const entry = program.functions[0]!;
    debug(1, () => `compiled ${name} for ${this.name} in ${(performance.now() - start).toFixed(2)} ms`);
    debug(4, () => executable.text());
    const avals = jaxpr.outs.map((v) => v.aval);
    const bytes = entry.outputs.map((o) => o.bytes);
    return readyOf(avals, executable, bytes, entry.outputIsInput, entry.outputReusesInput);
  }

  private execute(
    ready: Ready,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): ConcreteArray[] {
    if (!ready.plain || donated !== undefined) return this.executePlaced(ready, inputs, donated);
    const { heap } = this;
    const { outTypes, outBytes, outWords } = ready;
    const nested = ready.busy;
    const args = nested ? new Array<DeviceBuffer | ScalarInput>(inputs.length) : ready.args;
    const outs = nested ? new Array<DeviceBuffer>(outTypes.length) : ready.outs;
    let made = 0;
    ready.busy = true;
    heap.enter(inputs);
    try {
      this.operands(inputs, args);
      for (; made < outBytes.length; made++) outs[made] = heap.allocate(outBytes[made]!);
      ready.executable!.run(args, outs);
    } catch (e) {
      for (let k = 0; k < made; k++) heap.free(outs[k]!);
      throw e;
    } finally {
      heap.leave();
      ready.busy = nested;
    }
    if (made === 1) return [this.wrap(outTypes[0]!, outWords[0]!, outs[0]!)];
    const results = new Array<ConcreteArray>(made);
    for (let k = 0; k < made; k++) results[k] = this.wrap(outTypes[k]!, outWords[k]!, outs[k]!);
    return results;
  }

  /** A call some of whose results are operands themselves, or take over the storage of donated ones. */
  private executePlaced(
    ready: Ready,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): ConcreteArray[] {
    const { heap } = this;
    if (donated) refuseSharedDonation(inputs, donated);
    const args = new Array<DeviceBuffer | ScalarInput>(inputs.length);
    const outs: DeviceBuffer[] = [];
    const places = ready.outTypes.map((_, k) => placeOf(ready, k, inputs, donated));
    heap.enter(inputs);
    try {
      if (ready.executable !== undefined) {
        this.operands(inputs, args);
        for (let k = 0; k < places.length; k++) {
          const { from } = places[k]!;
          const buffer = from === undefined ? undefined : args[from]!;
          outs.push(buffer === undefined || isScalarInput(buffer) ? heap.allocate(ready.outBytes[k]!) : buffer);
        }
        ready.executable.run(args, outs);
      }
    } catch (e) {
      outs.forEach((b) => args.includes(b) || heap.free(b));
      throw e;
    } finally {
      heap.leave();
    }
    const results = places.map(({ kind, from }, k): ConcreteArray => {
      const type = ready.outTypes[k]!;
      if (kind === "own") return this.wrap(type, ready.outWords[k]!, outs[k]!);
      const storage = inputs[from]!.storage as RuntimeStorage;
      if (storage instanceof ScalarStorage) {
        // A result is an array like any other: another value of it must never be another constant of a program.
        if (outs[k]) heap.free(outs[k]);
        return this.upload({ aval: type, data: storage.readSync() });
      }
      if (kind === "same") return new ConcreteArray(type, storage.share());
      return this.wrap(type, ready.outWords[k]!, heap.takeOver((storage as DeviceStorage).slot));
    });
    if (donated) inputs.forEach((x, i) => donated[i] && x.dispose());
    return results;
  }

  private operands(inputs: readonly ConcreteArray[], args: (DeviceBuffer | ScalarInput)[]): void {
    for (let i = 0; i < inputs.length; i++) {
      const s = inputs[i]!.storage;
      args[i] = s instanceof DeviceStorage ? this.heap.use(s.slot) : (s as ScalarStorage);
    }
  }

  private wrap(type: ArrayType, words: number, buffer: DeviceBuffer): ConcreteArray {
    return new ConcreteArray(type, new DeviceStorage(this, this.heap.adopt(buffer), type.dtype, words));
  }
}

function oneEquation(primitive: AnyPrimitive, avals: readonly Aval[], params: unknown): Jaxpr {
  const inVars = avals.map((a) => new Var(a));
  const eqn = makeEqn(primitive, inVars, params);
  return { inVars, eqns: [eqn], outs: eqn.outs, effects: eqn.effects };
}

function readyOf(
  outs: readonly Aval[],
  executable: Executable | undefined,
  outBytes: readonly number[],
  outputIsInput: readonly (number | null)[],
  outputReusesInput: readonly (number | null)[],
): Ready {
  const outTypes = outs.map((a) => ArrayType.of(a));
  return {
    executable,
    outTypes,
    outWords: outTypes.map((t) => ArrayType.words(t)),
    outBytes,
    outputIsInput,
    outputReusesInput,
    plain: executable !== undefined && outputIsInput.every((i) => i === null),
    args: [],
    outs: [],
    busy: false,
  };
}

/** Where a result lies: in a block of its own, in an operand's that it is the same as, or in a donated operand's. */
type Place =
  { readonly kind: "own"; readonly from?: undefined } | { readonly kind: "same" | "taken"; readonly from: number };

function placeOf(
  ready: Ready,
  k: number,
  inputs: readonly ConcreteArray[],
  donated: readonly boolean[] | undefined,
): Place {
  const same = ready.outputIsInput[k];
  if (same != null) return { kind: "same", from: same };
  const taken = ready.outputReusesInput[k];
  if (taken != null && donated?.[taken]) {
    const s = inputs[taken]!.storage;
    if (s instanceof DeviceStorage && s.slot.refs === 1) return { kind: "taken", from: taken };
  }
  return { kind: "own" };
}

function refuseSharedDonation(inputs: readonly ConcreteArray[], donated: readonly boolean[]): void {
  for (let i = 0; i < inputs.length; i++) {
    if (!donated[i]) continue;
    const slot = residenceOf(inputs[i]!);
    if (slot && inputs.some((y, j) => j !== i && residenceOf(y) === slot)) {
      throw new ArgumentError({
        code: "donate-shared",
        message: `a donated array is passed to one call twice: ${formatAval(inputs[i]!.aval)}`,
        hint: "pass a copy, or leave the argument out of donateArgnums",
      });
    }
  }
}

function reshapes(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): boolean {
  const fact = primitive.facts.reshapes;
  return typeof fact === "function" ? fact(params as never, inputs[0]!.aval) : fact === true;
}

/** Where an array's elements lie, for arrays of a device with a heap. */
export function residenceOf(x: ConcreteArray): Residence | undefined {
  const s = x.disposed ? undefined : x.storage;
  return s instanceof DeviceStorage ? s.slot.residence : undefined;
}

function fromSpilled(spilled: Uint32Array, into: TypedArray): TypedArray {
  new Uint8Array(into.buffer).set(new Uint8Array(spilled.buffer, 0, into.byteLength));
  return into;
}

const unsupported = (device: string, dtype: DType): DTypeError =>
  new DTypeError({
    code: "dtype-device",
    message: `device "${device}" has no ${dtype}`,
    hint: "use another dtype, or another device",
  });
