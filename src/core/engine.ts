import type { ConcreteArray } from "./array.js";
import type { HostArray } from "./aval.js";
import type { Jaxpr } from "./jaxpr.js";
import { InternalError } from "./errors.js";
import type { AnyPrimitive } from "./primitive.js";

/** What the runtime does for core: evaluating operations eagerly, running compiled jaxprs, making arrays. */
export interface Engine {
  /** Evaluates one primitive on concrete operands. */
  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[];
  /** Compiles (once per jaxpr, identity, and device) and runs a jaxpr. `donated[i]`: operand i's storage may be taken over. */
  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[];
  /** Compiles a jaxpr for the default device now rather than when it first runs. */
  compile(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): { readonly text: () => string };
  /** Uploads host data (not copied before it is uploaded) to a device, by default the default device. */
  fromHost(host: HostArray, device?: string): ConcreteArray;
  /** The device on which new arrays are made. */
  defaultDevice(): string;
  /** A scalar that stays on the host until a kernel needs it. */
  scalar(value: number, aval: HostArray["aval"]): ConcreteArray;
}

let engine: Engine | undefined;

export function installEngine(e: Engine): void {
  engine = e;
}

export function getEngine(): Engine {
  if (!engine) throw new InternalError("no engine is installed; import tsax through its entry points");
  return engine;
}
