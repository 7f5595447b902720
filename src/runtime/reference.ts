import { ConcreteArray } from "../core/array.js";
import type { HostArray } from "../core/aval.js";
import type { TypedArray } from "../core/dtype.js";
import { evaluateJaxpr, evaluatePrimitive } from "../core/host-interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { printJaxpr } from "../core/printer.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { type Device, type DeviceStats, RuntimeStorage } from "./storage.js";

/** Elements in an ordinary typed array. */
class HostStorage extends RuntimeStorage {
  disposed = false;
  private data: TypedArray | undefined;
  constructor(
    override readonly owner: ReferenceDevice,
    data: TypedArray,
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
  share(): HostStorage {
    return new HostStorage(this.owner, this.data!);
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

  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[] {
    const avals = primitive.abstract(
      inputs.map((x) => x.aval),
      params as never,
    );
    return evaluatePrimitive(primitive, inputs.map(hostOf), params, avals).map((h) => this.wrap(h));
  }

  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[] {
    const outs = evaluateJaxpr(jaxpr, inputs.map(hostOf)).map((h) => this.wrap(h));
    if (donated) inputs.forEach((x, i) => donated[i] && x.dispose());
    return outs;
  }

  prepare(jaxpr: Jaxpr): { readonly text: () => string } {
    return { text: () => printJaxpr(jaxpr) };
  }
  upload(host: HostArray): ConcreteArray {
    return this.wrap({ aval: host.aval, data: host.data.slice() });
  }

  stats(): DeviceStats {
    return { liveArrays: 0, liveBytes: 0, spilledBytes: 0, heapBytes: 0, allocatedBytes: 0, programs: 0, modules: 0 };
  }

  /** Results may share data with operands (views): elements are never written after they are made. */
  private wrap(h: HostArray): ConcreteArray {
    return new ConcreteArray(h.aval, new HostStorage(this, h.data));
  }
}

function hostOf(x: ConcreteArray): HostArray {
  const s = x.storage;
  return { aval: x.aval, data: s instanceof HostStorage ? s.elements : s.readSync() };
}
