import type { NDArray } from "./array.js";
import type { HostArray } from "./aval.js";
import { getEngine } from "./engine.js";
import { type ArrayData, asyncRead, publicData, tracerRead } from "./reading.js";

/**
 * The elements of an array that a function has to know to do its work (how long its result is, which elements are meant), where
 * they can be had without waiting: also on a device that can only be awaited, if the array was made of little host data.
 * undefined: the value is traced. @throws DeviceError `async-read`.
 */
export function valuesNow(op: string, x: NDArray): ArrayData | undefined {
  const c = x.concrete();
  if (c === undefined) return undefined;
  const values = getEngine().valuesNow(c);
  if (values === undefined) throw asyncRead(op, x.describe(), c.device);
  return publicData(values, c.aval, op);
}

/** The same with the type, for values of any dtype. @throws TracerError `tracer-read`, DeviceError `async-read`. */
export function hostNow(op: string, x: NDArray): HostArray {
  const c = x.concrete();
  if (c === undefined) throw tracerRead(op, x.describe(), x.shape);
  const data = getEngine().valuesNow(c);
  if (data === undefined) throw asyncRead(op, x.describe(), c.device);
  return { aval: c.aval, data };
}
