import { type Aval, formatAval, type Shape, sizeOf } from "./aval.js";
import type { TypedArray } from "./dtype.js";
import { ArgumentError, DeviceError, DTypeError, TracerError } from "./errors.js";

/** Elements as users read them: bools as bytes of 0 and 1. */
export type ArrayData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** Elements as nested lists: a bare value for a scalar. */
export type NestedValue = number | boolean | NestedValue[];

/** Storage words in the form users read. @throws DTypeError `key-data` for random keys. */
export function publicData(data: TypedArray, a: Aval, op: string): ArrayData {
  refuseKeys(a, op);
  return a.dtype === "bool" ? Uint8Array.from(data) : data;
}

/** Storage words as nested lists, booleans as booleans. */
export function nestedValues(data: TypedArray, a: Aval): NestedValue {
  refuseKeys(a, "js");
  const { shape } = a;
  const bool = a.dtype === "bool";
  let next = 0;
  const build = (axis: number): NestedValue => {
    if (axis === shape.length) {
      const v = data[next++]!;
      return bool ? v !== 0 : v;
    }
    const n = shape[axis]!;
    const list = new Array<NestedValue>(n);
    for (let i = 0; i < n; i++) list[i] = build(axis + 1);
    return list;
  };
  return build(0);
}

/** Checks that an array has one element, before it is read. @throws ArgumentError `item-size`. */
export function checkItem(a: Aval): void {
  refuseKeys(a, "item");
  if (sizeOf(a.shape) !== 1) {
    throw new ArgumentError({
      code: "item-size",
      message: `item() reads arrays of one element, and this is ${formatAval(a)}`,
      hint: "js() gives nested lists, dataSync() a typed array; slice one element out to read it",
    });
  }
}

export function itemOf(data: TypedArray, a: Aval): number | boolean {
  const v = data[0]!;
  return a.dtype === "bool" ? v !== 0 : v;
}

function refuseKeys(a: Aval, op: string): void {
  if (a.dtype !== "key") return;
  throw new DTypeError({
    code: "key-data",
    message: `${op}: ${formatAval(a)} holds random keys, which are opaque`,
    hint: "random.keyData(key) gives their words as uint32",
  });
}

/** The error of reading a value that is not known yet. */
export function tracerRead(op: string, described: string, shape: Shape): TracerError {
  return new TracerError({
    code: "tracer-read",
    message: `${op} needs the elements of a value that is only traced`,
    details: [["value", described]],
    hint:
      shape.length === 0
        ? "choose by it with np.where, make the argument that it came from static (staticArgnums), or read it outside of the transformed function"
        : "compute with array functions such as np.where, make the argument that it came from static (staticArgnums), or read it outside of the transformed function",
  });
}

/** The error of reading at once what lies on a device that computes while the program goes on. */
export function asyncRead(op: string, described: string, device: string): DeviceError {
  return new DeviceError({
    code: "async-read",
    message: `${op} reads at once, and device "${device}" can only be awaited`,
    details: [["value", described]],
    hint: `await x.data() or await x.jsAsync() reads it; inside of a transformed function choose with np.where; where everything can be read at once is "wasm": await devicePutAsync(x, "wasm")`,
  });
}

/** The error of using an array or a tracer where JavaScript wants a number or a string. */
export function notANumber(described: string, traced: boolean): TracerError | ArgumentError {
  const o = {
    code: traced ? "tracer-read" : "array-as-number",
    message: `JavaScript's operators, templates and Math cannot work on ${traced ? "a traced value" : "an array of several elements"}`,
    details: [["value", described]] as const,
    hint: `write x.add(y), x.mul(y), x.less(y), np.exp(x) or np.where; item() reads a scalar where it is known${traced ? "; under jit, an argument that is to be a number has to be static (staticArgnums)" : ""}`,
  };
  return traced ? new TracerError(o) : new ArgumentError(o);
}
