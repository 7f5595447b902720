import type { NDArray } from "./array.js";
import { getEngine } from "./engine.js";
import { type ArrayData, asyncRead, publicData } from "./reading.js";

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
