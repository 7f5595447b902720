import { type Aval, aval, asShape, type HostArray, type Shape, sizeOf, wordLength } from "./aval.js";
import { defaultFloat } from "./config.js";
import { asDType, type DType, dtypeInfo, type TypedArray } from "./dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "./errors.js";
import { describeValue } from "./literal.js";

type AnyTypedArray = Exclude<ArrayBufferView, DataView> & ArrayLike<number | bigint>;

const isTyped = (x: unknown): x is AnyTypedArray => ArrayBuffer.isView(x) && !(x instanceof DataView);

/** The dtype of typed arrays that are storage of one. */
function ownDType(data: AnyTypedArray): DType | undefined {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  return undefined;
}

export interface FromJsOptions {
  /** Row-major shape of the data; by default that of the nested lists. */
  readonly shape?: number | readonly number[] | undefined;
  readonly dtype?: DType | undefined;
}

/**
 * Makes host data of a JS value: a number, a boolean, nested lists of them, or a typed array. Numbers are data, whose values do
 * not decide the dtype: float32 (float64 with x64), unless `dtype` says otherwise; booleans alone give bool; typed arrays give
 * their own dtype. A typed array of the very dtype asked for is not copied.
 *
 * @throws ArgumentError `ragged`, `not-a-number`, `number-range`; DTypeError `dtype-typed-array`; ShapeError `shape-size`.
 */
export function hostFromJs(value: unknown, { shape, dtype }: FromJsOptions = {}, op = "array"): HostArray {
  const wanted = dtype === undefined ? undefined : asDType(dtype);
  if (wanted === "key") {
    throw new DTypeError({
      code: "key-data",
      message: `${op} makes no random keys`,
      hint: "random.key(seed) does; random.wrapKeyData(words) takes uint32 words",
    });
  }
  const made = isTyped(value) ? fromTyped(value, wanted, op) : fromLists(value, wanted, op);
  return shape === undefined ? made : { aval: reshaped(made.aval, asShape(shape, op), op), data: made.data };
}

function reshaped(a: Aval, shape: Shape, op: string): Aval {
  if (sizeOf(shape) !== sizeOf(a.shape)) {
    throw new ShapeError({
      code: "shape-size",
      message: `${op}: ${sizeOf(a.shape)} elements do not fill the shape [${shape.join(", ")}]`,
      details: [
        ["data", `${sizeOf(a.shape)} elements`],
        ["shape", `${sizeOf(shape)} elements`],
      ],
    });
  }
  return aval(shape, a.dtype);
}

function fromTyped(value: AnyTypedArray, wanted: DType | undefined, op: string): HostArray {
  const own = ownDType(value);
  const dtype = wanted ?? own;
  if (dtype === undefined) {
    const name = value.constructor.name;
    throw new DTypeError({
      code: "dtype-typed-array",
      message: `${op}: there is no dtype of a ${name}'s own`,
      hint: `say which one to convert to, e.g. ${op}(data, { dtype: "${/^Float/.test(name) ? "float32" : "int32"}" })`,
    });
  }
  const type = aval([value.length], dtype);
  if (own === dtype) return { aval: type, data: value as unknown as TypedArray };
  const data = new dtypeInfo[dtype].storage(value.length);
  if (dtype === "bool") for (let i = 0; i < data.length; i++) data[i] = Number(value[i]) === 0 ? 0 : 1;
  else if (value instanceof BigInt64Array || value instanceof BigUint64Array)
    for (let i = 0; i < data.length; i++) data[i] = Number(value[i]);
  else data.set(value as unknown as ArrayLike<number>);
  return { aval: type, data };
}

/** What is known of nested lists after one look at their leading elements. */
function shapeOfLists(value: unknown): number[] {
  const shape: number[] = [];
  let v = value;
  for (;;) {
    if (Array.isArray(v)) {
      shape.push(v.length);
      if (v.length === 0) return shape;
      v = v[0];
    } else if (isTyped(v)) {
      shape.push(v.length);
      return shape;
    } else return shape;
  }
}

function fromLists(value: unknown, wanted: DType | undefined, op: string): HostArray {
  const shape = shapeOfLists(value);
  const path: number[] = [];
  const dtype = wanted ?? (allBooleans(value) ? "bool" : defaultFloat());
  const type = aval(shape, dtype);
  const data = new dtypeInfo[dtype].storage(wordLength(type));
  const convert = converter(dtype, path, op);
  let next = 0;

  const fill = (v: unknown, axis: number): void => {
    const listed = Array.isArray(v) || isTyped(v);
    if (axis === shape.length) {
      if (listed) throw ragged(path, "a number", v, op);
      data[next++] = convert(v);
      return;
    }
    const n = shape[axis]!;
    if (!listed || v.length !== n) {
      if (!listed && typeof v !== "number" && typeof v !== "boolean") throw notData(v, path, op);
      throw ragged(path, `a list of ${n}`, v, op);
    }
    if (
      isTyped(v) &&
      axis === shape.length - 1 &&
      dtype === "float32" &&
      !(v instanceof BigInt64Array) &&
      !(v instanceof BigUint64Array)
    ) {
      data.set(v as unknown as ArrayLike<number>, next);
      next += n;
      return;
    }
    const depth = path.length;
    for (let i = 0; i < n; i++) {
      path[depth] = i;
      fill(v[i], axis + 1);
    }
    path.length = depth;
  };
  fill(value, 0);
  return { aval: type, data };
}

/** Whether there is a leaf and every leaf is a boolean. */
function allBooleans(value: unknown): boolean {
  if (typeof value === "boolean") return true;
  if (!Array.isArray(value) || value.length === 0) return false;
  for (const v of value) if (!allBooleans(v)) return false;
  return true;
}

/** Checks a leaf and brings it to storage form. */
function converter(dtype: DType, path: readonly number[], op: string): (v: unknown) => number {
  const checked = (v: unknown): number => {
    if (typeof v === "number") return v;
    if (typeof v === "boolean") return v ? 1 : 0;
    throw notData(v, path, op);
  };
  if (dtype === "bool") return (v) => (checked(v) === 0 ? 0 : 1);
  if (dtype !== "int32" && dtype !== "uint32") return checked;
  const [lo, hi] = dtype === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return (v) => {
    const n = Math.trunc(checked(v));
    if (n >= lo && n <= hi) return n;
    throw new ArgumentError({
      code: "number-range",
      message: `${op}: ${place(path)} is ${String(v)}, which ${dtype} does not hold`,
    });
  };
}

const place = (path: readonly number[]): string => (path.length === 0 ? "the value" : `element [${path.join("][")}]`);

function ragged(path: readonly number[], expected: string, v: unknown, op: string): ArgumentError {
  const came = isTyped(v) ? `a ${v.constructor.name} of ${v.length}` : describeValue(v);
  return new ArgumentError({
    code: "ragged",
    message: `${op}: nested lists must be rectangular, but ${place(path)} is ${came} where ${expected} was expected`,
    hint: "pad the rows to one length",
  });
}

function notData(v: unknown, path: readonly number[], op: string): ArgumentError {
  const isArray = typeof v === "object" && v !== null && "aval" in v;
  return new ArgumentError({
    code: "not-a-number",
    message: `${op}: ${place(path)} is ${describeValue(v)}, not a number or boolean`,
    hint: isArray
      ? "np.stack puts arrays together"
      : typeof v === "bigint"
        ? "convert it with Number(…)"
        : v instanceof ArrayBuffer
          ? "look at its bytes through a typed array, such as new Float32Array(buffer)"
          : undefined,
  });
}
