import { ConcreteArray } from "../core/array.js";
import { type Aval, type HostArray, sizeOf } from "../core/aval.js";
import { dtypeInfo, type TypedArray } from "../core/dtype.js";
import type { MemoryAnalysis, Prepared } from "../core/engine.js";
import { evaluateJaxpr, evaluatePrimitive } from "../core/host-interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { printJaxpr } from "../core/printer.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { type Device, type DeviceStats, noCounters, RuntimeStorage, type Standing } from "./storage.js";

/** Elements in an ordinary typed array. */
class HostStorage extends RuntimeStorage {
  disposed = false;
  readonly synchronous = true;
  private data: TypedArray | undefined;
  constructor(
    override readonly owner: ReferenceDevice,
    data: TypedArray,
    readonly standing: Standing,
  ) {
    super();
    this.data = data;
  }
  get device(): string {
    return this.owner.name;
  }
  get scalar(): undefined {
    return undefined;
  }
  /** The elements themselves, not a copy: for reading only. */
  get elements(): TypedArray {
    return this.data!;
  }
  readSync(): TypedArray {
    return this.data!.slice();
  }
  share(standing: Standing): HostStorage {
    return new HostStorage(this.owner, this.data!, standing);
  }
  dispose(): void {
    this.disposed = true;
    this.data = undefined;
  }
}

/**
 * The device that is an oracle: primitives by their plain rules (float64 arithmetic, rounded once an operation), jaxprs by
 * interpreting them. Nothing of the compiler is used.
 */
export class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly supports = (): boolean => true;
  readonly synchronous = true;
  readonly hostCopies = false;
  readonly lost = undefined;

  evaluate(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
    standing: Standing,
  ): readonly ConcreteArray[] {
    const avals = primitive.abstract(
      inputs.map((x) => x.aval),
      params as never,
    );
    return evaluatePrimitive(primitive, inputs.map(hostOf), params, avals).map((h) => this.wrap(h, standing));
  }

  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
    standing: Standing,
  ): readonly ConcreteArray[] {
    const outs = evaluateJaxpr(jaxpr, inputs.map(hostOf)).map((h) => this.wrap(h, standing));
    if (donated) inputs.forEach((x, i) => donated[i] && x.dispose());
    return outs;
  }

  prepare(jaxpr: Jaxpr): Prepared {
    return {
      device: this.name,
      plan: () => "",
      kernels: () => "",
      code: () => printJaxpr(jaxpr),
      memory: () => interpretedMemory(jaxpr),
      ready: () => Promise.resolve(),
    };
  }
  upload(host: HostArray, standing: Standing): ConcreteArray {
    return this.wrap({ aval: host.aval, data: host.data.slice() }, standing);
  }
  settled(): Promise<void> {
    return Promise.resolve();
  }
  profile(): undefined {
    return undefined;
  }

  stats(): DeviceStats {
    return {
      liveArrays: 0,
      liveBytes: 0,
      spilledBytes: 0,
      heapBytes: 0,
      allocatedBytes: 0,
      programs: 0,
      modules: 0,
      counters: noCounters,
    };
  }

  /** Results may share data with operands (views): elements are never written after they are made. */
  private wrap(h: HostArray, standing: Standing): ConcreteArray {
    return new ConcreteArray(h.aval, new HostStorage(this, h.data, standing));
  }
}

function hostOf(x: ConcreteArray): HostArray {
  const s = x.storage;
  return { aval: x.aval, data: s instanceof HostStorage ? s.elements : s.readSync() };
}

/** The interpreter keeps every value of a jaxpr until it is done with it. */
function interpretedMemory(jaxpr: Jaxpr): MemoryAnalysis {
  const bytes = (values: readonly { readonly aval: Aval }[]): number =>
    values.reduce((n, { aval }) => n + sizeOf(aval.shape) * dtypeInfo[aval.dtype].bytes, 0);
  const temporaries = ({ eqns, outs }: Jaxpr): number => {
    const results = new Set<unknown>(outs);
    let inner = 0;
    for (const { primitive, params } of eqns)
      for (const called of primitive.jaxprs?.(params as never) ?? []) inner = Math.max(inner, temporaries(called));
    return inner + bytes(eqns.flatMap((e) => e.outs.filter((v) => !results.has(v))));
  };
  return {
    argumentBytes: bytes(jaxpr.inVars),
    outputBytes: bytes(jaxpr.outs),
    temporaryBytes: temporaries(jaxpr),
  };
}
