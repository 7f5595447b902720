import { ConcreteArray } from "../core/array.js";
import type { ElementwiseFunction } from "../core/at-once.js";
import { type HostArray, sizeOf } from "../core/aval.js";
import { config } from "../core/config.js";
import { debug } from "../core/debug.js";
import type { DType, TypedArray } from "../core/dtype.js";
import type { Prepared } from "../core/engine.js";
import { DeviceError } from "../core/errors.js";
import { evaluatePrimitive } from "../core/host-interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { AnyPrimitive } from "../core/primitive.js";
import {
  type Backend,
  type DeviceBuffer,
  type DeviceTraits,
  type Executable,
  isScalarInput,
  type ProfiledLaunch,
  type ScalarInput,
} from "../kernel-ir/backend.js";
import { printKernel, printPlan } from "../kernel-ir/printer.js";
import { plannedMemory } from "../kernel-ir/planned-memory.js";
import type { Program } from "../kernel-ir/program.js";
import { ArrayType } from "./array-type.js";
import { DeviceStorage, residenceOf, type StorageOwner } from "./device-storage.js";
import { EagerPrograms } from "./eager-programs.js";
import { computeWith, helpNote, helpReport, onlyCallsBack } from "./helping.js";
import { Heap, type Slot } from "./heap.js";
import { originOfData } from "./origin.js";
import { placeOf, refuseSharedDonation } from "./result-places.js";
import { type Ready, readyOf } from "./ready.js";
import { originalOf, repeated } from "./repeated-storage.js";
import { type DeviceStats, noCounters, type RuntimeStorage, ScalarStorage, Standing } from "./storage.js";
import { requireDTypes, unsupportedArray } from "./supported-dtypes.js";

/** The compiler, as the runtime uses it. */
export type Compile = (
  jaxpr: Jaxpr,
  options: { readonly name: string; readonly donated?: readonly boolean[]; readonly traits: DeviceTraits },
) => Program;

/** A device with a compiler: jaxprs become programs once, eager operations are programs of one equation. */
export class CompiledDevice implements StorageOwner {
  readonly heap: Heap;
  readonly hostCopies: boolean;
  /** Computes what the device lacks. */
  private readonly helper: Backend | undefined;
  private readonly reported = new Set<string>();
  private readonly programs = new WeakMap<Jaxpr, Map<string, Ready>>();
  private readonly eager: EagerPrograms;

  constructor(
    private readonly backend: Backend,
    private readonly compile: Compile,
    {
      heap,
      hostCopies = false,
      helper,
    }: { readonly heap?: Heap; readonly hostCopies?: boolean; readonly helper?: Backend } = {},
  ) {
    this.helper = helper;
    this.hostCopies = hostCopies;
    this.heap = heap ?? new Heap(backend, residenceOf);
    this.eager = new EagerPrograms(
      (jaxpr, name, generic) => this.build(jaxpr, { name, generic, donated: undefined }),
      (jaxpr) => this.ready(jaxpr, undefined),
      (jaxpr, name) => requireDTypes(jaxpr, backend, name),
    );
  }

  get name(): string {
    return this.backend.name;
  }
  supports(dtype: DType): boolean {
    return this.backend.supports(dtype);
  }

  get synchronous(): boolean {
    return this.backend.readSync !== undefined;
  }
  get lost(): DeviceError | undefined {
    return this.backend.lost?.();
  }

  evaluate(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
    standing: Standing,
  ): readonly ConcreteArray[] {
    if (this.synchronous) {
      const { facts } = primitive;
      if (isCallback(primitive)) return this.callBack(primitive, inputs, params, standing);
      if (facts.repeats && sizeOf(facts.repeats(params as never)) >= worthWaiting) {
        const late = repeated(this, inputs[0]!, { primitive, params, standing }, (x) => {
          const ready = this.eager.find(primitive, [x], params);
          return this.execute(ready, [x], undefined, standing)[0]!;
        });
        if (late) return [late];
      }
      const ready = facts.elementwise === true ? this.eager.findRepeating(primitive, inputs, params) : undefined;
      if (ready) return this.execute(ready, inputs.map(originalOf), undefined, standing);
    }
    return this.execute(this.eager.find(primitive, inputs, params), inputs, undefined, standing);
  }

  evaluateElementwise(
    f: ElementwiseFunction,
    inputs: readonly ConcreteArray[],
    standing: Standing,
  ): ConcreteArray | undefined {
    const repeating = this.eager.findFusedRepeating(f, inputs);
    if (repeating) return this.execute(repeating, inputs.map(originalOf), undefined, standing)[0]!;
    const ready = this.eager.findFused(f, inputs);
    return ready && this.execute(ready, inputs, undefined, standing)[0]!;
  }

  /** Calls a function of the host here and now: no program is made for one call. */
  private callBack(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
    standing: Standing,
  ): readonly ConcreteArray[] {
    const types = primitive.abstract(
      inputs.map((x) => x.aval),
      params as never,
    );
    const given = inputs.map((x): HostArray => ({ aval: x.aval, data: x.storage.readSync() }));
    return evaluatePrimitive(primitive, given, params, types).map((h) => this.upload(h, standing));
  }

  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
    standing: Standing,
  ): readonly ConcreteArray[] {
    return this.execute(this.ready(jaxpr, donated), inputs, donated, standing);
  }

  prepare(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): Prepared {
    const { executable } = this.ready(jaxpr, donated);
    let made: Program | undefined;
    const program = (): Program => (made ??= this.program(jaxpr, "main", donated));
    return {
      device: this.name,
      ready: () => executable?.ready?.() ?? Promise.resolve(),
      plan: () => printPlan(program()),
      kernels: () =>
        program()
          .kernels.map((k, i) => `#${i} ${printKernel(k)}`)
          .join("\n\n"),
      code: () => executable?.text() ?? "",
      memory: () => plannedMemory(program()),
    };
  }

  settled(of?: Slot): Promise<void> {
    const buffer = of?.residence.buffer;
    return this.backend.settled?.(buffer ? [buffer] : []) ?? Promise.resolve();
  }
  profile(): { readonly stop: () => Promise<readonly ProfiledLaunch[]> } | undefined {
    return this.backend.profile?.();
  }

  upload(host: HostArray, standing: Standing): ConcreteArray {
    const { aval, data } = host;
    if (!this.backend.supports(aval.dtype)) throw unsupportedArray(this.name, aval);
    const buffer = this.heap.allocate(data.byteLength);
    try {
      this.backend.write(buffer, data);
    } catch (e) {
      this.heap.free(buffer);
      throw e;
    }
    const x = this.wrap(ArrayType.of(aval), data.length, buffer, standing);
    if (!this.synchronous && (this.hostCopies || standing !== Standing.committed))
      (x.storage as RuntimeStorage).origin = originOfData(host, this.hostCopies);
    return x;
  }

  stats(): DeviceStats {
    const { heapBytes, allocatedBytes, modules, counters = noCounters } = this.backend.stats();
    return {
      liveArrays: this.heap.liveArrays,
      liveBytes: this.heap.liveBytes,
      spilledBytes: this.heap.bytesSpilled,
      heapBytes,
      allocatedBytes,
      programs: this.eager.size,
      modules,
      counters,
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
    if (!ready) byDonation.set(key, (ready = this.build(jaxpr, { name: "main", generic: false, donated })));
    return ready;
  }

  private build(
    jaxpr: Jaxpr,
    {
      name,
      generic,
      donated,
    }: { readonly name: string; readonly generic: boolean; readonly donated: readonly boolean[] | undefined },
  ): Ready {
    requireDTypes(jaxpr, this.backend, name);
    const start = performance.now();
    const program = this.program(jaxpr, name, donated);
    const lacking = this.backend.lacks?.(program);
    const executable =
      lacking === undefined
        ? this.backend.compile(program, { generic })
        : this.helped(jaxpr, program, { name, donated, lacking });
    const entry = program.functions[0]!;
    debug(1, () => `compiled ${name} for ${this.name} in ${(performance.now() - start).toFixed(2)} ms`);
    debug(4, () => executable.text());
    const avals = jaxpr.outs.map((v) => v.aval);
    const bytes = entry.outputs.map((o) => o.bytes);
    return readyOf(jaxpr.inVars.length, avals, executable, bytes, entry.outputIsInput, entry.outputReusesInput);
  }

  /** The executable of a program that the device lacks something for: another device computes it, which is reported. */
  private helped(
    jaxpr: Jaxpr,
    program: Program,
    { name, donated, lacking }: { name: string; donated: readonly boolean[] | undefined; lacking: string },
  ): Executable {
    const { helper, backend } = this;
    if (!helper || !backend.onHost) {
      throw new DeviceError({
        code: "device-lacks",
        message: `device "${this.name}" has no kernels for ${lacking}`,
        hint: "run the function on another device: move its arguments with devicePut(x, device)",
      });
    }
    const places = { device: this.name, helper: helper.name, lacking };
    if (!onlyCallsBack(program) && !this.reported.has(lacking)) {
      this.reported.add(lacking);
      config.warn(helpReport(program, places));
    }
    debug(1, () => `${name} is computed on ${helper.name} for ${this.name}`);
    const { compute, text } = computeWith(helper, this.program(jaxpr, name, donated, helper.traits));
    return backend.onHost(program, compute, () => `// ${helpNote(program, places)}\n\n${text()}`);
  }

  private program(
    jaxpr: Jaxpr,
    name: string,
    donated: readonly boolean[] | undefined,
    traits = this.backend.traits,
  ): Program {
    return this.compile(jaxpr, donated === undefined ? { name, traits } : { name, traits, donated });
  }

  private execute(
    ready: Ready,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
    standing: Standing,
  ): ConcreteArray[] {
    if (!ready.plain || donated !== undefined) return this.executePlaced(ready, inputs, donated, standing);
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
    if (made === 1) return [this.wrap(outTypes[0]!, outWords[0]!, outs[0]!, standing)];
    const results = new Array<ConcreteArray>(made);
    for (let k = 0; k < made; k++) results[k] = this.wrap(outTypes[k]!, outWords[k]!, outs[k]!, standing);
    return results;
  }

  /** A call some of whose results are operands themselves, or take over the storage of donated ones. */
  private executePlaced(
    ready: Ready,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
    standing: Standing,
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
      if (kind === "own") return this.wrap(type, ready.outWords[k]!, outs[k]!, standing);
      const storage = inputs[from]!.storage as RuntimeStorage;
      if (storage instanceof ScalarStorage) {
        // A result is an array like any other: another value of it must never be another constant of a program.
        if (outs[k]) heap.free(outs[k]);
        return this.upload({ aval: type, data: storage.readSync() }, standing);
      }
      if (kind === "same") return new ConcreteArray(type, storage.share(standing));
      return this.wrap(type, ready.outWords[k]!, heap.takeOver((storage as DeviceStorage).slot), standing);
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

  private wrap(type: ArrayType, words: number, buffer: DeviceBuffer, standing: Standing): ConcreteArray {
    return new ConcreteArray(type, new DeviceStorage(this, this.heap.adopt(buffer, type), type.dtype, words, standing));
  }
}

/** Elements from which on it is worth not to repeat them before they are needed. */
const worthWaiting = 4096;

const isCallback = ({ lower }: AnyPrimitive): boolean => "kind" in lower && lower.kind === "callback";

function fromSpilled(spilled: Uint32Array, into: TypedArray): TypedArray {
  new Uint8Array(into.buffer).set(new Uint8Array(spilled.buffer, 0, into.byteLength));
  return into;
}
