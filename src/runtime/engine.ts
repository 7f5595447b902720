import { ConcreteArray } from "../core/array.js";
import type { ElementwiseFunction } from "../core/at-once.js";
import type { Aval, HostArray } from "../core/aval.js";
import type { TypedArray } from "../core/dtype.js";
import type { Engine, Prepared } from "../core/engine.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { ArrayType } from "./array-type.js";
import { currentDevice, defaultDevice, findDevice, withDevice } from "./devices.js";
import { effectsDone } from "./effects.js";
import { originOfResults } from "./origin.js";
import { commonDevice, committed, committedCopy, gather, placeOf, standingOf, storageOf } from "./placement.js";
import { type Device, ScalarStorage, Standing } from "./storage.js";

/** How a device computes what is asked for. */
type On = (
  device: Device,
  inputs: readonly ConcreteArray[],
  standing: Standing,
  donated: readonly boolean[] | undefined,
) => readonly ConcreteArray[];

interface Asked {
  readonly donated?: readonly boolean[] | undefined;
  /** It does more than give results, and must not be done again. */
  readonly effects: boolean;
}

/**
 * Computes where the operands lie. What is computed on a device that cannot be read at once remembers how, unless it is bound
 * to the device.
 */
function computeThere(
  device: Device,
  inputs: readonly ConcreteArray[],
  standing: Standing,
  { donated, effects }: Asked,
  on: On,
): readonly ConcreteArray[] {
  const remember =
    device.synchronous || effects || standing === Standing.committed
      ? undefined
      : originOfResults(inputs, (d, xs) => on(d, xs, standing, undefined));
  const results = on(device, inputs, standing, donated);
  remember?.(results);
  return results;
}

/** Brings operands to one device, if they are not, and computes there. */
function compute(inputs: readonly ConcreteArray[], op: string, asked: Asked, on: On): readonly ConcreteArray[] {
  const { donated } = asked;
  const standing = standingOf(inputs);
  const device = commonDevice(inputs);
  if (device !== null) return computeThere(device ?? currentDevice(), inputs, standing, asked, on);
  const gathered = gather(inputs, op, currentDevice());
  try {
    const results = computeThere(gathered.device, gathered.inputs, standing, asked, on);
    if (donated) inputs.forEach((x, i) => donated[i] && x.dispose());
    return results;
  } finally {
    gathered.release();
  }
}

const hasEffects = (primitive: AnyPrimitive, params: unknown): boolean =>
  (primitive.effects?.(params as never).size ?? 0) > 0 ||
  (primitive.jaxprs?.(params as never) ?? []).some((j) => j.effects.size > 0);

/** What core calls to compute: dispatches to the device of the operands. */
export const engine: Engine = {
  defaultDevice,

  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[] {
    // The common case first: this is called for every eager operation.
    const device = commonDevice(inputs);
    const at = device === undefined ? currentDevice() : device;
    if (at?.synchronous) return at.evaluate(primitive, inputs, params, standingOf(inputs));
    return compute(inputs, primitive.name, { effects: hasEffects(primitive, params) }, (d, xs, standing) =>
      d.evaluate(primitive, xs, params, standing),
    );
  },

  evaluateElementwise(f: ElementwiseFunction, inputs: readonly ConcreteArray[]): ConcreteArray | undefined {
    const common = commonDevice(inputs);
    const device = common === undefined ? currentDevice() : common;
    // What lies on several devices is brought to one operation by operation.
    if (!device?.evaluateElementwise) return undefined;
    if (device.synchronous) return device.evaluateElementwise(f, inputs, standingOf(inputs));
    // of numbers alone each operation would be computed on the default device
    const on: On = (d, xs, standing) => [
      d.evaluateElementwise?.(f, xs, standing) ?? withDevice(d, () => f.oneByOne(xs)),
    ];
    return computeThere(device, inputs, standingOf(inputs), { effects: false }, on)[0];
  },

  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[] {
    const device = commonDevice(inputs);
    const at = device === undefined ? currentDevice() : device;
    if (at?.synchronous) return at.run(jaxpr, inputs, donated, standingOf(inputs));
    return compute(
      inputs,
      "a compiled function",
      { donated, effects: jaxpr.effects.size > 0 },
      (d, xs, standing, given) => d.run(jaxpr, xs, given, standing),
    );
  },

  prepare(jaxpr: Jaxpr, inputs: readonly ConcreteArray[], donated: readonly boolean[] | undefined): Prepared {
    const common = commonDevice(inputs);
    const device = common === null ? placeOf(inputs, "a compiled function", currentDevice()) : common;
    return (device ?? currentDevice()).prepare(jaxpr, donated);
  },

  fromHost(host: HostArray, device?: string): ConcreteArray {
    const at = device === undefined ? currentDevice() : findDevice(device);
    return at.upload(host, device === undefined ? Standing.data : Standing.committed);
  },

  put: (x: ConcreteArray, device: string): ConcreteArray => committed(x, findDevice(device)),

  valuesNow(x: ConcreteArray): TypedArray | undefined {
    const storage = storageOf(x);
    if (storage.synchronous) return storage.readSync();
    if (storage.origin === undefined) return undefined;
    const copy = committedCopy(x, findDevice("wasm"))!;
    const values = storageOf(copy).readSync();
    copy.dispose();
    return values;
  },

  onHost<R>(body: () => R): R {
    const device = currentDevice();
    return withDevice(device.synchronous ? device : findDevice("wasm"), body);
  },
  effectsDone,

  scalar(value: number, aval: Aval): ConcreteArray {
    return new ConcreteArray(ArrayType.of(aval), new ScalarStorage(value, aval.dtype, defaultDevice));
  },
};
