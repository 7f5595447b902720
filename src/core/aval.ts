import { type DType, dtypeInfo, type TypedArray } from "./dtype.js";
import { ArgumentError, counted, InternalError, ShapeError, TracerError } from "./errors.js";

export type Shape = readonly number[];

/** What is known of an array before it is computed: shape, dtype, and whether its type came from a bare JS number. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weakType: boolean;
}

export const aval = (shape: Shape, dtype: DType, weakType = false): Aval => ({ shape, dtype, weakType });

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let s = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `f32[3,4]`, weak types with a `~`, as JAX's messages have it. */
export function formatAval(a: Aval): string {
  return `${a.weakType ? "~" : ""}${dtypeInfo[a.dtype].short}[${a.shape.join(",")}]`;
}

export const sameAval = (a: Aval, b: Aval): boolean =>
  a.dtype === b.dtype && a.weakType === b.weakType && sameShape(a.shape, b.shape);

/** The aval of a tangent or cotangent: same shape and dtype, never weak. */
export const strengthen = (a: Aval): Aval => (a.weakType ? { ...a, weakType: false } : a);

/** Bytes of storage. */
export const byteLength = (a: Aval): number => sizeOf(a.shape) * dtypeInfo[a.dtype].bytes;

/** Words of the host's typed array. */
export const wordLength = (a: Aval): number => sizeOf(a.shape) * dtypeInfo[a.dtype].words;

/** Checks one axis and makes it non-negative. @throws ArgumentError `axis-invalid`, `axis-range`. */
export function normalizeAxis(axis: number, ndim: number, op: string): number {
  if (typeof axis !== "number") throw invalidAxes(op, axis);
  if (!Number.isInteger(axis) || axis < -ndim || axis >= ndim) {
    throw new ArgumentError({
      code: "axis-range",
      message: `${op}: axis ${axis} is out of bounds for an array of ${counted(ndim, "dimension")}`,
      hint: ndim === 0 ? "a scalar has no axes" : `axes run from ${-ndim} to ${ndim - 1}`,
    });
  }
  return axis < 0 ? axis + ndim : axis;
}

/** Checks axes, makes them non-negative, refuses duplicates; `null` means all of them. */
export function normalizeAxes(axes: number | readonly number[] | null | undefined, ndim: number, op: string): number[] {
  if (axes === null || axes === undefined) {
    const all: number[] = [];
    for (let i = 0; i < ndim; i++) all.push(i);
    return all;
  }
  const given = typeof axes === "number" ? [axes] : axes;
  if (!Array.isArray(given)) throw invalidAxes(op, axes);
  const list = given.map((a: number) => normalizeAxis(a, ndim, op));
  if (new Set(list).size !== list.length) {
    throw new ArgumentError({
      code: "axis-duplicate",
      message: `${op}: axes [${list.join(", ")}] name one axis twice`,
    });
  }
  return list;
}

/** An array or tracer, which this room does not know as a class. */
const isArray = (x: unknown): x is { describe(): string } => typeof x === "object" && x !== null && "aval" in x;

function invalidAxes(op: string, given: unknown): ArgumentError {
  const what = typeof given === "object" && given !== null ? "an object" : (JSON.stringify(given) ?? String(given));
  return new ArgumentError({
    code: "axis-invalid",
    message: `${op}: axes are a whole number, a list of them or null, not ${isArray(given) ? given.describe() : what}`,
    hint: "by name: { axis: 0 }; several arrays are given as one list",
  });
}

/** Checks a user's shape. @throws ShapeError `shape-invalid`. */
export function asShape(shape: number | readonly number[], op: string): number[] {
  const list = lengthsOf(shape);
  for (const d of list) {
    if (typeof d !== "number" || !Number.isInteger(d) || d < 0)
      throw notAShape(op, list, "a shape is a list of non-negative whole numbers");
  }
  return list;
}

/** The lengths in what a user gave as a shape, a list of one number being that number; not checked. */
export const lengthsOf = (shape: number | readonly number[]): number[] =>
  Array.isArray(shape) || ArrayBuffer.isView(shape) ? [...(shape as readonly number[])] : [shape as number];

/** The error of a shape that is none; `hint` says what one is. A length that is only traced is a read of it. */
export function notAShape(op: string, given: readonly unknown[], hint: string): ShapeError | TracerError {
  const text = (d: unknown): string => (typeof d === "object" && d !== null ? "an object" : String(d));
  const message = `${op}: [${given.map(text).join(", ")}] is not a shape`;
  const details = given.flatMap((d, k) => (isArray(d) ? [[`length ${k}`, d.describe()] as const] : []));
  if (details.length === 0) return new ShapeError({ code: "shape-invalid", message, hint });
  if (given.some((d) => isArray(d) && "tracedBy" in d)) {
    const way = "; under jit, an argument that decides one has to be static (staticArgnums)";
    return new TracerError({ code: "tracer-read", message, details, hint: hint + way });
  }
  return new ShapeError({ code: "shape-invalid", message, details, hint: `${hint}: item() reads one of an array` });
}

/** NumPy's broadcasting of shapes. @throws ShapeError `shape-broadcast`. */
export function broadcastShapes(shapes: readonly Shape[], op = "broadcast"): number[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  for (const s of shapes) {
    for (let i = 0; i < s.length; i++) {
      const d = s[i]!;
      const k = ndim - s.length + i;
      if (d === 1 || d === out[k]) continue;
      if (out[k] !== 1) {
        throw new ShapeError({
          code: "shape-broadcast",
          message: `${op}: shapes do not broadcast together`,
          details: shapes.map((t, j) => [`operand ${j}`, `[${t.join(",")}]`] as const),
          hint: "trailing axes must be equal or 1; align them with reshape, expandDims or slice(…, null)",
        });
      }
      out[k] = d;
    }
  }
  return out;
}

/** An array on the host in storage layout (bool: 0/1 words; key: two words an element). */
export interface HostArray {
  readonly aval: Aval;
  readonly data: TypedArray;
}

/** Allocates a host array of zeros. */
export function hostZeros(a: Aval): HostArray {
  return { aval: a, data: new dtypeInfo[a.dtype].storage(wordLength(a)) };
}

/** Asserts that a plain evaluation produced what abstract evaluation promised. */
export function checkHost(h: HostArray, expected: Aval, op: string): void {
  if (h.data.length !== wordLength(expected) || h.aval.dtype !== expected.dtype) {
    throw new InternalError(`${op} evaluated to ${formatAval(h.aval)} where ${formatAval(expected)} was promised`);
  }
}
